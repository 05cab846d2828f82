"""Settling a possible conflict stands on the timeline, without the reviewer or the note."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from reviewers.models import ConflictResult
from reviewers.services import conflicts
from tests.factories import MONDAY, parties, person

from .factories import fit_reviewer, ready_case

pytestmark = pytest.mark.django_db

AT = MONDAY + timedelta(hours=5)


def test_the_timeline_says_that_it_was_settled_and_not_about_whom():
    reviewer = fit_reviewer(first_name="Ruth", last_name="Castellanos")
    case = ready_case(parties=parties(EMPLOYEE_ATTORNEY="Ruth Castellanos"))
    found = conflicts.test_conflicts(case_id=case.pk, reviewer_id=reviewer.pk, by=None, at=AT)
    doubt = next(one for one in found if one.result == ConflictResult.Result.UNKNOWN)
    coordinator = person(Role.COORDINATOR)

    conflicts.settle(
        result_id=doubt.pk, result="PASS", note="Another Ruth, born 1990", by=coordinator, at=AT
    )

    event = case.events.latest("pk")
    assert (event.by, event.happened_at) == (coordinator, AT)
    assert event.sentence == "A possible conflict of a reviewer was settled: there is none."
    for secret in ("Ruth", "1990", reviewer.code):
        assert secret not in f"{event.sentence} {event.why} {event.facts}"
