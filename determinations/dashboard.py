"""The reviewer's own list of cases, with the work and progress of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Sum

from accounts.models import User
from records.models import Document, ReadMark
from reviewers.panel import ReviewerWork, list_my_work

from .models import Opinion, Review
from .policies import seats_without_review

PAGES_AN_HOUR = 120  # a rough estimate of reading speed, for planning


@dataclass(frozen=True)
class ReviewCard:
    """One case on the reviewer's list."""

    work: ReviewerWork
    pages: int
    unread: int  # documents that the reviewer has not opened
    decided: int  # items with an outcome
    waits_for: Sequence[int]  # seats that have not submitted, once this reviewer has
    is_returned: bool = False  # QA returned the review for changes

    @property
    def reading_hours(self) -> float:
        """The estimated reading time in hours, rounded to half an hour."""
        # Never zero: even an empty file has to be opened and judged.
        return max(0.5, round(2 * self.pages / PAGES_AN_HOUR) / 2)

    @property
    def is_submitted(self) -> bool:
        return bool(self.waits_for)


def list_review_cards(user: User) -> list[ReviewCard]:
    """List the cases offered or assigned to a reviewer, by due date.

    Seven queries, and two more for each submitted case that waits for another reviewer.
    """
    work = list_my_work(user)
    own = [one.assignment.pk for one in work]
    cases = [one.assignment.case_id for one in work]
    pages = _map_by_case(
        Document.objects.in_record()
        .filter(case__in=cases)
        .values_list("case_id")
        .annotate(n=Sum("pages"))
    )
    # Sets are compared in Python, so the number of queries does not grow with the cases.
    documents: dict[int, set[int]] = {}
    on_file = Document.objects.in_record().filter(case__in=cases)
    for case_id, pk in on_file.values_list("case_id", "pk"):
        documents.setdefault(case_id, set()).add(pk)
    opened: dict[int, set[int]] = {}
    marks = ReadMark.objects.filter(assignment__in=own)
    for assignment_id, document_id in marks.values_list("assignment_id", "document_id"):
        opened.setdefault(assignment_id, set()).add(document_id)
    decided: dict[int, int] = {}
    opinions = Opinion.objects.filter(assignment__in=own).exclude(outcome="")
    for assignment_id in opinions.values_list("assignment_id", flat=True):
        decided[assignment_id] = decided.get(assignment_id, 0) + 1
    reviews = Review.objects.filter(assignment__in=own)
    states = dict(reviews.values_list("assignment_id", "state"))
    return [
        ReviewCard(
            work=one,
            pages=pages.get(one.assignment.case_id, 0),
            unread=len(
                documents.get(one.assignment.case_id, set()) - opened.get(one.assignment.pk, set())
            ),
            decided=decided.get(one.assignment.pk, 0),
            # Only for submitted reviews, because it takes two queries each.
            waits_for=seats_without_review(one.assignment.case)
            if states.get(one.assignment.pk) == Review.State.SUBMITTED
            else [],
            is_returned=states.get(one.assignment.pk) == Review.State.RETURNED,
        )
        for one in work
    ]


def _map_by_case(rows: object) -> dict[int, int]:
    return {case_id: number or 0 for case_id, number in rows}  # type: ignore[attr-defined]
