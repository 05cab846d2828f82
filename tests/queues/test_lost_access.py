"""Whoever loses the right to a case that they have is told once, and so is a manager."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from accounts.services import revoke_role
from cases.services import restrictions
from notices.models import Notice
from queues.services import claims
from queues.services.lost_access import release_lost_claims
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Lin")


def told():
    rows = Notice.objects.order_by("pk").select_related("addressee")
    return [(row.addressee.name, row.kind, row.reference) for row in rows]


@pytest.mark.capability("RP-5")
def test_a_person_without_clearance_and_a_manager_are_told_once(ada):
    case, other = received_case(), received_case()
    director = person(Role.DIRECTOR, name="Ingrid Director")
    person(Role.SUPERVISOR, name="Not Cleared")
    for one in (case, other):
        claims.claim_case(case_id=one.pk, by=ada, at=MONDAY)
    assert release_lost_claims(at=MONDAY) == 0
    restrictions.restrict_case(
        case_id=case.pk, ground="PUBLIC", reason="A known person.", by=director, at=MONDAY
    )

    assert [release_lost_claims(at=MONDAY + HOUR) for _ in range(2)] == [1, 0]

    assert told() == [
        ("Ada Lin", "ACCESS_LOST", case.number),
        ("Ingrid Director", "HOLDER_LOST", case.number),
    ]
    assert Notice.objects.get(addressee=ada).path == ""
    mine = claims.list_own_claims(user=ada, at=MONDAY + HOUR)
    assert [claim.case for claim in mine] == [other]


@pytest.mark.capability("RP-5")
def test_a_conflict_of_interest_and_a_lost_role_release_the_case(ada):
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY)
    case.refresh_from_db()
    case.barred_staff = [ada.pk]
    case.store(by=None, at=MONDAY, fields=["barred_staff"])

    assert release_lost_claims(at=MONDAY) == 1
    assert told() == [("Ada Lin", "ACCESS_LOST", case.number)]

    ben, second = person(Role.COORDINATOR, name="Ben Roy"), received_case()
    claims.claim_case(case_id=second.pk, by=ben, at=MONDAY)
    revoke_role(user_id=ben.pk, role=Role.COORDINATOR, by=None, at=MONDAY)
    assert release_lost_claims(at=MONDAY) == 1
