"""Start next case and held cases."""

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


@pytest.mark.capability("CK-5")
def test_work_next_skips_a_held_case_until_its_hold_ends():
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

    assert claims.preview_next_case(user=coordinator, at=MONDAY + timedelta(days=3)) is None
    assert claims.preview_next_case(user=coordinator, at=MONDAY + timedelta(days=4)) == case
    assert claims.preview_next_case(user=coordinator, at=MONDAY + timedelta(days=5)) == case
