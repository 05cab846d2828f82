"""Deadlines on a case, as capabilities: derived from what is on file, whatever a scheduler did."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from cases.models import Case
from cases.services import holds
from deadlines.days import local_day
from queues.services import claims
from tests.factories import MONDAY, person
from tests.records.factories import case_with_records

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)


def test_ck5_work_next_gives_a_held_case_only_when_its_hold_has_reached_its_end():
    coordinator = person(Role.COORDINATOR)
    case = Case.objects.get(pk=case_with_records().pk)
    planned = TODAY + timedelta(days=4)
    holds.begin_hold(
        case_id=case.pk,
        reason="NO_REVIEWER",
        starts_on=TODAY,
        planned_end=planned,
        by=coordinator,
        at=MONDAY + timedelta(hours=7),
    )

    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=3)) is None
    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=4)) == case
    assert claims.next_case(user=coordinator, at=MONDAY + timedelta(days=5)) == case
