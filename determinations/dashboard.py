"""A reviewer's own list: what each case asks of them, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Sum

from accounts.models import User
from records.models import Document, ReadMark
from reviewers.panel import Work, my_work

from .models import Opinion, Review
from .policies import seats_without_review

PAGES_AN_HOUR = 120  # a careful reader of mixed records; an estimate to plan a day by


@dataclass(frozen=True)
class Card:
    """One case on the list of its reviewer."""

    work: Work
    pages: int
    unread: int  # documents that this reviewer has not opened
    decided: int  # items with an outcome
    waits_for: Sequence[int]  # the other seats, once this reviewer has submitted

    @property
    def reading_hours(self) -> float:
        """An estimate, in hours, to the half."""
        return max(0.5, round(2 * self.pages / PAGES_AN_HOUR) / 2)

    @property
    def is_submitted(self) -> bool:
        return bool(self.waits_for)


def cards(user: User) -> list[Card]:
    """The cases in this person's hands, by what is due first. Seven queries, and two more for each

    case that several reviewers decide and that waits for another of them.
    """
    work = my_work(user)
    own = [one.assignment.pk for one in work]
    cases = [one.assignment.case_id for one in work]
    pages = _numbers(
        Document.objects.filter(case__in=cases).values_list("case_id").annotate(n=Sum("pages"))
    )
    documents: dict[int, set[int]] = {}
    for case_id, pk in Document.objects.filter(case__in=cases).values_list("case_id", "pk"):
        documents.setdefault(case_id, set()).add(pk)
    opened: dict[int, set[int]] = {}
    marks = ReadMark.objects.filter(assignment__in=own)
    for assignment_id, document_id in marks.values_list("assignment_id", "document_id"):
        opened.setdefault(assignment_id, set()).add(document_id)
    decided: dict[int, int] = {}
    opinions = Opinion.objects.filter(assignment__in=own).exclude(outcome="")
    for assignment_id in opinions.values_list("assignment_id", flat=True):
        decided[assignment_id] = decided.get(assignment_id, 0) + 1
    submitted = set(
        Review.objects.filter(assignment__in=own, state=Review.State.SUBMITTED).values_list(
            "assignment_id", flat=True
        )
    )
    return [
        Card(
            work=one,
            pages=pages.get(one.assignment.case_id, 0),
            unread=len(
                documents.get(one.assignment.case_id, set()) - opened.get(one.assignment.pk, set())
            ),
            decided=decided.get(one.assignment.pk, 0),
            waits_for=seats_without_review(one.assignment.case)
            if one.assignment.pk in submitted
            else [],
        )
        for one in work
    ]


def _numbers(rows: object) -> dict[int, int]:
    return {case_id: number or 0 for case_id, number in rows}  # type: ignore[attr-defined]
