"""Testing whether who pays steers who decides; every answer is kept, whatever it says.

The tests of the schedule are of each whole month and of the twelve months that end with it, against
every role in ``ROLES``, since the first offer. What is missing is made, oldest first.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import refuse
from cases.models import Role as PartyRole
from deadlines.days import local_day
from reviewers import policies
from reviewers.matching.history_of_choices import choices_between, offers_between
from reviewers.matching.payer_bias import ALARM, find_steering
from reviewers.models import PayerBiasNote, PayerBiasTest, ReviewerAssignment

# Who pays, in the three roles in which a party of a case may: Labor Code 4616.4(a)(3)(C).
ROLES = (PartyRole.CLAIMS_ADMINISTRATOR, PartyRole.INSURER, PartyRole.EMPLOYER)
MOST_ON_PAGE = 20_000  # choices that are tested while someone waits: seconds, not minutes
YEAR = 12


def examine(*, first: date, last: date, role: PartyRole) -> PayerBiasTest:
    """Test the choices of some days against the parties of one role; nothing is stored."""
    found = find_steering(choices_between(first, last, role=role))
    return PayerBiasTest(
        first=first,
        last=last,
        party_role=role,
        choices=found.choices,
        compared=found.compared,
        unevenness=Decimal(str(found.unevenness)),
        p=Decimal(str(found.p)),
        alarm=Decimal(str(ALARM)),
        is_steered=found.is_steered,
        deals=found.deals,
        seed=found.seed,
    )


def check_period(*, first: date, last: date, by: User | None, at: datetime) -> list[PayerBiasTest]:
    """Test the choices of some days, both included, against each role that pays; keep the answers.

    :param by: the person who asks; ``None`` is the system, for which no period is too long.
    :raises NotAllowed: wrong role, a day to come, the days turned round, or more than
        ``MOST_ON_PAGE`` choices, which a person would wait too long for.
    """
    refuse(policies.why_not_check_payer_bias(by))
    if last > local_day(at):
        refuse("The last day is in the future. Choose today or an earlier day.")
    if first > last:
        refuse("The last day is before the first. Turn them round.")
    if by is not None and (many := offers_between(first, last).count()) > MOST_ON_PAGE:
        refuse(
            f"{many:,} reviewers were chosen in these days; up to {MOST_ON_PAGE:,} can be tested "
            "here. Choose fewer days; the last twelve months are tested by themselves every month."
        )
    made = [examine(first=first, last=last, role=role) for role in ROLES]
    with transaction.atomic():  # not around the arithmetic: it takes seconds
        for test in made:
            test.made_at, test.made_by = at, by
            test.save(force_insert=True)
    return made


def check_next(*, at: datetime) -> PayerBiasTest | None:
    """Make the oldest test of the schedule that is missing; ``None`` when none is.

    One at a time, so that a worker that is stopped loses one. Two workers at once leave one row.
    """
    wanted = next(_missing(local_day(at)), None)
    if wanted is None:
        return None
    first, last, role = wanted
    test = examine(first=first, last=last, role=role)
    test.is_monthly, test.made_at = True, at
    try:
        with transaction.atomic():
            test.save(force_insert=True)
    except IntegrityError:  # another worker was quicker, with the same answer
        return PayerBiasTest.objects.get(first=first, last=last, party_role=role, is_monthly=True)
    return test


@transaction.atomic
def note(*, test_id: int, words: str, by: User, at: datetime) -> PayerBiasNote:
    """Say that one looked into a test and what one found; then it no longer asks for attention.

    :raises NotAllowed: wrong role, or nothing said.
    """
    refuse(policies.why_not_check_payer_bias(by))
    refuse("" if words.strip() else "Say what you looked at and what you found.")
    return PayerBiasNote.objects.create(
        test=PayerBiasTest.objects.get(pk=test_id),
        words=words.strip()[:1000],
        noted_at=at,
        noted_by=by,
    )


def unanswered() -> list[PayerBiasTest]:
    """The tests that found steering and that no one has looked into, oldest first. One query."""
    return list(PayerBiasTest.objects.filter(is_steered=True, notes=None).order_by("pk"))


def _missing(today: date) -> Iterator[tuple[date, date, PartyRole]]:
    """Every test of the schedule that is not there, oldest period first. Two queries."""
    offers = ReviewerAssignment.objects.filter(reviewer__isnull=False, offered_at__isnull=False)
    began = offers.order_by("offered_at").values_list("offered_at", flat=True).first()
    if began is None:
        return
    there = set(
        PayerBiasTest.objects.filter(is_monthly=True).values_list("first", "last", "party_role")
    )
    first = local_day(began).replace(day=1)
    while (last := _months_on(first, 1) - timedelta(days=1)) < today:
        for begin in (first, _months_on(first, 1 - YEAR)):
            for role in ROLES:
                if (begin, last, role.value) not in there:
                    yield begin, last, role
        first = _months_on(first, 1)


def _months_on(first: date, months: int) -> date:
    """The first day of the month so many months on, or back."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)
