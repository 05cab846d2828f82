"""Letters of a case: drafted by an act, looked at, approved or put away by a person, sent."""

from datetime import date, timedelta

import pypdfium2
import pytest

from accounts.roles import Role
from cases import composition
from cases.models import CaseLetter, Event
from cases.services import correspondence, screening
from files.services import read_bytes
from letters.models import Delivery, Letter
from tests.factories import (
    MONDAY,
    person,
    received_case,
)
from tests.letters.factories import file_all_letters, publish_sample_wording

pytestmark = pytest.mark.django_db

Kind = CaseLetter.Kind
LATER = MONDAY + timedelta(hours=2)
TODAY = date(2026, 3, 2)
YES = dict.fromkeys(("SIGNED", "TIMELY", "UR_ATTACHED", "NECESSITY", "NOT_DECIDED"), "YES") | {
    "LIABILITY_CLEAR": "YES"
}


@pytest.fixture(scope="module")
def coordinator(module_db):
    publish_sample_wording()
    return person(Role.COORDINATOR)


def decided(coordinator, *, case=None, **answers):
    case = case or received_case()
    screening.decide_eligibility(
        case_id=case.pk,
        answers=YES | answers,
        notes={},
        seen_version=None,
        by=coordinator,
        at=MONDAY,
    )
    case.refresh_from_db()
    return case


def draft_of(case, kind):
    return case.case_letters.get(kind=kind, state=CaseLetter.State.DRAFT)


def lacks(draft, at=LATER):
    return [one.sentence for one in composition.missing(draft, at=at)]


def approve(draft, by, at=LATER):
    correspondence.preview_letter(letter_id=draft.pk, by=by, at=at)
    return correspondence.approve_letter(letter_id=draft.pk, seen_version=None, by=by, at=at)


def printed(file):
    """The text of a PDF as a reader would copy it."""
    pages = pypdfium2.PdfDocument(read_bytes(file))
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def rendered(draft, by, at=LATER):
    """What the preview of a draft says on its pages."""
    made = correspondence.preview_letter(letter_id=draft.pk, by=by, at=at)
    return printed(made.file)


# --- Each kind, end to end ------------------------------------------------------------------------


def test_l1_an_application_is_acknowledged_from_draft_to_sent(coordinator):
    case = received_case()
    draft = draft_of(case, Kind.ACKNOWLEDGEMENT)
    assert (draft.drafted_by, draft.because) == (
        None,
        "Application received 03/02/2026 with 1 disputed item.",
    )
    assert lacks(draft) == []

    shown = rendered(draft, coordinator)
    assert "We Have Received Your Application" in shown
    assert case.number in shown
    assert "Marisol Quintanar" in shown
    assert "Cervical epidural steroid injection at C3-4" in shown
    assert "This letter also goes to: Employee’s attorney." in shown
    assert not Letter.objects.filter(reference=case.number).exists()

    approved = approve(draft, coordinator)
    copies = list(approved.copies.select_related("party", "letter", "delivery").order_by("pk"))
    assert [copy.party.role for copy in copies] == ["EMPLOYEE", "EMPLOYEE_ATTORNEY"]
    assert {copy.letter.state for copy in copies} == {"QUEUED"}
    file_all_letters(at=LATER)
    first = Letter.objects.get(pk=copies[0].letter_id)
    assert printed(first.file) == shown  # LT-3: the preview is the same render

    sent = correspondence.mark_letter_sent(
        letter_id=draft.pk, sent_on=TODAY, by=coordinator, at=LATER
    )
    assert (sent.state, sent.sent_on) == ("SENT", TODAY)
    assert {copy.state for copy in Delivery.objects.filter(letter__reference=case.number)} == {
        "SENT"
    }
    said = list(case.events.filter(kind=Event.Kind.CASE_LETTER).order_by("pk"))
    assert [event.sentence for event in said] == [
        "Acknowledgement of the application approved for 2 recipients.",
        "Acknowledgement of the application sent 03/02/2026.",
    ]
