"""Statistics of one reviewer over a period: turnaround, late decisions, QA returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from django.db.models import Min

from accounts.models import User
from cases.models import Deadline
from cases.models.restrictions import select_visible
from deadlines.days import local_day
from reviewers.models import Reviewer, ReviewerAssignment

from .models import Determination, QualityReview, Review

DECIDING = ("determination_regular", "determination_formulary", "determination_expedited")
FEWEST = 5  # with fewer reviews, percentages would mostly show chance


@dataclass(frozen=True)
class ReviewerRecord:
    """One reviewer's finished reviews of a period. Percentages are of ``finished``."""

    finished: int
    median_days: float | None  # from accepting the case to first submitting the review
    late: int  # decided after the legal deadline
    returned: int  # returned by QA at least once
    declined: int  # cases declined in the period
    findings: Sequence[QualityReview]  # returns with their comments, latest first

    @property
    def has_shares(self) -> bool:
        """Whether there are enough reviews to show percentages."""
        return self.finished >= FEWEST

    @property
    def returned_percent(self) -> int:
        return round(100 * self.returned / self.finished) if self.finished else 0

    @property
    def late_percent(self) -> int:
        return round(100 * self.late / self.finished) if self.finished else 0


def load_reviewer_record(
    reviewer: Reviewer, *, first: date, last: date, reader: User
) -> ReviewerRecord:
    """Load the statistics of a reviewer for a period, both days included. Six queries."""
    own = select_visible(ReviewerAssignment.objects.filter(reviewer=reviewer), reader)
    finished = list(
        own.filter(
            state=ReviewerAssignment.State.FINISHED,
            ended_at__date__gte=first,
            ended_at__date__lte=last,
        ).select_related("review")
    )
    # By case and round: in another round a different reviewer may have decided the same case.
    rounds = {(one.case_id, one.round): one for one in finished}
    reviews = [one.review for one in finished]
    # Up to the first submission, so that QA returns do not change the turnaround.
    submitted = dict(
        Review.history.filter(
            id__in=[review.pk for review in reviews], state=Review.State.SUBMITTED
        )
        .values_list("id")
        .annotate(first=Min("history_date"))
    )
    days = [
        (local_day(submitted[one.review.pk]) - local_day(one.accepted_at)).days
        for one in finished
        if one.accepted_at and one.review.pk in submitted
    ]
    readings = _list_returns(rounds)
    declined = own.filter(
        state=ReviewerAssignment.State.DECLINED,
        ended_at__date__gte=first,
        ended_at__date__lte=last,
    )
    return ReviewerRecord(
        finished=len(finished),
        median_days=median(days) if days else None,
        late=_count_late(rounds),
        returned=len({(one.determination.case_id, one.determination.round) for one in readings}),
        declined=declined.count(),
        findings=readings,
    )


def _list_returns(rounds: dict[tuple[int, int], ReviewerAssignment]) -> list[QualityReview]:
    """List the QA returns that were addressed to this reviewer's seat, or to all seats."""
    rows = (
        QualityReview.objects.filter(
            result=QualityReview.Result.RETURNED,
            determination__case__in=[case_id for case_id, _ in rounds],
        )
        .select_related("determination__case", "item", "checked_by")
        .order_by("-checked_at", "-pk")
    )
    return [
        row
        for row in rows
        if (assignment := rounds.get((row.determination.case_id, row.determination.round)))
        and row.seat in {None, assignment.seat}
    ]


def _count_late(rounds: dict[tuple[int, int], ReviewerAssignment]) -> int:
    """Count the determinations that were issued after their legal deadline."""
    cases = [case_id for case_id, _ in rounds]
    # Replaced deadlines do not count: a case may have been converted or extended.
    deadlines = Deadline.objects.filter(
        case__in=cases, deadline_kind__in=DECIDING, replaced_at__isnull=True
    )
    due = {(row.case_id, row.round): row.due_on for row in deadlines if row.due_on}
    return sum(
        1
        for row in Determination.objects.filter(case__in=cases)
        if row.decided_on
        and (row.case_id, row.round) in rounds
        # Without a known deadline nothing is counted as late.
        and row.decided_on > due.get((row.case_id, row.round), date.max)
    )
