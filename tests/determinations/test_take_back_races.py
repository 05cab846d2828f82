"""A reviewer who acts while the coordinator takes the case back is refused, and writes nothing."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from cases.models import Event
from determinations.models import Draft, Opinion, OpinionCitation, Review
from determinations.services import writing
from records.models import Dispatch, ReadMark
from records.services import dispatch, reading
from reviewers.services import assignment as assignments
from tests.factories import person
from tests.races import answers_after
from tests.records.factories import in_review

from .factories import REVIEWED, reviewer_of, save_draft_part

GONE = "This case is no longer assigned to you. The review cannot be changed."
REMOVED = REVIEWED + timedelta(minutes=1)
LATER = REVIEWED + timedelta(hours=1)


def rows_of(assignment):
    """Everything that the acts of a reviewer write, as it stands."""
    return {
        model.__name__: list(model.objects.filter(**{path: assignment}).order_by("pk").values())
        for model, path in (
            (Draft, "assignment"),
            (Review, "assignment"),
            (Opinion, "assignment"),
            (OpinionCitation, "opinion__assignment"),
            (ReadMark, "assignment"),
            (Dispatch, "assignment"),
        )
    }


@pytest.mark.postgres
def test_no_action_of_a_reviewer_succeeds_after_the_case_was_unassigned(committed_db):
    assignment = in_review()
    held = {"assignment_id": assignment.pk, "by": reviewer_of(assignment), "at": LATER}
    writing.open_review(**held | {"at": REVIEWED})
    save_draft_part(assignment, "summary", {"summary": "Typed in time."}, at=REVIEWED)
    item_id = assignment.opinions.first().item_id
    source = {"item_id": item_id, "recommendation_id": None}
    cited = writing.add_citation(**held | {"at": REVIEWED}, **source, as_printed="A study, 2024")
    document = assignment.case.documents.first()
    coordinator = person(Role.COORDINATOR)
    before = rows_of(assignment)
    late = {"part": "summary", "content": {"summary": "Typed too late."}, "revision": 1}

    answers = answers_after(
        lambda: assignments.remove_reviewer(
            assignment_id=assignment.pk, reason="On leave", by=coordinator, at=REMOVED
        ),
        {
            "open": lambda: writing.open_review(**held),
            "save a draft": lambda: writing.save_review_draft(**held, **late),
            "make a version": lambda: writing.save_version(**held, part="summary", why="Left it"),
            "cite": lambda: writing.add_citation(
                **held, **source, as_printed="Another study, 2025"
            ),
            "uncite": lambda: writing.remove_citation(**held, citation_id=cited.pk),
            "submit": lambda: writing.submit_review(**held),
            "mark as read": lambda: reading.mark_document(
                **held, document_id=document.pk, mark=ReadMark.Mark.REVIEWED
            ),
            "open a page": lambda: reading.open_page_image(
                document_id=document.pk, page=1, by=held["by"], at=LATER
            ),
            "send the file again": lambda: dispatch.dispatch_case_file(**held),
        },
    )

    assert {name: str(answer) for name, answer in answers.items()} == {
        "open": GONE,
        "save a draft": GONE,
        "make a version": GONE,
        "cite": GONE,
        "uncite": GONE,
        "submit": GONE,
        "mark as read": "This case is not assigned to you.",
        "open a page": "This case is not assigned to you.",
        "send the file again": f"Case {assignment.case.number} is in the “Ready to assign” stage. "
        "The case file can be sent only while the case is in review.",
    }
    assert rows_of(assignment) == before
    last = assignment.case.events.order_by("-pk").first()
    assert last.kind == Event.Kind.REVIEWER_REMOVED
