"""Two directors, one case, on committed rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from accounts.refusals import Refused
from accounts.roles import Role
from cases.models import Event
from determinations.models import Determination
from determinations.services import issuing
from letters.models import Letter
from tests.factories import person

from .factories import REVIEWED, make_approved_case

pytestmark = pytest.mark.every_database

ISSUED = REVIEWED + timedelta(hours=2)


def test_two_directors_at_once_make_one_letter(committed_db):
    case = make_approved_case()
    directors = [person(Role.DIRECTOR) for _ in range(2)]
    issuing.preview_determination(case_id=case.pk, by=directors[0], at=ISSUED)
    together = Barrier(2)

    def run(by):
        try:
            together.wait(timeout=30)
            return issuing.issue_determination(
                case_id=case.pk, seen_version=case.version, by=by, at=ISSUED
            )
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run, directors))

    assert sum(isinstance(one, Determination) for one in answers) == 1
    assert sum(isinstance(one, Refused) for one in answers) == 1
    assert Letter.objects.filter(reference=case.number, kind="determination").count() == 1
    assert case.events.filter(kind=Event.Kind.ISSUED).count() == 1
