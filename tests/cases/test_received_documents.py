"""Documents received at any stage: added, opened, and kept with the action they belong to."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event, ReceivedDocument
from cases.services import endings, received_documents, restrictions
from eligibility.services import information
from files.models import StoredFile
from files.services import receive_named_upload
from tests.eligibility.test_decisions import deferred_case
from tests.factories import MONDAY, eligible_case, person, received_case
from tests.records.factories import make_upload, pdf_bytes

pytestmark = pytest.mark.django_db

TYPED = {
    "kind": "UR_DECISION",
    "description": "UR decision, 3 pages",
    "sender": "CLAIMS_ADMINISTRATOR",
    "channel": "FAX",
    "received_on": "3/2/2026",
}
ADDERS = [Role.INTAKE, Role.SUPERVISOR, Role.COORDINATOR, Role.MAILROOM]


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR, name="Ada Clerk")


@pytest.fixture
def case():
    return received_case()


@pytest.fixture
def desk(client, coordinator, set_clock):
    set_clock(MONDAY + timedelta(hours=1))
    client.force_login(coordinator)
    return client


def add(case, by, *, content=None, kind="UR_DECISION", at=MONDAY, **changes):
    file = receive_named_upload(upload=make_upload(content=content), at=at)
    values = {"sender": "CLAIMS_ADMINISTRATOR", "channel": "FAX", "received_on": date(2026, 3, 2)}
    return received_documents.add_received_document(
        case_id=case.pk, file=file, kind=kind, by=by, at=at, **values | changes
    )


def post(client, case, **changes):
    address = reverse("cases:add_document", args=[case.number])
    return client.post(address, TYPED | {"upload": make_upload()} | changes)


# --- Adding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ADDERS)
def test_a_document_is_added_from_the_case_page_before_the_notice(client, case, role, set_clock):
    set_clock(MONDAY + timedelta(hours=1))
    someone = person(role, name="Rosa Okafor")
    client.force_login(someone)
    address = reverse("cases:documents", args=[case.number])
    assert f'href="{address}"' in client.get(case.get_absolute_url()).content.decode()

    assert post(client, case).url == address

    document = case.received_documents.get()
    assert (document.kind, document.sender, document.channel) == (
        "UR_DECISION", "CLAIMS_ADMINISTRATOR", "FAX",
    )  # fmt: skip
    assert document.received_on == date(2026, 3, 2)
    assert (document.recorded_by, document.name_received) == (someone, "report.pdf")
    assert document.event.kind == Event.Kind.DOCUMENT_RECEIVED
    assert document.history.get().history_user == someone
    page = client.get(address).content.decode()
    assert "UR decision, 3 pages" in page
    assert "Rosa Okafor" in page


@pytest.mark.parametrize("role", sorted(set(Role) - set(ADDERS)))
def test_other_roles_add_no_document(client, case, role):
    client.force_login(person(role))
    assert post(client, case).status_code == 403
    with pytest.raises(NotAllowed, match="Your role does not let you add documents"):
        add(case, person(role))


@pytest.mark.parametrize(
    "stage",
    ["screening", "asked", "deferred", "eligible", "withdrawn", "closed"],
)
def test_a_document_is_added_at_every_stage_of_an_open_case(coordinator, stage):
    made = {"eligible": eligible_case, "deferred": lambda: deferred_case(coordinator)}
    case = made.get(stage, received_case)()
    if stage in {"withdrawn", "closed"}:
        endings.withdraw_case(case_id=case.pk, reason="Letter.", by=coordinator, at=MONDAY)
    if stage == "closed":
        endings.close_case(case_id=case.pk, reason="Done.", by=coordinator, at=MONDAY)
        with pytest.raises(NotAllowed, match="is closed, so no document can be added"):
            add(case, coordinator)
        return
    if stage == "asked":
        ask(case, coordinator)

    assert add(case, coordinator).case == case


def test_a_closed_case_shows_its_documents_and_no_form(desk, case, coordinator):
    add(case, coordinator, description="Objection of March 1")
    endings.withdraw_case(case_id=case.pk, reason="Letter.", by=coordinator, at=MONDAY)
    endings.close_case(case_id=case.pk, reason="Done.", by=coordinator, at=MONDAY)

    page = desk.get(reverse("cases:documents", args=[case.number])).content.decode()

    assert "Objection of March 1" in page
    assert "is closed, so no document can be added" in page
    assert 'name="upload"' not in page
    assert post(desk, case).status_code == 422


BAD_FILES = {
    "empty": (b"", "This file is empty"),
    "wrong kind": (b"MZ\x90\x00 program", "not a PDF, TIFF, JPEG or PNG"),
    "encrypted": (pdf_bytes(password="secret"), "protected by a password"),
    "damaged": (b"%PDF-1.7\nnothing", "damaged"),
}


@pytest.mark.parametrize("which", BAD_FILES)
def test_a_refused_file_keeps_what_was_typed(desk, case, which):
    content, sentence = BAD_FILES[which]

    page = post(desk, case, upload=make_upload(content=content))

    text = page.content.decode()
    assert page.status_code == 422
    assert sentence in text
    assert "UR decision, 3 pages" in text
    assert "you have to choose the file again" in text
    assert not case.received_documents.exists()
    assert not case.events.filter(kind=Event.Kind.DOCUMENT_RECEIVED).exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"received_on": "3/3/2026"}, "This date is in the future"),
        ({"received_on": ""}, "Enter the date on the received stamp"),
        ({"sender": ""}, "Choose who sent the document"),
        ({"channel": "FOLDER"}, "FOLDER is not one of the available choices"),
        ({"kind": ""}, "Choose what the document is"),
        ({"description": "x" * 201}, "Shorten it to 200"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_added(desk, case, changes, sentence):
    page = post(desk, case, **changes)
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not case.received_documents.exists()


def test_the_same_file_twice_says_where_it_is(desk, case, coordinator):
    content = pdf_bytes(text="Once")
    add(case, coordinator, content=content, description="Objection")

    page = post(desk, case, upload=make_upload(content=content))

    assert page.status_code == 422
    assert "This file is already on the case: “Objection”, received" in page.content.decode()
    assert case.received_documents.count() == 1
    # Another case may have received the same file.
    other = received_case()
    assert add(other, coordinator, content=content).file == case.received_documents.get().file


def test_the_same_form_sent_twice_adds_one_document(desk, case):
    page = desk.get(reverse("cases:documents", args=[case.number])).content.decode()
    key = page.split('name="form_key" value="')[1].split('"')[0]
    content = pdf_bytes()
    for _ in range(2):
        answer = post(desk, case, form_key=key, upload=make_upload(content=content))
        assert answer.status_code == 302
    assert case.received_documents.count() == 1


# --- Opening --------------------------------------------------------------------------------------


def test_pages_are_shown_as_pictures_and_as_text_and_leave_an_entry(desk, case, coordinator):
    document = add(case, coordinator, content=pdf_bytes(pages=2, text="Fax of Monday"))
    pages = {
        name: reverse(f"cases:received_{name}", args=[document.pk, 2])
        for name in ("page", "text", "png")
    }

    shown = {name: desk.get(address) for name, address in pages.items()}

    assert [answer.status_code for answer in shown.values()] == [200, 200, 200]
    assert "Fax of Monday, page 2" in shown["text"].content.decode()
    assert shown["png"].content.startswith(b"\x89PNG")
    assert shown["png"]["Content-Security-Policy"].endswith("sandbox")
    assert shown["png"]["X-Content-Type-Options"] == "nosniff"
    entries = AccessLogEntry.objects.filter(subject="received", granted=True)
    assert {one.reference for one in entries} == {f"{document.pk}/2"}
    assert {one.case_number for one in entries} == {case.number}
    assert entries.count() == 3


def test_a_page_that_does_not_exist_and_a_foreign_number_are_not_found(desk, case, coordinator):
    document = add(case, coordinator)
    for received, page in ((document.pk, 2), (document.pk, 0), (10**9, 1)):
        address = reverse("cases:received_png", args=[received, page])
        assert desk.get(address).status_code == 404


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CREDENTIALING, Role.ADMINISTRATOR])
def test_other_roles_open_no_received_document(client, case, coordinator, role):
    document = add(case, coordinator)
    client.force_login(person(role))
    for name in ("page", "text", "png"):
        address = reverse(f"cases:received_{name}", args=[document.pk, 1])
        assert client.get(address).status_code == 403
    assert client.get(reverse("cases:documents", args=[case.number])).status_code == 403


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.INTAKE, 404), (Role.MAILROOM, 404), (Role.COORDINATOR, 200), (Role.QA, 200)],
)
def test_a_medical_record_opens_for_the_roles_that_open_records(client, case, role, status):
    document = add(case, person(Role.COORDINATOR), kind="MEDICAL_RECORD", description="MRI")
    client.force_login(person(role))
    address = reverse("cases:received_png", args=[document.pk, 1])

    assert client.get(address).status_code == status
    page = client.get(reverse("cases:documents", args=[case.number])).content.decode()
    assert "MRI" in page
    assert (f'/documents/{document.pk}/pages/1/"' in page) is (status == 200)


def test_a_restricted_case_hides_its_documents(desk, case, coordinator):
    document = add(case, coordinator)
    restrictions.restrict_case(
        case_id=case.pk, ground="OTHER", reason="R.", by=person(Role.DIRECTOR), at=MONDAY
    )
    for name in ("page", "text", "png"):
        address = reverse(f"cases:received_{name}", args=[document.pk, 1])
        assert desk.get(address).status_code == 404
    assert desk.get(reverse("cases:documents", args=[case.number])).status_code == 404
    assert post(desk, case).status_code == 404
    with pytest.raises(NotAllowed, match="no clearance"):
        add(case, coordinator)


def test_a_file_that_waits_for_the_scanner_is_listed_and_not_opened(desk, case, coordinator):
    document = add(case, coordinator)
    StoredFile.objects.filter(pk=document.file_id).update(state="QUARANTINED")

    listed = desk.get(reverse("cases:documents", args=[case.number])).content.decode()
    opened = desk.get(reverse("cases:received_png", args=[document.pk, 1]))

    assert "Not checked yet" in listed
    assert opened.status_code == 503


# --- With an action -------------------------------------------------------------------------------


def ask(case, by):
    party = case.parties.get(role="CLAIMS_ADMINISTRATOR")
    return information.ask_information(
        case_id=case.pk, party_id=party.pk, facts=["SIGNED"], question="Please send it.",
        received_on=MONDAY.date(), by=by, at=MONDAY,
    )  # fmt: skip


def post_act(desk, case, act, **changes):
    """Send the form of an action with a document, as the page does."""
    typed = {
        "withdraw": {"reason": "A letter of the worker."},
        "terminate": {"reason": "A letter.", "item": str(case.items.get().pk)},
        "convert": {
            "new": "EXPEDITED", "certified_by": "Dana Oyelaran", "certified_on": "3/2/2026",
            "support": "Neurological decline.", "why": "Certified.",
        },
    }[act]  # fmt: skip
    return desk.post(
        reverse(f"cases:{act}", args=[case.number]),
        typed | {"upload": make_upload(), "channel": "MAIL"} | changes,
    )


@pytest.mark.parametrize(
    ("act", "kind", "sender", "event"),
    [
        ("withdraw", "WITHDRAWAL", "EMPLOYEE", "WITHDRAWN"),
        ("terminate", "AUTHORIZATION", "CLAIMS_ADMINISTRATOR", "TERMINATED"),
        ("convert", "CERTIFICATION", "REQUESTING_PHYSICIAN", "CONVERTED"),
    ],
)
def test_the_document_of_an_action_is_kept_with_it(desk, case, act, kind, sender, event):
    answer = post_act(desk, case, act, received_on="3/1/2026")

    assert answer.status_code == 302
    document = case.received_documents.get()
    assert (document.kind, document.sender, document.channel) == (kind, sender, "MAIL")
    assert document.received_on == date(2026, 3, 1)
    assert document.event == case.events.get(kind=event)
    page = desk.get(reverse("cases:documents", args=[case.number])).content.decode()
    assert Event.Kind(event).label in page


@pytest.mark.parametrize("act", ["withdraw", "terminate", "convert"])
def test_an_action_without_a_document_is_done_as_before(desk, case, act):
    assert post_act(desk, case, act, upload="", channel="").status_code == 302
    assert not case.received_documents.exists()


@pytest.mark.parametrize("act", ["withdraw", "terminate", "convert"])
@pytest.mark.parametrize("which", [*BAD_FILES, "no channel", "known"])
def test_an_action_whose_document_is_refused_is_not_done_and_keeps_the_form(
    desk, case, coordinator, act, which
):
    before, changes = case.version, {}
    if which == "no channel":
        changes, sentence = {"channel": ""}, "Choose how the document was received"
    elif which == "known":
        content, sentence = pdf_bytes(), "This file is already on the case"
        add(case, coordinator, content=content)
        changes = {"upload": make_upload(content=content)}
    else:
        content, sentence = BAD_FILES[which]
        changes = {"upload": make_upload(content=content)}

    page = post_act(desk, case, act, **changes)

    text = page.content.decode()
    assert page.status_code == 422
    assert sentence in text
    assert ("A letter" in text) or ("Neurological decline." in text)
    again = Case.objects.get(pk=case.pk)
    assert (again.version, again.status) == (before, Status.SCREENING)


def test_the_answer_of_a_party_is_kept_with_its_document(desk, case, coordinator):
    request = ask(case, coordinator)
    address = reverse("correspondence:answer_information", args=[case.number, request.pk])
    sent = {
        f"{request.pk}-answered_on": "3/2/2026",
        f"{request.pk}-answer": "The decision is attached.",
        f"{request.pk}-channel": "FAX",
    }
    bad = make_upload(content=b"%PDF-1.7\nnothing")

    refused = desk.post(address, sent | {f"{request.pk}-upload": bad})
    done = desk.post(address, sent | {f"{request.pk}-upload": make_upload()})

    assert refused.status_code == 422
    assert "damaged" in refused.content.decode()
    assert "The decision is attached." in refused.content.decode()
    assert done.status_code == 302
    document = case.received_documents.get()
    assert (document.kind, document.sender) == ("ANSWER", "CLAIMS_ADMINISTRATOR")
    assert document.event == case.events.get(kind=Event.Kind.INFO_ANSWERED)
    assert document.received_on == date(2026, 3, 2)
    assert ReceivedDocument.objects.count() == 1


def test_the_notice_that_resolves_liability_is_kept_with_its_document(desk, coordinator):
    case = deferred_case(coordinator)
    address = reverse("eligibility:resolve_liability", args=[case.number])
    sent = {"notice_on": "3/1/2026", "method": "mail_ca", "how": "Found compensable."}

    refused = desk.post(address, sent | {"upload": make_upload(content=b""), "channel": "MAIL"})
    done = desk.post(address, sent | {"upload": make_upload(), "channel": "MAIL"})

    assert refused.status_code == 422
    assert "Found compensable." in refused.content.decode()
    assert done.status_code == 302
    document = case.received_documents.get()
    assert (document.kind, document.received_on) == ("LIABILITY", date(2026, 3, 2))
    assert document.event == case.events.get(kind=Event.Kind.REOPENED)


def test_an_objection_comes_with_the_hold_and_its_resolution_with_the_end(desk, coordinator):
    case = received_case()
    begin = reverse("cases:begin_hold", args=[case.number])
    typed = {
        "reason": "LIABILITY", "starts_on": "3/2/2026", "planned_end": "3/12/2026",
        "note": "The neck is not accepted.", "channel": "MAIL",
    }  # fmt: skip

    refused = desk.post(begin, typed | {"upload": make_upload(content=b"%PDF-1.7\nnothing")})
    begun = desk.post(begin, typed | {"upload": make_upload()})

    assert refused.status_code == 422
    assert "The neck is not accepted." in refused.content.decode()
    assert begun.status_code == 302
    objection = case.received_documents.get()
    assert (objection.kind, objection.event.kind) == ("OBJECTION", Event.Kind.HELD)

    end = reverse("cases:end_hold", args=[case.number, case.holds.get().pk])
    ended = {"ended_on": "3/2/2026", "method": "mail_ca", "reason": "Accepted.", "channel": "FAX"}
    assert desk.post(end, ended | {"upload": make_upload()}).status_code == 302
    notice = case.received_documents.latest("pk")
    assert (notice.kind, notice.event.kind) == ("LIABILITY", Event.Kind.HOLD_ENDED)
