"""Two coordinators who run the same action on the same cases at once: each case once."""

from datetime import timedelta
from functools import partial
from unittest import mock

import pytest

from accounts.roles import Role
from cases.models import Event
from cases.services import endings
from letters import typesetting
from letters.kinds import LetterKind
from queues.models import WorkClaim
from queues.services import bulk
from tests.factories import MONDAY, noticed_case, person, received_case
from tests.letters.factories import stand_in
from tests.races import answers_after

pytestmark = pytest.mark.postgres

LATE = MONDAY + timedelta(days=30)


def run(action, case, by, **typed):
    (result,) = bulk.run_bulk_action(action=action, row_ids=[case.pk], typed=typed, by=by, at=LATE)
    return result.refusal


def test_a_case_is_closed_reminded_and_assigned_once(committed_db):
    ada, ben = person(Role.COORDINATOR), person(Role.COORDINATOR)
    clerk = person(Role.COORDINATOR)
    ended, owing, free = received_case(), noticed_case(), received_case()
    endings.withdraw_case(case_id=ended.pk, reason="Asked.", by=ada, at=MONDAY)

    for action, case, refusal, typed in (
        ("close", ended, "is in the “Closed” stage", {"reason": "Withdrawn."}),
        ("assign", free, "has had this since", {"person_id": clerk.pk}),
        ("remind", owing, "A reminder letter was approved today already.", {}),
    ):
        with mock.patch.object(typesetting, "typeset_words", stand_in):
            answers = answers_after(
                partial(run, action, case, ada, **typed),
                {"ben": partial(run, action, case, ben, **typed)},
            )
        assert refusal in answers["ben"]

    assert Event.objects.get(kind="CLOSED").by == ada
    assert WorkClaim.objects.get(case=free).assigned_by == ada
    assert owing.case_letters.filter(kind=LetterKind.RECORDS_REMINDER).count() == 1
    assert Event.objects.filter(kind="REMINDED").count() == 1
