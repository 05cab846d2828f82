"""Impossible states of cases, holds, commitments and letters, each named by a check."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from cases import policies
from cases.lifecycle import Status
from cases.models import (
    Case,
    CaseClearance,
    CaseLetter,
    CaseLink,
    Commitment,
    DisputedItem,
    DuplicateProposal,
    Hold,
    ItemChange,
)
from cases.models.restrictions import restricted_now
from deadlines.days import local_day
from determinations.models import Determination
from eligibility.models import InformationRequest
from letters.models import Letter, Service
from queues.models import WorkClaim
from reviewers.models import ReviewerAssignment

from .findings import Found, Tick

# Without a person, a letter waits this long at most; the sweep acts within a minute.
STUCK_AFTER = timedelta(minutes=15)
# Days after the planned day until a letter that was not marked as sent is named.
MAIL_DAYS = 3


def find_cases_without_next_step(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find open cases in which nobody can act, or whose stage lacks the row it is about."""
    tick()
    roles = set(
        User.objects.filter(is_active=True).values_list("groups__name", flat=True).distinct()
    )
    open_cases = Case.objects.own().open()
    for case in open_cases.exclude(next_role__in=[role for role in roles if role]).order_by("pk"):
        yield _of_case(
            "no_next_step",
            case,
            "Nobody who may sign in has the role that acts next. Grant the role to someone.",
        )
    for status, sentence, rows in _list_required_rows():
        lacking = open_cases.filter(status=status).exclude(Exists(rows)).order_by("pk")
        for case in lacking:
            yield _of_case("no_next_step", case, sentence)


def _list_required_rows() -> list[tuple[Status, str, QuerySet[Any]]]:
    """List the stages that are about another row, with the rows that each needs."""
    case = OuterRef("pk")
    this_round: dict[str, Any] = {"case": case, "round": OuterRef("round")}
    assignments = ReviewerAssignment.objects.filter(**this_round, state__in=["OFFERED", "ACCEPTED"])
    determinations = Determination.objects.filter(**this_round).exclude(
        state=Determination.State.SET_ASIDE
    )
    questions = InformationRequest.objects.filter(case=case, closed_at__isnull=True)
    return [
        (
            Status.REVIEWER_CHOSEN,
            "The case is offered to a reviewer, but no offer is open. Remove the reviewer, then "
            "assign one again.",
            assignments,
        ),
        (
            Status.IN_REVIEW,
            "The case is in review, but no reviewer has it. Assign a reviewer again.",
            assignments.filter(state="ACCEPTED"),
        ),
        (
            Status.INFO_REQUESTED,
            "The case waits for information, but no request is open. Review eligibility again.",
            questions,
        ),
        (
            Status.DUPLICATE,
            "The case is a possible duplicate, but no comparison is open. "
            "Review eligibility again, or close it.",
            DuplicateProposal.objects.filter(case=case, answer=""),
        ),
        (
            Status.INFO_FOR_REVIEW,
            "The case waits for information for the review, but no request is open.",
            questions,
        ),
        (
            Status.QA,
            "The case is in QA review, but no determination was submitted.",
            determinations,
        ),
        (
            Status.APPROVED,
            "The case is ready to issue, but no determination was approved.",
            determinations.filter(state=Determination.State.APPROVED),
        ),
        (
            Status.ISSUED,
            "The case is issued, but has no issued determination to send.",
            determinations.filter(state=Determination.State.ISSUED),
        ),
        (
            Status.CONSOLIDATED,
            "The case is consolidated, but linked to no lead case. Separate it.",
            CaseLink.objects.filter(
                case=case, kind=CaseLink.Kind.CONSOLIDATED, ended_at__isnull=True
            ),
        ),
    ]


def find_closed_cases_with_work(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find closed cases with an item, assignment, question, draft or hold that is still open."""
    tick()
    case = OuterRef("pk")
    today = local_day(at)
    open_rows: list[tuple[str, QuerySet[Any]]] = [
        (
            "a disputed item is pending",
            DisputedItem.objects.filter(case=case, ending=DisputedItem.Ending.PENDING),
        ),
        (
            "a reviewer is assigned",
            ReviewerAssignment.objects.filter(case=case, state__in=ReviewerAssignment.LIVE),
        ),
        (
            "a request for information is open",
            InformationRequest.objects.filter(case=case, closed_at__isnull=True),
        ),
        (
            "an item change is proposed",
            ItemChange.objects.filter(case=case, state=ItemChange.State.PROPOSED),
        ),
        (
            "a hold has not ended",
            Hold.objects.filter(case=case, ended_on__isnull=True, planned_end__gt=today),
        ),
    ]
    closed = Case.objects.own().filter(is_open=False)
    for words, rows in open_rows:
        for row in closed.filter(Exists(rows)).order_by("pk"):
            yield _of_case("closed_with_work", row, f"The case is closed, but {words}.")


def find_holds_past_their_end(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find holds that only a person can end, after their planned end."""
    tick()
    holds = Hold.objects.filter(
        case__is_open=True,
        round=F("case__round"),
        ended_on__isnull=True,
        planned_end__lte=local_day(at),
    )
    for hold in holds.select_related("case").order_by("pk"):
        # An ordinary hold is over on its planned end without any action.
        if hold.needs_an_end:
            yield _of_row(
                "hold_past_its_end",
                hold,
                hold.case,
                "A hold is past its end. End it, or begin another.",
            )


def find_commitments_past_their_day(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find dates promised to a party that are past, neither kept nor moved."""
    tick()
    late = Commitment.objects.filter(
        kept_on__isnull=True,
        replaced_by__isnull=True,
        due_on__lt=local_day(at),
        case__is_open=True,
    )
    for commitment in late.select_related("case").order_by("pk"):
        yield _of_row(
            "commitment_past_its_day",
            commitment,
            commitment.case,
            "A date promised to a party is past. Record that it was kept, or move it.",
        )


def find_letter_problems(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find letters that are stuck or failed, and letters that nobody has marked as sent."""
    tick()
    stuck_before = at - STUCK_AFTER
    letters = Letter.objects.filter(
        Q(state=Letter.State.FAILED)
        | Q(state=Letter.State.QUEUED, due_at__lt=stuck_before)
        | Q(state=Letter.State.RENDERING, claimed_at__lt=stuck_before)
    )
    for letter in letters.order_by("created_at", "pk"):
        sentence = (
            "A letter failed. Correct its cause, then retry it on the page of failed letters."
            if letter.is_failed
            else "A letter is not generated. If the relay and a worker run, queue it again."
        )
        yield Found(
            "letter_stuck",
            Letter._meta.db_table,
            str(letter.pk),
            sentence,
            reference=letter.reference,
        )
    unsent = Service.objects.filter(
        state=Service.State.PREPARED,
        letter__state=Letter.State.FILED,
        planned_on__lt=local_day(at) - timedelta(days=MAIL_DAYS),
    )
    for service in unsent.select_related("letter").order_by("pk"):
        yield Found(
            "letter_not_sent",
            Service._meta.db_table,
            str(service.pk),
            "A letter is ready, and nobody has marked it as sent. Send it, then mark it as sent.",
            reference=service.letter.reference,
        )
    drafts = CaseLetter.objects.filter(state=CaseLetter.State.DRAFT, case__is_open=False)
    for draft in drafts.select_related("case").order_by("pk"):
        # The letter that ends a case is written after it is closed.
        if draft.drafted_at < at - timedelta(days=MAIL_DAYS):
            yield _of_row(
                "letter_not_sent",
                draft,
                draft.case,
                "A draft of a letter of a closed case waits. Approve or discard it.",
            )


def find_orphan_claims(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find claims of work that nobody released, of cases that are closed."""
    tick()
    orphans = WorkClaim.objects.filter(released_at__isnull=True, until__lt=at, case__is_open=False)
    for claim in orphans.select_related("case").order_by("pk"):
        yield _of_row(
            "orphan_claim",
            claim,
            claim.case,
            "A claim of work on a closed case was never released.",
        )


def find_restriction_problems(at: datetime, tick: Tick) -> Iterator[Found]:
    """Find restrictions that lack a linked case, or whose list is wrong or kept by nobody."""
    tick()
    restricted = set(restricted_now().values_list("case_id", flat=True))
    links = CaseLink.objects.filter(ended_at__isnull=True)
    links = links.filter(Q(case__in=restricted) | Q(other__in=restricted))
    # A duplicate found on receipt names its lead in a column too.
    duplicates = Case.objects.filter(duplicate_of__isnull=False)
    duplicates = duplicates.filter(Q(pk__in=restricted) | Q(duplicate_of__in=restricted))
    pairs = {
        *links.values_list("case_id", "other_id"),
        *duplicates.values_list("pk", "duplicate_of_id"),
    }
    found = {
        (one, other)
        for pair in pairs
        for one, other in (pair, pair[::-1])
        if one in restricted and other not in restricted
    }
    cases = Case.objects.in_bulk({pk for ids in found for pk in ids})
    for restricted_id, other_id in sorted(found):
        # Under the number of the restricted case, so that only cleared people see the finding.
        yield _of_case(
            "restriction_incomplete",
            cases[restricted_id],
            f"The linked case {cases[other_id].number} is not restricted.",
        )
    live = CaseClearance.objects.filter(ended_at__isnull=True).select_related("case")
    for clearance in live.order_by("pk"):
        if clearance.user_id in clearance.case.barred_staff:
            yield _of_row(
                "restriction_incomplete",
                clearance,
                clearance.case,
                "A cleared person has, or may have, an affiliation with a party.",
            )
    roots = restricted_now().filter(root__isnull=True).select_related("case")
    for root in roots.order_by("case_id"):
        if not policies.list_keepers(root.case):
            # Without the number: nobody is cleared for it, and someone has to see the finding.
            yield Found(
                "restriction_incomplete",
                Case._meta.db_table,
                str(root.case_id),
                "Nobody can change the list of people cleared for this restricted case.",
            )


def _of_case(code: str, case: Case, sentence: str) -> Found:
    # The sentence tells several findings of one case apart.
    return Found(code, Case._meta.db_table, str(case.pk), sentence, reference=case.number)


def _of_row(code: str, row: Any, case: Case, sentence: str) -> Found:
    return Found(code, row._meta.db_table, str(row.pk), sentence, reference=case.number)
