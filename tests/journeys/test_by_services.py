"""The main job by services: from an application to a filed letter and a closed case."""

from datetime import timedelta

import pypdfium2
import pytest

from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Event
from determinations.services import sending
from files.services import read_bytes
from tests.determinations.factories import REVIEWED, make_issued_case
from tests.factories import person
from tests.letters.factories import file_all_letters

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    text = " ".join(document[n].get_textpage().get_text_bounded() for n in range(len(document)))
    return " ".join(text.split())


def test_an_application_becomes_an_issued_letter_and_a_closed_case():
    case = make_issued_case()
    (letter,) = file_all_letters(at=REVIEWED + timedelta(hours=3))
    clerk = person(Role.MAILROOM)

    sending.mark_determination_sent(
        case_id=case.pk,
        sent_on=REVIEWED.date(),
        by=clerk,
        at=REVIEWED + timedelta(hours=4),
    )

    case.refresh_from_db()
    assert case.stage == Status.CLOSED
    text = words_of(read_bytes(letter.file))
    assert case.number in text
    assert "Cervical epidural steroid injection at C3-4: Upheld" in text
    assert "The record shows nine days." in text
    assert [event.kind for event in case.events.order_by("pk")] == [
        Event.Kind.RECEIVED,
        Event.Kind.FOUND_ELIGIBLE,
        Event.Kind.CHANGED,
        Event.Kind.NOTICES_MADE,
        Event.Kind.NOTICES_SENT,
        Event.Kind.RECORD_ADDED,
        Event.Kind.RECORD_ADDED,
        Event.Kind.RECORDS_COMPLETE,
        Event.Kind.REVIEWER_OFFERED,
        Event.Kind.REVIEWER_ATTESTED,
        Event.Kind.RECORDS_DISPATCHED,
        Event.Kind.SUBMITTED,
        Event.Kind.QA_APPROVED,
        Event.Kind.ISSUED,
        Event.Kind.LETTER_SENT,
    ]
