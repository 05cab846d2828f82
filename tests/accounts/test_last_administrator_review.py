"""Two administrators who take each other's role away at once: one stays."""

import threading
from contextlib import suppress

import pytest
from django.db import connection

from accounts import services
from accounts.models import User
from accounts.roles import Role
from tests.factories import MONDAY, person


@pytest.mark.usefixtures("committed_db")
def test_one_administrator_is_left():
    pair = [person(Role.ADMINISTRATOR), person(Role.ADMINISTRATOR)]
    together = threading.Barrier(2)

    def take_away(other):
        together.wait()
        with suppress(services.Refused):
            services.revoke_role(user_id=other.pk, role=Role.ADMINISTRATOR, by=None, at=MONDAY)
        connection.close()

    threads = [threading.Thread(target=take_away, args=[one]) for one in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert User.objects.filter(groups__name=Role.ADMINISTRATOR.value).count() == 1
