"""Two coordinators who act at the same second."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case
from eligibility.services import screening
from tests.eligibility.test_decisions import LATER, two_duplicates_of_a_closed_lead
from tests.factories import person

pytestmark = pytest.mark.every_database


def test_two_duplicates_of_a_closed_lead_reviewed_at_once_give_one_case_and_one_refusal(
    committed_db,
):
    coordinator = person(Role.COORDINATOR)
    cases = two_duplicates_of_a_closed_lead(coordinator)
    together = Barrier(2)

    def screen(case):
        try:
            together.wait(10)
            screening.screen_case_again(
                case_id=case.pk, reason="Lead closed.", by=coordinator, at=LATER
            )
        except NotAllowed as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(screen, cases))

    assert said[0] == ""
    assert "is open for the same UR decision" in said[1]
    assert Case.objects.filter(status=Status.SCREENING).count() == 1
