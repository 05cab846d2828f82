"""One administrator stays when two remove each other's role at the same time."""

import threading

import pytest
from django.db import connection

from accounts import services
from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from tests.factories import MONDAY, person

pytestmark = pytest.mark.every_database


def take_the_role(me, other):
    services.revoke_role(user_id=other.pk, role=Role.ADMINISTRATOR, by=me, at=MONDAY)


def withdraw_the_sign_in(me, other):
    services.set_active(user_id=other.pk, active=False, by=me, at=MONDAY)


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("act", [take_the_role, withdraw_the_sign_in])
def test_one_administrator_stays_when_two_remove_each_other(act):
    pair = [person(Role.ADMINISTRATOR), person(Role.ADMINISTRATOR)]
    together = threading.Barrier(2)

    failures = []

    def take_away(me, other):
        together.wait()
        try:
            act(me, other)
        except NotAllowed:
            pass
        except Exception as error:  # noqa: BLE001 - a deadlock is what this looks for
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take_away, args=two) for two in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert User.objects.filter(groups__name="ADMINISTRATOR", is_active=True).count() == 1
