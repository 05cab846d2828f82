"""A second click on "cite" adds nothing, and what was taken out can be cited again."""

import pytest

from accounts.refusals import NotAllowed
from determinations.services import writing
from tests.records.factories import in_review

from . import factories as make

pytestmark = pytest.mark.django_db


def test_the_same_source_is_cited_once():
    assignment = in_review()
    by = make.reviewer_of(assignment)
    writing.open_review(assignment_id=assignment.pk, by=by, at=make.REVIEWED)
    opinion = assignment.opinions.get()

    def cite(words):
        return writing.cite(
            assignment_id=assignment.pk,
            item_id=opinion.item_id,
            recommendation_id=None,
            as_printed=words,
            by=by,
            at=make.REVIEWED,
        )

    first = cite("A society's guideline, 2024")
    with pytest.raises(NotAllowed, match="cited already"):
        cite(" A society's guideline, 2024 ")
    cite("Another one")
    writing.uncite(assignment_id=assignment.pk, citation_id=first.pk, by=by, at=make.REVIEWED)

    assert cite("A society's guideline, 2024").pk != first.pk
    assert opinion.citations.filter(removed_at=None).count() == 2
