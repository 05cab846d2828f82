"""A review cannot be submitted while its text contains the name of the reviewer."""

import pytest

from determinations.services import writing
from reviewers.models import Reviewer
from tests.records.factories import in_review

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def assignment():
    return in_review()


def parts_named(assignment):
    return [one.part for one in writing.find_unfinished(assignment) if one.code == "own-name"]


@pytest.mark.parametrize(
    "shape", ["{first} {last}, M.D.", "{last}, {first}", "DR. {first}  {last}"]
)
def test_the_name_in_a_rationale_stops_the_submission(assignment, shape):
    reviewer = Reviewer.objects.get(assignments=assignment)
    name = shape.format(first=reviewer.first_name, last=reviewer.last_name)
    make.write_review(assignment, rationale=f"Not necessary. Signed {name}")

    assert parts_named(assignment) == [f"item-{assignment.opinions.get().item_id}"]
    with pytest.raises(writing.ReviewUnfinished, match="own name"):
        writing.submit_review(
            assignment_id=assignment.pk, by=make.reviewer_of(assignment), at=make.REVIEWED
        )


def test_the_name_in_the_summary_or_a_source_stops_the_submission(assignment):
    reviewer = Reviewer.objects.get(assignments=assignment)
    make.write_review(
        assignment, summary=f"Read by {reviewer.full_name}.", source=reviewer.full_name
    )

    item = assignment.opinions.get().item_id
    assert parts_named(assignment) == ["summary", f"item-{item}"]


def test_a_surname_alone_does_not_stop_the_submission(assignment):
    reviewer = Reviewer.objects.get(assignments=assignment)
    make.write_review(assignment, rationale=f"Doctor {reviewer.last_name} wrote the report.")

    assert parts_named(assignment) == []
