"""Batches of scans: taken in once, keyed by one clerk at a time, skipped with a reason."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.refusals import NotAllowed, TakenByAnother
from accounts.roles import Role
from cases.models import Case
from files.models import StoredFile
from intake.models import LEASE, Batch, CancelReason, Scan
from intake.services import batches, receiving
from tests.factories import MONDAY, application, batch_of, person, received_case, scanned_file
from tests.records.factories import make_upload, pdf_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Rosa Okafor")


@pytest.fixture
def other():
    return person(Role.INTAKE, name="Ben Akande")


def list_scan_states(batch):
    return list(batch.scans.order_by("position").values_list("state", flat=True))


def skip_scan(scan, by, reason=CancelReason.UNREADABLE, note="", at=MONDAY):
    return batches.skip_scan(scan_id=scan.pk, reason=reason, note=note, by=by, at=at)


# --- Taken in -------------------------------------------------------------------------------------


@pytest.mark.capability("IN-11")
def test_an_unreadable_file_is_named_and_the_others_are_kept(clerk):
    batch = batch_of(
        scanned_file("a.pdf"),
        make_upload("b.pdf", b"%PDF-1.4 torn"),
        scanned_file("c.pdf"),
        by=clerk,
    )

    assert list_scan_states(batch) == ["WAITING", "REFUSED", "WAITING"]
    refused = batch.scans.get(state="REFUSED")
    assert "“b.pdf” is damaged" in refused.refusal
    assert refused.file is None
    assert StoredFile.objects.count() == 2


@pytest.mark.capability("IN-11")
def test_an_oversize_file_is_refused_by_name(clerk, settings):
    settings.MAX_UPLOAD_BYTES = 100
    (scan,) = batch_of(scanned_file("long.pdf"), by=clerk).scans.all()

    assert scan.state == "REFUSED"
    assert "“long.pdf”" in scan.refusal


@pytest.mark.capability("IN-11")
def test_a_file_that_was_not_checked_for_viruses_is_not_handed_out(clerk):
    batch = batch_of(scanned_file(), by=clerk)
    StoredFile.objects.update(state="QUARANTINED")

    assert batches.claim_next_scan(by=clerk, at=MONDAY) is None
    StoredFile.objects.update(state="CLEAN")
    assert batches.claim_next_scan(by=clerk, at=MONDAY) == batch.scans.get()


def test_the_same_file_twice_is_kept_once(clerk):
    content = pdf_bytes()
    first = batch_of(make_upload("a.pdf", content), make_upload("again.pdf", content), by=clerk)
    second = batch_of(make_upload("b.pdf", content), by=clerk, channel="FAX")

    assert list_scan_states(first) == ["WAITING", "REPEATED"]
    (repeated,) = second.scans.all()
    assert (repeated.state, repeated.same_as) == ("REPEATED", first.scans.get(position=1))


def test_a_scan_that_is_already_a_case_is_shown_with_its_case(clerk):
    content = pdf_bytes()
    (scan,) = batch_of(make_upload("a.pdf", content), by=clerk).scans.all()
    case = received_case(by=clerk, scan_id=scan.pk)

    (again,) = batch_of(make_upload("b.pdf", content), by=clerk).scans.all()

    assert (again.state, again.case) == ("REPEATED", case)
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"received_on": (MONDAY + timedelta(days=1)).date()}, "is in the future"),
        ({"by": Role.COORDINATOR}, "cannot enter applications"),
    ],
)
def test_an_invalid_batch_is_refused(clerk, fields, why):
    if isinstance(fields.get("by"), Role):
        fields = {"by": person(fields["by"])}
    with pytest.raises(NotAllowed, match=why):
        batch_of(scanned_file(), **{"by": clerk} | fields)
    assert not Batch.objects.exists()


def test_a_batch_without_files_and_one_with_too_many_are_refused(clerk):
    with pytest.raises(NotAllowed, match="at least one file"):
        batch_of(by=clerk)
    with pytest.raises(NotAllowed, match="at most 100 files"):
        batch_of(*[make_upload("x.pdf", b"x")] * 101, by=clerk)


# --- Claimed --------------------------------------------------------------------------------------


def test_the_oldest_scan_comes_first(clerk):
    batch_of(scanned_file("new.pdf"), by=clerk)
    old = batch_of(
        scanned_file("old.pdf"), by=clerk, received_on=(MONDAY - timedelta(days=3)).date()
    )

    assert batches.claim_next_scan(by=clerk, at=MONDAY) == old.scans.get()


def test_two_clerks_get_different_scans_and_each_gets_their_own_again(clerk, other):
    batch_of(scanned_file(), scanned_file(), by=clerk)

    mine, theirs = (batches.claim_next_scan(by=who, at=MONDAY) for who in (clerk, other))

    assert mine != theirs
    assert batches.claim_next_scan(by=clerk, at=MONDAY) == mine
    assert batches.claim_next_scan(by=other, at=MONDAY + timedelta(hours=5)) == theirs
    assert batches.claim_next_scan(by=person(Role.INTAKE), at=MONDAY) is None


def test_the_scan_of_a_closed_browser_is_released_without_a_job(clerk, other):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)

    almost = MONDAY + LEASE - timedelta(seconds=1)
    assert batches.claim_next_scan(by=other, at=almost) is None
    assert batches.claim_next_scan(by=other, at=MONDAY + LEASE) == scan
    assert batches.claim_next_scan(by=clerk, at=MONDAY + LEASE) is None


def test_typing_renews_the_claim_and_writes_a_version_at_most_every_five_minutes(clerk, other):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    for minute in range(1, 60):
        batches.renew_scan_claim(scan_id=scan.pk, by=clerk, at=MONDAY + timedelta(minutes=minute))

    assert batches.claim_next_scan(by=other, at=MONDAY + timedelta(minutes=70)) is None
    assert scan.history.count() <= 2 + 60 / 5


def test_claiming_another_scan_releases_the_first(clerk, other):
    batch = batch_of(scanned_file(), scanned_file(), by=clerk)
    first = batches.claim_next_scan(by=clerk, at=MONDAY)
    second = batch.scans.exclude(pk=first.pk).get()

    batches.claim_scan(scan_id=second.pk, by=clerk, at=MONDAY)

    assert batches.claim_next_scan(by=other, at=MONDAY) == first
    with pytest.raises(TakenByAnother, match="assigned to Ben Akande"):
        batches.claim_scan(scan_id=first.pk, by=clerk, at=MONDAY)


def test_a_released_scan_goes_to_the_next_clerk(clerk, other):
    batch_of(scanned_file(), by=clerk)
    scan = batches.claim_next_scan(by=clerk, at=MONDAY)
    with pytest.raises(NotAllowed, match="not assigned to you"):
        batches.release_scan(scan_id=scan.pk, by=other, at=MONDAY)

    batches.release_scan(scan_id=scan.pk, by=clerk, at=MONDAY)

    assert batches.claim_next_scan(by=other, at=MONDAY) == scan


# --- Skipped ------------------------------------------------------------------------------------


def test_a_skipped_scan_shows_its_reason_and_can_be_returned(clerk, other):
    (scan,) = batch_of(scanned_file(), by=clerk).scans.all()
    batches.claim_next_scan(by=clerk, at=MONDAY)
    with pytest.raises(NotAllowed, match="assigned to Rosa Okafor"):
        skip_scan(scan, other)
    with pytest.raises(NotAllowed, match="in a few words"):
        skip_scan(scan, clerk, CancelReason.QUESTION)

    skipped = skip_scan(scan, clerk, CancelReason.QUESTION, "Two workers on one form?")

    assert (skipped.state, skipped.why_skipped) == ("SKIPPED", "QUESTION")
    assert batches.claim_next_scan(by=clerk, at=MONDAY) is None
    with pytest.raises(NotAllowed, match="is not waiting"):
        skip_scan(scan, clerk)
    batches.return_scan_to_queue(scan_id=scan.pk, by=other, at=MONDAY)
    assert batches.claim_next_scan(by=other, at=MONDAY) == scan
    with pytest.raises(NotAllowed, match="is not skipped"):
        batches.return_scan_to_queue(scan_id=scan.pk, by=other, at=MONDAY)


# --- Entered --------------------------------------------------------------------------------------


def test_a_scan_is_linked_to_its_case_in_the_same_action(clerk):
    (scan,) = batch_of(scanned_file("form.pdf"), by=clerk).scans.all()
    batches.claim_next_scan(by=clerk, at=MONDAY)

    case = received_case(by=clerk, scan_id=scan.pk)

    scan.refresh_from_db()
    assert (scan.state, scan.case) == ("ENTERED", case)
    (paper,) = case.application.papers.all()
    assert (paper.kind, paper.file, paper.name_received) == ("APPLICATION", scan.file, "form.pdf")
    with pytest.raises(NotAllowed, match=f"entered, as {case.number}"):
        batches.claim_scan(scan_id=scan.pk, by=clerk, at=MONDAY)


def test_the_first_clerk_to_save_a_scan_has_entered_it(clerk, other):
    (scan,) = batch_of(scanned_file(), by=clerk).scans.all()
    batches.claim_next_scan(by=clerk, at=MONDAY)
    late = MONDAY + LEASE
    batches.claim_next_scan(by=other, at=late)
    case = received_case(by=clerk, at=late, scan_id=scan.pk)

    with pytest.raises(receiving.ScanAlreadyEntered, match=case.number):
        receiving.receive_application(application=application(scan_id=scan.pk), by=other, at=late)
    assert Case.objects.count() == 1


def test_a_failed_form_keeps_the_claim_on_its_scan(clerk):
    (scan,) = batch_of(scanned_file(), by=clerk).scans.all()
    batches.claim_next_scan(by=clerk, at=MONDAY)
    with pytest.raises(NotAllowed):
        received_case(by=clerk, scan_id=scan.pk, items=[])

    assert batches.claim_next_scan(by=clerk, at=MONDAY) == scan


# --- A watched folder -----------------------------------------------------------------------------


def ingest_folder(folder, *, channel="FAX"):
    output = StringIO()
    call_command("ingest_folder", str(folder), channel=channel, stdout=output, stderr=output)
    return output.getvalue()


def write_file(folder, name, content, at):
    path = Path(folder, name)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_a_watched_folder_is_imported_once_with_the_arrival_date_of_each_file(tmp_path, set_clock):
    set_clock(MONDAY)
    friday = MONDAY - timedelta(days=3)
    write_file(tmp_path, "friday.pdf", pdf_bytes(), friday)
    write_file(tmp_path, "today.pdf", pdf_bytes(), MONDAY - timedelta(hours=1))
    write_file(tmp_path, "torn.pdf", b"%PDF-1.4 torn", MONDAY - timedelta(hours=1))
    write_file(tmp_path, "growing.pdf", pdf_bytes(), MONDAY)
    write_file(tmp_path, ".hidden.pdf", pdf_bytes(), friday)

    text = ingest_folder(tmp_path)
    again = ingest_folder(tmp_path)

    assert "torn.pdf" in text
    assert again == "No new files.\n"
    found = Scan.objects.order_by("pk").values_list("name_received", "received_on", "state")
    assert list(found) == [
        ("friday.pdf", friday.date(), "WAITING"),
        ("today.pdf", MONDAY.date(), "WAITING"),
        ("torn.pdf", MONDAY.date(), "REFUSED"),
    ]
    assert set(Batch.objects.values_list("channel", "opened_by")) == {("FAX", None)}
    set_clock(MONDAY + timedelta(minutes=1))
    assert "1 file," in ingest_folder(tmp_path)  # what was still growing


# --- Pages ----------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, clerk, set_clock):
    set_clock(MONDAY)
    client.force_login(clerk)
    return client


def test_uploaded_mail_is_entered_scan_by_scan(desk, clerk):
    from tests.intake.test_intake_page import make_form_data

    sent = {
        "channel": "FAX",
        "received": "2/27/26",
        "scans": [scanned_file("a.pdf", pages=2), scanned_file()],
    }
    page = desk.post("/intake/batches/", sent, follow=True).content.decode()
    assert "received: 2 of 2 scans to enter" in page

    first = desk.post("/intake/next/")
    form = desk.get(first.url)
    assert form.context["form"].initial["channel"] == "FAX"
    assert form.context["form"].initial["received"] == "02/27/2026"
    assert form.content.decode().count("/intake/papers/") == 2  # both pages, beside the form

    following = desk.post(
        first.url, make_form_data(channel="FAX", received="2/27/26") | {"next": ""}
    )

    assert following.url != first.url
    assert following.url.startswith("/intake/scans/")
    case = Case.objects.get()
    assert case.application.channel == "FAX"
    assert case.scans.get().claimed_by == clerk
    assert desk.get(first.url).url == case.get_absolute_url()
    done = desk.post(
        following.url, make_form_data(ur_decided="2/11/26") | {"next": ""}, follow=True
    )
    assert "There are no more scans to enter" in done.content.decode()
    assert "All scans are entered" not in done.content.decode()  # this batch is still in sight


def test_the_list_shows_waiting_scans_and_their_clerks_and_filters_by_channel(desk, clerk):
    batch_of(
        scanned_file(), by=clerk, channel="FAX", received_on=(MONDAY - timedelta(days=4)).date()
    )
    batch_of(scanned_file(), by=clerk)
    batches.claim_next_scan(by=clerk, at=MONDAY)

    page = desk.get("/intake/batches/").content.decode()
    assert "4\xa0days old" in page
    assert "Rosa Okafor" in page
    assert "Fax batch" not in desk.get("/intake/batches/?channel=MAIL").content.decode()
    assert "No batches for this channel" in (
        desk.get("/intake/batches/?channel=EMAIL").content.decode()
    )


def test_a_refused_file_is_named_on_the_page(desk):
    sent = {
        "channel": "MAIL",
        "received": "t",
        "scans": [make_upload("b.pdf", b"MZ program"), scanned_file()],
    }

    page = desk.post("/intake/batches/", sent, follow=True).content.decode()

    assert "1 of 2 scans to enter" in page
    assert "b.pdf" in page


def test_an_incomplete_batch_form_keeps_what_was_typed(desk):
    answer = desk.post("/intake/batches/", {"channel": "FAX", "received": "2/30/26", "note": "N7"})

    assert answer.status_code == 422
    assert "does not exist in the calendar" in answer.content.decode()
    assert "N7" in answer.content.decode()
    no_files = desk.post("/intake/batches/", {"channel": "FAX", "received": "t"})
    assert "Choose at least one file" in no_files.content.decode()


def test_a_scan_claimed_by_another_clerk_is_not_opened(desk, other):
    (scan,) = batch_of(scanned_file(), by=other).scans.all()
    batches.claim_next_scan(by=other, at=MONDAY)

    page = desk.get(f"/intake/scans/{scan.pk}/", follow=True).content.decode()

    assert "is assigned to Ben Akande" in page
    claimed = desk.post(f"/intake/scans/{scan.pk}/claim/")
    assert claimed.status_code == 409
    assert "Enter the next scan" in claimed.content.decode()


def test_a_scan_is_skipped_and_returned_on_the_pages(desk, clerk):
    (scan,) = batch_of(scanned_file(), by=clerk).scans.all()
    address = f"/intake/scans/{scan.pk}"
    desk.post("/intake/next/")
    refused = desk.post(f"{address}/skip/", {"reason": "OTHER", "note": ""})
    assert refused.status_code == 422
    assert "Describe the problem in a few words" in refused.content.decode()

    desk.post(f"{address}/skip/", {"reason": "UNREADABLE", "note": ""})
    page = desk.get(f"/intake/batches/{scan.batch_id}/").content.decode()
    assert "Skipped: Unreadable" in page
    assert "returned to the queue" in desk.post(f"{address}/return/", follow=True).content.decode()
    desk.post(f"{address}/claim/")
    assert (
        "released to the next clerk"
        in desk.post(f"{address}/release/", follow=True).content.decode()
    )
