"""Payer-bias tests of reviewer selection, and the follow-up notes. Every result is kept.

Scheduled tests cover each whole month and the twelve months that end with it, for every role in
``PAYER_ROLES``, since the first offer. Missing tests are run oldest first.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import PartyRole
from deadlines.days import local_day
from reviewers import policies
from reviewers.matching.assignment_history import list_choices_between, list_offers_between
from reviewers.matching.payer_bias import ALARM, find_steering
from reviewers.models import PayerBiasNote, PayerBiasTest, ReviewerAssignment

# The party roles that may pay for the treatment: Labor Code 4616.4(a)(3)(C).
PAYER_ROLES = (PartyRole.CLAIMS_ADMINISTRATOR, PartyRole.INSURER, PartyRole.EMPLOYER)
MOST_ON_PAGE = 20_000  # choices tested while a person waits; takes seconds, not minutes
MONTHS_IN_YEAR = 12


def compute_bias_test(*, first: date, last: date, role: PartyRole) -> PayerBiasTest:
    """Run one test of a period for the parties of one role, without storing it."""
    result = find_steering(list_choices_between(first, last, role=role))
    return PayerBiasTest(
        first=first,
        last=last,
        party_role=role,
        choices=result.choices,
        compared=result.compared,
        # Converted through text, because Decimal(0.01) keeps the binary error of the float.
        unevenness=Decimal(str(result.unevenness)),
        p=Decimal(str(result.p)),
        # Kept with the result, so that a later change of the limit does not alter old tests.
        alarm=Decimal(str(ALARM)),
        is_steered=result.is_steered,
        deals=result.deals,
        seed=result.seed,
    )


def run_bias_tests(
    *, first: date, last: date, by: User | None, at: datetime
) -> list[PayerBiasTest]:
    """Run and store the tests of a period, both days included, for each payer role.

    :param by: the person who asks; ``None`` is the system, which has no limit on the period.
    :raises NotAllowed: as ``compute_bias_tests``.
    """
    tests = compute_bias_tests(first=first, last=last, by=by, at=at)
    return store_bias_tests(tests=tests, by=by, at=at)


def compute_bias_tests(
    *, first: date, last: date, by: User | None, at: datetime
) -> list[PayerBiasTest]:
    """Run the tests of a period without storing them. Takes seconds: call outside transactions.

    :param by: the person who asks; ``None`` is the system, which has no limit on the period.
    :raises NotAllowed: wrong role, a day in the future, days in the wrong order, or more than
        ``MOST_ON_PAGE`` choices, for which a person would wait too long.
    """
    refuse_if(policies.why_not_check_payer_bias(by))
    if last > local_day(at):
        refuse_if("The last day is in the future. Choose today or an earlier day.")
    if first > last:
        refuse_if("The last day is before the first. Swap the two days.")
    if by is not None and (many := list_offers_between(first, last).count()) > MOST_ON_PAGE:
        refuse_if(
            f"These days have {many:,} assignments; up to {MOST_ON_PAGE:,} can be tested here. "
            "Choose a shorter period. The last twelve months are tested automatically each month."
        )
    return [compute_bias_test(first=first, last=last, role=role) for role in PAYER_ROLES]


@transaction.atomic
def store_bias_tests(
    *, tests: Sequence[PayerBiasTest], by: User | None, at: datetime
) -> list[PayerBiasTest]:
    """Store the tests that ``compute_bias_tests`` ran.

    :raises NotAllowed: wrong role.
    """
    refuse_if(policies.why_not_check_payer_bias(by))
    for test in tests:
        test.made_at, test.made_by = at, by
        test.save(force_insert=True)
    return list(tests)


def run_next_bias_test(*, at: datetime) -> PayerBiasTest | None:
    """Run the oldest missing test of the schedule, or return ``None`` when none is missing.

    One at a time, so that a stopped worker loses at most one test. A database constraint ensures
    that two workers at once store only one row.
    """
    missing_test = next(_list_missing_tests(local_day(at)), None)
    if missing_test is None:
        return None
    first, last, role = missing_test
    test = compute_bias_test(first=first, last=last, role=role)
    test.is_monthly, test.made_at = True, at
    try:
        with transaction.atomic():
            test.save(force_insert=True)
    except IntegrityError:  # another worker stored the same result first
        return PayerBiasTest.objects.get(first=first, last=last, party_role=role, is_monthly=True)
    return test


@transaction.atomic
def add_bias_note(*, test_id: int, words: str, by: User, at: datetime) -> PayerBiasNote:
    """Record what was found about a test. An alert with a note is no longer open.

    :raises NotAllowed: wrong role, or an empty note.
    """
    refuse_if(policies.why_not_check_payer_bias(by))
    refuse_if("" if words.strip() else "Enter what you reviewed and what you found.")
    return PayerBiasNote.objects.create(
        test=PayerBiasTest.objects.get(pk=test_id),
        words=words.strip()[:1000],
        noted_at=at,
        noted_by=by,
    )


def list_open_alerts() -> list[PayerBiasTest]:
    """Return the alerts without a note, oldest first. One query."""
    return list(PayerBiasTest.objects.filter(is_steered=True, notes=None).order_by("pk"))


def _list_missing_tests(today: date) -> Iterator[tuple[date, date, PartyRole]]:
    """Yield the missing tests of the schedule, oldest period first. Two queries."""
    offers = ReviewerAssignment.objects.filter(reviewer__isnull=False, offered_at__isnull=False)
    began = offers.order_by("offered_at").values_list("offered_at", flat=True).first()
    if began is None:
        return
    stored = set(
        PayerBiasTest.objects.filter(is_monthly=True).values_list("first", "last", "party_role")
    )
    first = local_day(began).replace(day=1)
    # Only whole months: a test of a month that is not over would not be repeated.
    while (last := _shift_months(first, 1) - timedelta(days=1)) < today:
        # A month shows a recent link. Twelve months show one that is too weak for one month.
        for begin in (first, _shift_months(first, 1 - MONTHS_IN_YEAR)):
            for role in PAYER_ROLES:
                if (begin, last, role.value) not in stored:
                    yield begin, last, role
        first = _shift_months(first, 1)


def _shift_months(first: date, months: int) -> date:
    """Return the first day of the month that is this many months later (or earlier)."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)
