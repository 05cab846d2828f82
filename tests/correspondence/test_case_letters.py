"""Letters of a case: drafted by an action, reviewed, approved or discarded by a person, sent."""

from dataclasses import replace
from datetime import date, timedelta
from unittest import mock
from uuid import uuid4

import pypdfium2
import pytest
from django.urls import reverse

import letters.services
from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.models import CaseLetter, Event, Priority
from cases.services import drafting, endings, priority
from correspondence import composition
from correspondence.kinds import SPECS
from correspondence.services import case_letters
from eligibility import rules
from eligibility.services import information, screening
from files.services import read_bytes
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from letters import typesetting
from letters.kinds import CASE_LETTERS, LetterKind
from letters.models import Letter, Service, WordingSet
from tests.factories import MONDAY, eligible_case, noticed_case, parties, person, received_case
from tests.letters.factories import file_all_letters, publish_sample_wording, stand_in

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=2)
TODAY = date(2026, 3, 2)
YES = dict.fromkeys(("SIGNED", "TIMELY", "UR_ATTACHED", "NECESSITY", "NOT_DECIDED"), "YES") | {
    "LIABILITY_CLEAR": "YES"
}


@pytest.fixture(scope="module")
def coordinator(module_db):
    publish_sample_wording()
    return person(Role.COORDINATOR)


@pytest.fixture
def typeset_at_no_cost():
    """For tests about something else than the pages."""
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        yield


def make_decided_case(coordinator, *, case=None, **answers):
    case = case or received_case()
    screening.decide_eligibility(
        case_id=case.pk,
        answers=YES | answers,
        notes=dict.fromkeys(answers, "The paper shows it."),
        seen_version=None,
        by=coordinator,
        at=MONDAY,
    )
    case.refresh_from_db()
    return case


def draft_of(case, kind):
    return case.case_letters.get(kind=kind, state=CaseLetter.State.DRAFT)


def list_missing_parts(draft, at=LATER):
    return [one.sentence for one in composition.find_missing_parts(draft, at=at)]


def approve_letter(draft, by, at=LATER):
    case_letters.preview_letter(letter_id=draft.pk, by=by, at=at)
    return case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=by, at=at)


def read_pdf_text(file):
    """The text of a PDF as a reader would copy it."""
    pages = pypdfium2.PdfDocument(read_bytes(file))
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


def read_preview_text(draft, by, at=LATER):
    """What the preview of a draft says on its pages."""
    made = case_letters.preview_letter(letter_id=draft.pk, by=by, at=at)
    return read_pdf_text(made.file)


# --- Each kind, end to end ------------------------------------------------------------------------


@pytest.mark.capability("L1", "LT-3")
def test_an_acknowledgment_of_an_application_goes_from_draft_to_sent(coordinator):
    case = received_case()
    draft = draft_of(case, LetterKind.ACKNOWLEDGMENT)
    assert (draft.drafted_by, draft.reason) == (
        None,
        "Application received Mon, Mar 2, 2026 with 1 disputed item.",
    )
    assert list_missing_parts(draft) == []

    shown = read_preview_text(draft, coordinator)
    assert "We Have Received Your Application" in shown
    assert case.number in shown
    assert "Marisol Quintanar" in shown
    assert "Cervical epidural steroid injection at C3-4" in shown
    assert "cc: Injured worker’s attorney" in shown
    assert not Letter.objects.filter(reference=case.number).exists()

    approved = approve_letter(draft, coordinator)
    copies = list(approved.copies.select_related("party", "letter", "service").order_by("pk"))
    assert [copy.party.role for copy in copies] == ["EMPLOYEE", "EMPLOYEE_ATTORNEY"]
    assert {copy.letter.state for copy in copies} == {"QUEUED"}
    file_all_letters(at=LATER)
    first = Letter.objects.get(pk=copies[0].letter_id)
    assert read_pdf_text(first.file) == shown  # the preview is the same render

    sent = case_letters.mark_letter_sent(
        letter_id=draft.pk, sent_on=TODAY, by=coordinator, at=LATER
    )
    assert (sent.state, sent.sent_on) == ("SENT", TODAY)
    assert {copy.state for copy in Service.objects.filter(letter__reference=case.number)} == {
        "SERVED"
    }
    stored_events = list(case.events.filter(kind=Event.Kind.CASE_LETTER).order_by("pk"))
    assert [event.sentence for event in stored_events] == [
        "Acknowledgment of the application approved for 2 recipients.",
        "Acknowledgment of the application sent Mon, Mar 2, 2026.",
    ]


@pytest.mark.capability("L3")
def test_a_request_for_information_lists_the_open_questions_on_file(coordinator):
    case = received_case()
    information.ask_information(
        case_id=case.pk,
        party_id=case.parties.get(role="CLAIMS_ADMINISTRATOR").pk,
        facts=["TIMELY"],
        question="On which day was the decision served?",
        received_on=TODAY,
        by=coordinator,
        at=MONDAY,
    )

    shown = read_preview_text(draft_of(case, LetterKind.INFORMATION_REQUEST), coordinator)

    assert "Claims administrator: On which day was the decision served?" in shown
    assert "within five business days after you receive this letter" in shown


@pytest.mark.capability("L3")
def test_a_request_without_open_questions_asks_for_what_screening_left_unknown(coordinator):
    case = make_decided_case(coordinator, TIMELY="UNKNOWN")
    draft = drafting.draft_letter(
        case_id=case.pk, kind=LetterKind.INFORMATION_REQUEST, by=coordinator, at=LATER
    )

    made = composition.compose_letter(
        draft, composition.list_chosen_recipients(draft, at=LATER)[0], at=LATER
    )

    (asked,) = [one for one in made.facts if one.name == "asked"]
    assert asked.value == [
        "The date on which the utilization review decision was sent, and how it was sent."
    ]
    assert asked.source == "Eligibility decision 1"


@pytest.mark.capability("L4")
def test_an_ineligibility_letter_gives_the_stored_reasons(coordinator):
    case = make_decided_case(coordinator, SIGNED="NO")
    stored = case.eligibility_decisions.get().refusals()
    draft = draft_of(case, LetterKind.INELIGIBILITY)
    assert list_missing_parts(draft) == []

    shown = read_preview_text(draft, coordinator)

    assert stored
    for finding in stored:
        assert finding.letter_sentence in shown
    assert "was found ineligible on 03/02/2026" in shown
    # The form, the place, and the way to count, but no day: that depends on the recipient.
    for words in (
        "“Petition Appealing Administrative Director’s Independent Medical Review Determination”",
        "Workers’ Compensation Appeals Board",
        "within 30 days after the date this notice was served on you, plus 5 days",
    ):
        assert words in shown
    made = composition.compose_letter(
        draft, composition.list_chosen_recipients(draft, at=LATER)[0], at=LATER
    )
    assert all(one.source for one in made.facts)


@pytest.mark.capability("L5")
def test_a_deferral_letter_says_that_the_application_is_on_hold_and_why(coordinator):
    form = URDecisionOnForm(
        decided_on=date(2026, 2, 12),
        served_on=date(2026, 2, 12),
        service_method="mail_ca",
        liability_disputed=True,
        liability_reason="The injury did not arise at work.",
    )
    case = make_decided_case(
        coordinator, case=received_case(ur_decision=form), LIABILITY_CLEAR="NO"
    )

    shown = read_preview_text(draft_of(case, LetterKind.DEFERRAL), coordinator)

    assert "It is on hold until the liability dispute is resolved." in shown
    assert "The injury did not arise at work." in shown


@pytest.mark.capability("L7")
def test_a_conversion_letter_cannot_be_sent_without_a_recorded_conversion(coordinator):
    draft = drafting.draft_letter(
        case_id=eligible_case().pk, kind=LetterKind.EXPEDITED, by=coordinator, at=LATER
    )

    assert any("Conversion to expedited review" in one for one in list_missing_parts(draft))
    with pytest.raises(NotAllowed, match="is not on record"):
        case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=coordinator, at=LATER)


@pytest.mark.capability("L7")
def test_a_conversion_letter_goes_to_every_party(coordinator):
    case = eligible_case()
    priority.change_priority(
        case_id=case.pk,
        new=Priority.EXPEDITED,
        why="The physician called.",
        certified_by="Dana Oyelaran, M.D.",
        certified_on=TODAY,
        support="Progressive weakness of the arm",
        by=coordinator,
        at=LATER,
    )
    draft = draft_of(case, LetterKind.EXPEDITED)
    assert draft.caused_by == case.events.get(kind=Event.Kind.CONVERTED)

    shown = read_preview_text(draft, coordinator)

    assert "Certified by Dana Oyelaran, M.D." in shown
    assert "was changed to an expedited review on 03/02/2026" in shown
    assert [one.role for one in composition.list_chosen_recipients(draft, at=LATER)] == [
        "CLAIMS_ADMINISTRATOR",
        "EMPLOYEE",
        "EMPLOYEE_ATTORNEY",
        "REQUESTING_PHYSICIAN",
    ]


@pytest.mark.capability("L8")
def test_a_records_reminder_names_the_due_date_and_the_missing_records(coordinator):
    case = noticed_case()
    due = case.deadlines.get(deadline_kind="records").due_on
    overdue = MONDAY + timedelta(days=16)
    draft = drafting.draft_letter(
        case_id=case.pk,
        kind=LetterKind.RECORDS_REMINDER,
        points=["Reports of Dr. Oyelaran since August 2025"],
        by=coordinator,
        at=LATER,
    )

    on_the_day = MONDAY + timedelta(days=15)
    assert any("records_owed" in one for one in list_missing_parts(draft, at=on_the_day))
    shown = read_preview_text(draft, coordinator, at=overdue)

    assert f"The records were due on {due:%m/%d/%Y}." in shown
    assert "Reports of Dr. Oyelaran since August 2025" in shown
    assert [one.role for one in composition.list_chosen_recipients(draft, at=LATER)] == [
        "CLAIMS_ADMINISTRATOR"
    ]


@pytest.mark.capability("L8")
def test_nothing_is_overdue_before_a_notice_is_sent(coordinator):
    draft = drafting.draft_letter(
        case_id=eligible_case().pk, kind=LetterKind.RECORDS_REMINDER, by=coordinator, at=LATER
    )

    assert any("records_owed" in one for one in list_missing_parts(draft))


@pytest.mark.capability("L9")
def test_a_request_for_more_information_goes_to_all_parties_and_names_no_reviewer(coordinator):
    draft = drafting.draft_letter(
        case_id=noticed_case().pk,
        kind=LetterKind.MORE_INFORMATION,
        points=["The report of the MRI of January 2026."],
        by=coordinator,
        at=LATER,
    )

    shown = read_preview_text(draft, coordinator)

    assert "The report of the MRI of January 2026." in shown
    assert "reviewer" not in shown.lower()


@pytest.mark.capability("L10")
def test_a_withdrawal_letter_goes_to_all_parties(coordinator):
    case = received_case()
    endings.withdraw_case(case_id=case.pk, reason="By letter.", by=coordinator, at=MONDAY)

    shown = read_preview_text(draft_of(case, LetterKind.CLOSURE), coordinator)

    assert "was withdrawn on 03/02/2026" in shown
    assert "Cervical epidural steroid injection at C3-4" in shown


@pytest.mark.capability("L10")
def test_an_authorized_item_ends_and_the_other_items_continue(coordinator):
    case = eligible_case(items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    brace = case.items.get(title="Brace")
    endings.terminate_items(
        case_id=case.pk, item_ids=[brace.pk], reason="By letter.", by=coordinator, at=LATER
    )
    draft = draft_of(case, LetterKind.CLOSURE)

    made = composition.compose_letter(
        draft, composition.list_chosen_recipients(draft, at=LATER)[0], at=LATER
    )

    words = made.document
    assert words.heading == "Part of the Independent Medical Review Has Ended"
    assert "The review of the remaining disputed items continues." in " ".join(words.opening)
    assert "has authorized part of the disputed treatment" in " ".join(words.opening)
    assert words.sections[0].points == ("Brace",)


@pytest.mark.capability("L10")
def test_a_partial_closure_says_how_each_item_ended_if_that_differs(coordinator):
    case = eligible_case(items=[ItemOnForm("Brace"), ItemOnForm("Norco"), ItemOnForm("MRI")])
    for title, ending in (("Brace", "WITHDRAWN"), ("Norco", "AUTHORIZED")):
        item = case.items.get(title=title)
        endings.end_item(item=item, ending=ending, reason="By letter.", by=coordinator, at=LATER)
        draft = drafting.draft_letter(
            case_id=case.pk, kind=LetterKind.CLOSURE, by=coordinator, at=LATER
        )
        recipient = composition.list_chosen_recipients(draft, at=LATER)[0]
        words = composition.compose_letter(draft, recipient, at=LATER).document
        if title == "Brace":
            assert "was withdrawn on 03/02/2026" in " ".join(words.opening)
            assert words.sections[0].points == ("Brace",)

    assert "has been authorized or withdrawn" in " ".join(words.opening)
    assert words.sections[0].points == (
        "Brace (withdrawn)",
        "Norco (authorized by the claims administrator)",
    )


@pytest.mark.capability("L3")
def test_a_request_asks_once_for_what_is_unknown_of_the_whole_application(coordinator):
    case = make_decided_case(coordinator, NECESSITY="UNKNOWN")
    draft = drafting.draft_letter(
        case_id=case.pk, kind=LetterKind.INFORMATION_REQUEST, by=coordinator, at=LATER
    )

    recipient = composition.list_chosen_recipients(draft, at=LATER)[0]
    words = composition.compose_letter(draft, recipient, at=LATER).document

    (asked,) = [one for one in words.sections if one.points]
    assert asked.points == (rules.REQUESTED["NECESSITY"],)


# --- A person decides -----------------------------------------------------------------------------


def test_the_text_must_have_been_shown_before_it_is_approved(coordinator, typeset_at_no_cost):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)

    with pytest.raises(letters.services.LetterRefused, match="not been shown in the preview"):
        case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=coordinator, at=LATER)

    assert not Letter.objects.filter(reference=draft.case.number).exists()


def test_typed_text_is_printed_as_typed_and_never_runs_as_code(coordinator):
    hostile = "{employee} {{ x }} #read(\"/etc/passwd\") {% include 'secret' %} <script>"
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)
    case_letters.change_letter_draft(
        letter_id=draft.pk,
        particulars=f"First line.\n\n{hostile}",
        left_out=[],
        seen_version=None,
        by=coordinator,
        at=LATER,
    )
    draft.refresh_from_db()

    shown = read_preview_text(draft, coordinator)

    assert "Additional information First line." in shown
    assert hostile in shown


def test_a_letter_goes_to_the_chosen_recipients_by_the_channel_of_each(
    coordinator, typeset_at_no_cost
):
    wired = [
        replace(one, preferred_channel="FAX", fax="916-555-0100")
        if one.role == "EMPLOYEE_ATTORNEY"
        else one
        for one in parties()
    ]
    case = make_decided_case(coordinator, case=received_case(parties=wired), SIGNED="NO")
    draft = draft_of(case, LetterKind.INELIGIBILITY)
    case_letters.change_letter_draft(
        letter_id=draft.pk,
        particulars="",
        left_out=[case.parties.get(role="REQUESTING_PHYSICIAN").pk],
        seen_version=draft.version,
        by=coordinator,
        at=LATER,
    )
    draft.refresh_from_db()

    approved = approve_letter(draft, coordinator)

    found = {
        copy.party.role: (copy.service.method, copy.service.address)
        for copy in approved.copies.select_related("party", "service")
    }
    mail = ("MAIL", "PO Box 40122\nSacramento CA 95841")
    assert found == {
        "CLAIMS_ADMINISTRATOR": mail,
        "EMPLOYEE": mail,
        "EMPLOYEE_ATTORNEY": ("FAX", "916-555-0100"),
    }


def test_approving_twice_makes_one_letter_for_each_recipient(coordinator, typeset_at_no_cost):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)
    approve_letter(draft, coordinator)

    with pytest.raises(NotAllowed, match="no longer a draft: it is approved"):
        approve_letter(draft, coordinator)

    assert Letter.objects.filter(reference=draft.case.number).count() == 2


def test_a_stale_page_approves_nothing(coordinator, typeset_at_no_cost):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)
    seen = draft.version
    case_letters.change_letter_draft(
        letter_id=draft.pk,
        particulars="More.",
        left_out=[],
        seen_version=seen,
        by=person(Role.SUPERVISOR),
        at=LATER,
    )

    with pytest.raises(Stale):
        case_letters.approve_letter(letter_id=draft.pk, seen_version=seen, by=coordinator, at=LATER)


def test_a_discarded_draft_keeps_its_reason_and_cannot_go(coordinator):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)

    with pytest.raises(NotAllowed, match="Choose the reason"):
        case_letters.discard_letter_draft(
            letter_id=draft.pk, reason="Whim", by=coordinator, at=LATER
        )
    put_away = case_letters.discard_letter_draft(
        letter_id=draft.pk, reason="OTHER_WAY", by=coordinator, at=LATER
    )

    assert (put_away.state, put_away.discarded_by) == ("DISCARDED", coordinator)
    event = draft.case.events.latest("pk")
    assert event.why == "The parties were informed in another way"
    with pytest.raises(NotAllowed, match="it is discarded"):
        case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=coordinator, at=LATER)
    again = drafting.draft_letter(
        case_id=draft.case_id, kind=LetterKind.ACKNOWLEDGMENT, by=coordinator, at=LATER
    )
    assert (again.number, again.state) == (2, "DRAFT")


def test_a_waiting_draft_is_updated_and_not_duplicated(coordinator):
    case = noticed_case()
    made = [
        drafting.draft_letter(
            case_id=case.pk,
            kind=LetterKind.MORE_INFORMATION,
            points=[one],
            by=coordinator,
            at=LATER,
        )
        for one in ("First.", "Second.")
    ]

    assert made[0].pk == made[1].pk
    assert draft_of(case, LetterKind.MORE_INFORMATION).points == ["Second."]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR, Role.SUPERVISOR}))
def test_other_roles_cannot_decide_on_drafts(coordinator, role):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)
    by = person(role)

    with pytest.raises(NotAllowed, match="coordinator or a supervisor"):
        case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=by, at=LATER)
    with pytest.raises(NotAllowed, match="coordinator or a supervisor"):
        drafting.draft_letter(case_id=draft.case_id, kind=LetterKind.CLOSURE, by=by, at=LATER)


# --- What is missing, and what fails --------------------------------------------------------------


def test_a_missing_address_is_named_by_its_channel_and_stops_no_action(coordinator):
    bare = [
        replace(one, address="", preferred_channel="FAX" if one.role == "EMPLOYEE" else "MAIL")
        for one in parties()
    ]
    draft = draft_of(received_case(parties=bare), LetterKind.ACKNOWLEDGMENT)

    found = composition.find_missing_parts(draft, at=LATER)

    assert [one.sentence for one in found] == [
        "Injured worker Marisol Quintanar has no fax number on file.",
        "Injured worker’s attorney Ruth Castellanos has no postal address on file.",
    ]
    assert {one.url for one in found} == {f"/cases/{draft.case.number}/parties/"}


def test_without_published_wording_the_action_works_and_the_draft_reports_it(coordinator):
    held = WordingSet.objects.get(kind=LetterKind.ACKNOWLEDGMENT)
    held.state, held.retired_at = "RETIRED", MONDAY
    held.store(by=None, at=MONDAY, fields=["state", "retired_at"])

    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)

    assert list_missing_parts(draft) == ["No wording is published for the layout case-letter."]


def test_a_copy_that_is_not_rendered_is_not_marked_as_sent(coordinator, typeset_at_no_cost):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)
    approve_letter(draft, coordinator)  # no one has told a broker: the letters wait in their rows

    with pytest.raises(NotAllowed, match="not ready yet"):
        case_letters.mark_letter_sent(letter_id=draft.pk, sent_on=TODAY, by=coordinator, at=LATER)

    draft.refresh_from_db()
    assert draft.state == "APPROVED"
    queued = Letter.objects.filter(reference=draft.case.number, published_at=None)
    assert {one.state for one in queued} == {"QUEUED"}
    assert queued.count() == 2


def test_only_an_approved_letter_is_marked_as_sent(coordinator):
    draft = draft_of(received_case(), LetterKind.ACKNOWLEDGMENT)

    with pytest.raises(NotAllowed, match="Only an approved letter"):
        case_letters.mark_letter_sent(letter_id=draft.pk, sent_on=TODAY, by=coordinator, at=LATER)


def test_only_allowed_roles_publish_wording_and_release_failed_letters(coordinator):
    clerk = person(Role.INTAKE)
    held = WordingSet.objects.first()

    with pytest.raises(NotAllowed, match="Only a medical director or an administrator"):
        letters.services.publish_wording(set_id=held.pk, by=clerk, at=LATER)
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        letters.services.retry_failed_letter(letter_id=uuid4(), by=clerk, at=LATER)


def test_every_kind_has_its_parts_and_a_sample_wording(coordinator):
    worded = set(WordingSet.objects.values_list("kind", flat=True))

    assert set(SPECS) == set(CASE_LETTERS)
    assert worded >= set(LetterKind)


def test_listed_points_are_declared_facts_of_every_kind_that_lists_points(coordinator):
    for kind in (kind for kind, spec in SPECS.items() if spec.points):
        assert SPECS[kind].points in {one.name for one in SPECS[kind].declared}
        assert SPECS[kind].points in SPECS[kind].lists.values()


def test_approved_letters_are_listed_for_the_mail_room_until_they_are_sent(client, coordinator):
    case = make_decided_case(coordinator, SIGNED="NO")
    draft = draft_of(case, LetterKind.INELIGIBILITY)
    mailroom = person(Role.MAILROOM)
    client.force_login(mailroom)
    page = reverse("correspondence:to_send")
    assert case.number not in client.get(page).content.decode()

    approve_letter(draft, coordinator)
    assert case.number in client.get(page).content.decode()

    file_all_letters(at=LATER)
    case_letters.mark_letter_sent(letter_id=draft.pk, sent_on=TODAY, by=mailroom, at=LATER)
    assert case.number not in client.get(page).content.decode()
