"""Two people with one document at the same moment: one acts, the other reads where it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from accounts.roles import Role
from cases.services import received_documents
from cases.services.received_documents import AlreadyReceived
from files.services import receive_named_upload
from records.services import documents
from records.services.documents import AlreadyMoved
from tests.factories import MONDAY, noticed_case, person
from tests.records.factories import make_record_fields, make_upload

pytestmark = pytest.mark.every_database


def run_at_once(act, refusal):
    """Two coordinators act at once; their answers, the refusal first."""
    people = [person(Role.COORDINATOR) for _ in range(2)]
    start = Barrier(2)

    def run(who):
        start.wait(10)
        try:
            act(who)
        except refusal as refused:
            return f"Refused: {refused}"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, people))


def add(case, file, by):
    return received_documents.add_received_document(
        case_id=case.pk, file=file, kind="LETTER", sender="EMPLOYEE", channel="MAIL",
        received_on=date(2026, 3, 2), by=by, at=MONDAY,
    )  # fmt: skip


def test_two_people_who_add_one_file_at_once_add_it_once(committed_db):
    case = noticed_case()
    file = receive_named_upload(upload=make_upload(), at=MONDAY)

    answers = run_at_once(lambda who: add(case, file, who), AlreadyReceived)

    assert answers[1] == "done"
    assert answers[0].startswith("Refused: This file is already on the case")
    assert case.received_documents.count() == 1


def test_two_coordinators_who_move_one_document_at_once_move_it_once(committed_db):
    case = noticed_case()
    file = receive_named_upload(upload=make_upload(), at=MONDAY)
    received = add(case, file, person(Role.MAILROOM))
    described = make_record_fields()
    del described["received_on"]

    answers = run_at_once(
        lambda who: documents.move_received_document(
            received_id=received.pk, by=who, at=MONDAY, **described
        ),
        AlreadyMoved,
    )

    assert answers[1] == "done"
    assert answers[0].startswith("Refused: This document is already in the records")
    assert case.documents.filter(file=received.file).count() == 1
