"""Unfinished intakes: resumed by their owner, ended with a reason, seen by the supervisor."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Case
from intake.models import CanceledIntake, CancelReason, IntakeDraft, Scan
from intake.services import batches, drafts
from intake.tasks import close_forgotten_drafts
from tests.factories import (
    MONDAY,
    batch_of,
    begun_draft,
    person,
    received_case,
    scanned_file,
)
from tests.files import zoo
from tests.intake.test_intake_page import make_form_data
from tests.records.factories import make_upload

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Rosa Okafor")


@pytest.fixture
def supervisor():
    return person(Role.SUPERVISOR, name="Ada Holm")


@pytest.fixture
def desk(client, clerk, set_clock):
    set_clock(MONDAY)
    client.force_login(clerk)
    return client


def autosave_draft(client, **sent):
    return client.post(
        "/intake/draft/", make_form_data(received="t", **sent) | {"revision": "0"} | sent
    )


# --- Drafts ---------------------------------------------------------------------------------------


@pytest.mark.capability("IN-2")
def test_an_unfinished_intake_is_resumed_by_its_owner_with_everything_typed(desk, client):
    key = str(uuid4())
    answer = autosave_draft(
        desk, key=key, last_name="O'Brien-Núñez", employer="", item_title=["MRI", "", "Norco"]
    )
    assert answer.json()["revision"] == 1

    mine = desk.get("/intake/").content.decode()
    assert f"/intake/new/?draft={key}" in mine
    page = desk.get(f"/intake/new/?draft={key}")

    form = page.context["form"]
    assert form["last_name"].value() == "O'Brien-Núñez"
    assert [row.title for row in form.rows][:3] == ["MRI", "", "Norco"]
    assert 'name="revision" value="1"' in page.content.decode()
    client.force_login(person(Role.INTAKE))
    other = client.get(f"/intake/new/?draft={key}").context["form"]
    assert other["last_name"].value() is None


@pytest.mark.capability("IN-2")
def test_the_save_button_keeps_a_draft_with_its_files(desk):
    sent = make_form_data(received="t", employer="") | {
        "save_draft": "",
        "scan": scanned_file("kept.pdf"),
    }

    page = desk.post("/intake/new/", sent, follow=True).content.decode()

    assert "Draft saved" in page
    draft = IntakeDraft.objects.get()
    again = desk.get(f"/intake/new/?draft={draft.key}").content.decode()
    assert "kept.pdf" in again
    assert not Case.objects.exists()


@pytest.mark.capability("IN-2")
def test_a_scan_opens_again_with_the_text_typed_for_it(desk, clerk):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    autosave_draft(desk, last_name="Halfway", scan=str(scan.pk))

    address = desk.post("/intake/next/").url

    assert address == f"/intake/scans/{scan.pk}/"
    assert desk.get(address).context["form"]["last_name"].value() == "Halfway"


@pytest.mark.capability("IN-2")
def test_a_draft_closes_automatically_after_a_week_with_a_reason(clerk):
    draft = begun_draft(by=clerk)
    end = MONDAY + WEEK

    def open_at(moment):
        return list(drafts.list_open_drafts(of=clerk, at=moment))

    assert open_at(end - timedelta(seconds=1)) == [draft]
    assert open_at(end) == []  # no job has run
    with pytest.raises(NotAllowed, match="is closed"):
        begun_draft(by=clerk, key=draft.key, revision=1, at=end)

    assert drafts.close_lapsed_drafts(at=end - timedelta(seconds=1)) == 0
    assert [drafts.close_lapsed_drafts(at=end) for _ in range(2)] == [1, 0]
    canceled = CanceledIntake.objects.get()
    assert (canceled.reason, canceled.ended_by, canceled.draft) == ("LEFT", None, draft)


@pytest.mark.capability("IN-2")
def test_a_late_run_of_the_scheduler_still_closes_old_drafts(clerk, set_clock):
    begun_draft(by=clerk)
    set_clock(MONDAY + WEEK + timedelta(days=3))

    close_forgotten_drafts()

    assert CanceledIntake.objects.get().reason == "LEFT"


@pytest.mark.capability("IN-2")
def test_an_accepted_form_leaves_no_draft(clerk):
    draft = begun_draft(by=clerk)
    case = received_case(by=clerk, key=draft.key)

    draft.refresh_from_db()
    assert (draft.case, draft.ended_at) == (case, MONDAY)
    assert not CanceledIntake.objects.exists()
    with pytest.raises(NotAllowed, match="saved as a case"):
        begun_draft(by=clerk, key=draft.key, revision=1)


def test_two_windows_with_the_same_form_are_warned(desk):
    key = str(uuid4())
    autosave_draft(desk, key=key, last_name="First")

    answer = autosave_draft(desk, key=key, last_name="Second")

    assert answer.status_code == 409
    data = answer.json()
    assert data["theirs"]["last_name"] == "First"
    assert data["yours"]["last_name"] == "Second"
    assert autosave_draft(desk, key=key, revision=str(data["revision"])).status_code == 200


def test_a_draft_belongs_to_its_owner(clerk):
    draft = begun_draft(by=clerk)
    other = person(Role.INTAKE)

    with pytest.raises(NotAllowed, match="belongs to someone else"):
        begun_draft(by=other, key=draft.key, revision=1)
    with pytest.raises(NotAllowed, match="Only the clerk who started this form"):
        drafts.cancel_intake_draft(
            key=draft.key, reason=CancelReason.UNREADABLE, note="", by=other, at=MONDAY
        )


def test_a_form_without_its_key_is_refused_with_a_sentence(desk):
    assert "start a new form" in autosave_draft(desk, key="x").json()["error"]
    assert desk.post("/intake/new/", {"save_draft": "", "key": "x"}).status_code == 422


# --- Canceled and failed intakes ------------------------------------------------------------------


@pytest.mark.capability("IN-3")
def test_a_canceled_intake_stores_its_code_and_is_on_the_supervisors_list(desk, clerk, supervisor):
    batch_of(scanned_file(), by=clerk, channel="FAX")
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    draft = begun_draft(by=clerk, scan_id=scan.pk, typed={"channel": ["FAX"]})
    address = f"/intake/drafts/{draft.key}/cancel/"
    assert "Choose a reason" in desk.post(address, {"reason": ""}).content.decode()
    assert desk.post(address, {"reason": "LEFT"}).status_code == 422  # the machine's own

    desk.post(address, {"reason": "NOT_AN_APPLICATION", "note": "A bill"})

    scan.refresh_from_db()
    assert (scan.state, scan.why_skipped) == ("SKIPPED", "NOT_AN_APPLICATION")
    assert desk.get("/intake/supervisor/").status_code == 403
    desk.force_login(supervisor)
    page = desk.get("/intake/supervisor/").content.decode()
    assert "Not an application. A bill" in page
    assert "Rosa Okafor" in page
    assert "A bill" in desk.get("/intake/supervisor/?channel=FAX").content.decode()
    assert "A bill" not in desk.get("/intake/supervisor/?channel=MAIL").content.decode()
    assert "A bill" not in desk.get("/intake/supervisor/?reason=LEFT").content.decode()


@pytest.mark.capability("IN-3")
def test_a_file_that_failed_is_on_the_supervisors_list(desk, supervisor):
    batch_of(make_upload("torn.pdf", b"%PDF-1.4 torn"))
    desk.force_login(supervisor)

    assert "torn.pdf" in desk.get("/intake/supervisor/").content.decode()


@pytest.mark.capability("IN-3")
@pytest.mark.parametrize(
    ("name", "content", "code", "label"),
    [
        ("torn.pdf", b"%PDF-1.4 torn", "DAMAGED", "Damaged or incomplete"),
        ("letter.docx", b"PK\x03\x04 words", "TYPE", "Type of file not accepted"),
        ("photo.pdf", b"\xff\xd8\xff photo", "NAME", "Name and content differ"),
        ("blank.pdf", b"", "EMPTY", "Empty file"),
    ],
)
def test_a_refused_file_has_a_code_by_which_the_supervisor_finds_it(
    desk, supervisor, name, content, code, label
):
    batch_of(make_upload(name, content), make_upload("locked.pdf", zoo.make_encrypted_pdf()))

    refused = {scan.name_received: scan.refusal_code for scan in Scan.objects.failed()}
    assert refused == {name: code, "locked.pdf": "PASSWORD"}
    desk.force_login(supervisor)
    page = desk.get(f"/intake/supervisor/?reason={code}").content.decode()
    assert f"{label}. " in page
    assert f"“{name}”" in page
    assert "locked.pdf" not in page


@pytest.mark.capability("IN-3")
def test_a_virus_found_after_the_scanner_was_away_is_on_the_supervisors_list(desk, supervisor):
    """The scan was accepted, and no clerk gets it; nothing else would tell the supervisor."""
    scan = batch_of(scanned_file("late.pdf")).scans.get()
    scan.file.state, scan.file.refusal = "REFUSED", "“late.pdf” contains a virus."
    scan.file.save(update_fields=["state", "refusal"])
    desk.force_login(supervisor)

    for address in ("", "?reason=VIRUS"):
        page = desk.get(f"/intake/supervisor/{address}").content.decode()
        assert "Virus found. “late.pdf” contains a virus." in page
    assert "late.pdf" not in desk.get("/intake/supervisor/?reason=DAMAGED").content.decode()


@pytest.mark.capability("IN-3")
def test_starting_over_returns_the_scan_to_the_queue(clerk):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    draft = begun_draft(by=clerk, scan_id=scan.pk)

    drafts.cancel_intake_draft(
        key=draft.key, reason=CancelReason.START_OVER, note="", by=clerk, at=MONDAY
    )

    assert batches.claim_next_scan(by=person(Role.INTAKE), at=MONDAY) == scan
    with pytest.raises(NotAllowed, match="already closed"):
        drafts.cancel_intake_draft(
            key=draft.key, reason=CancelReason.START_OVER, note="", by=clerk, at=MONDAY
        )


@pytest.mark.capability("IN-3")
def test_an_accepted_form_cannot_be_canceled(clerk):
    draft = begun_draft(by=clerk)
    case = received_case(by=clerk, key=draft.key)

    with pytest.raises(NotAllowed, match=f"{case.number}. Withdraw the case instead"):
        drafts.cancel_intake_draft(
            key=draft.key, reason=CancelReason.UNREADABLE, note="", by=clerk, at=MONDAY
        )


def test_a_forgotten_draft_releases_its_scan(clerk):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    begun_draft(by=clerk, scan_id=scan.pk)

    drafts.close_lapsed_drafts(at=MONDAY + WEEK)

    scan.refresh_from_db()
    assert (scan.state, scan.claimed_by) == ("WAITING", None)


# --- Channels -------------------------------------------------------------------------------------


@pytest.mark.capability("IN-5")
def test_the_channel_is_recorded_filtered_and_counted(desk, clerk, supervisor):
    for channel in ("MAIL", "FAX", "FAX"):
        received_case(by=clerk, channel=channel)
    assert len(desk.get("/intake/?channel=FAX").context["cases"]) == 2
    assert (
        "No applications entered for this channel"
        in desk.get("/intake/?channel=EMAIL").content.decode()
    )

    desk.force_login(supervisor)
    (today, *_) = desk.get("/intake/supervisor/").context["arrivals"]

    assert today == (MONDAY.date(), [1, 2, 0, 0, 0], 3)
