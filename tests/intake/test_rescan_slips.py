"""Files that have to be scanned again: a slip for the operator, and the file that came instead."""

import html

import pytest
from django.urls import reverse

from accounts.refusals import BadFact, NotAllowed
from accounts.roles import Role
from cases.models import Case
from intake.models import Batch, CancelReason, Scan
from intake.services import batches, receiving
from tests.factories import MONDAY, application, batch_of, person, scanned_file
from tests.records.factories import make_upload

pytestmark = pytest.mark.django_db

TORN = b"%PDF-1.4 torn"


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Rosa Okafor")


@pytest.fixture
def desk(client, clerk, set_clock):
    set_clock(MONDAY)
    client.force_login(clerk)
    return client


@pytest.fixture
def batch(clerk):
    """A torn file, a good one, and one that a clerk cannot read."""
    made = batch_of(
        make_upload("torn.pdf", TORN), scanned_file("good.pdf"), scanned_file("faint.pdf"),
        by=clerk, note="Tray 3",
    )  # fmt: skip
    faint = made.scans.get(position=3)
    batches.claim_scan(scan_id=faint.pk, by=clerk, at=MONDAY)
    batches.skip_scan(
        scan_id=faint.pk, reason=CancelReason.PAGES_MISSING, note="Page 2 is not there",
        by=clerk, at=MONDAY,
    )  # fmt: skip
    return made


def mark(scan, new_scan, by):
    return batches.mark_scan_rescanned(scan_id=scan.pk, new_scan_id=new_scan.pk, by=by, at=MONDAY)


def words_of(page):
    return " ".join(html.unescape(page.content.decode()).split())


def test_each_unusable_file_has_a_slip_with_reason_pages_and_what_to_do(desk, batch):
    page = words_of(desk.get(reverse("intake:batch", args=[batch.pk])))
    address = reverse("intake:rescan_slips", args=[batch.pk])
    assert f'href="{address}">2 re-scan slips</a>' in page

    slips = words_of(desk.get(address))

    assert "Scan again: torn.pdf" in slips
    assert f"{batch}, scan 1 (Tray 3)" in slips
    assert "“torn.pdf” is damaged or incomplete." in slips
    assert "All pages." in slips
    assert "Scan again: faint.pdf" in slips
    assert "Pages missing. Page 2 is not there" in slips
    assert "Find the paper and scan all its pages again" in slips
    assert slips.count('class="tick-box"') == 4
    assert "good.pdf" not in slips


def test_a_fax_is_printed_again_and_pages_that_cannot_be_shown_are_named(desk, clerk):
    batch = batch_of(scanned_file("fax.pdf"), by=clerk, channel="FAX")
    scan = batch.scans.select_related("file").get()
    scan.file.unreadable_pages = [2, 5]
    scan.file.save(update_fields=["unreadable_pages"])
    batches.claim_scan(scan_id=scan.pk, by=clerk, at=MONDAY)
    batches.skip_scan(scan_id=scan.pk, reason=CancelReason.UNREADABLE, note="", by=clerk, at=MONDAY)

    slips = words_of(desk.get(reverse("intake:rescan_slips", args=[batch.pk])))

    assert "2, 5 cannot be shown." in slips
    assert "ask the sender to fax it again" in slips


def test_the_new_file_is_linked_and_the_slip_is_gone(desk, batch, clerk):
    torn = batch.scans.get(position=1)
    new = batch_of(scanned_file("torn-again.pdf"), by=clerk).scans.get()
    address = reverse("intake:mark_rescanned", args=[torn.pk])
    assert f'href="{address}"' in words_of(desk.get(reverse("intake:batch", args=[batch.pk])))
    assert f"{new}: torn-again.pdf" in words_of(desk.get(address))

    sent = desk.post(address, {"new_scan": new.pk}, follow=True)

    torn.refresh_from_db()
    assert torn.rescanned_as == new
    version = torn.history.latest("history_id")
    assert (version.history_user, version.history_change_reason) == (
        clerk, f"Scanned again as {new}",
    )  # fmt: skip
    page = words_of(sent)
    assert f"{torn} was scanned again as {new}." in page
    assert f'Scanned again as <a href="{reverse("intake:batch", args=[new.batch_id])}">' in page
    assert "1 re-scan slip</a>" in page
    assert "torn.pdf" not in words_of(desk.get(reverse("intake:rescan_slips", args=[batch.pk])))


@pytest.mark.parametrize("new_scan", ["", "999999", "x"])
def test_no_new_file_and_one_that_does_not_exist_are_refused_beside_the_field(
    desk, batch, new_scan
):
    torn = batch.scans.get(position=1)

    sent = desk.post(reverse("intake:mark_rescanned", args=[torn.pk]), {"new_scan": new_scan})

    assert sent.status_code == 422
    assert "Choose the new file." in words_of(sent)
    assert 'id="id_new_scan_error"' in words_of(sent)
    assert not Scan.objects.exclude(rescanned_as=None).exists()


def test_what_is_usable_or_earlier_or_refused_too_or_linked_already_is_refused(batch, clerk):
    torn, good = batch.scans.get(position=1), batch.scans.get(position=2)
    new_batch = batch_of(scanned_file("new.pdf"), make_upload("again.pdf", TORN + b"2"), by=clerk)
    new, refused = new_batch.scans.order_by("position")
    with pytest.raises(NotAllowed, match="need not be scanned again"):
        mark(good, new, clerk)
    for other in (refused, torn):
        with pytest.raises(BadFact, match="received after this one"):
            mark(torn, other, clerk)
    with pytest.raises(BadFact, match="received after this one"):
        mark(refused, good, clerk)
    with pytest.raises(NotAllowed, match="cannot enter applications"):
        mark(torn, new, person(Role.COORDINATOR))

    mark(torn, new, clerk)
    with pytest.raises(NotAllowed, match="was scanned again as"):
        mark(torn, new, clerk)


def test_a_scan_that_was_scanned_again_is_neither_entered_nor_returned(desk, batch, clerk):
    faint = batch.scans.get(position=3)
    new = batch_of(scanned_file("new.pdf"), by=clerk).scans.get()
    mark(faint, new, clerk)

    for refused in (batches.claim_scan, batches.return_scan_to_queue):
        with pytest.raises(NotAllowed, match="Enter that one"):
            refused(scan_id=faint.pk, by=clerk, at=MONDAY)
    with pytest.raises(NotAllowed, match="Enter that one"):
        receiving.receive_application(
            application=application(scan_id=faint.pk), by=clerk, at=MONDAY
        )
    assert not Case.objects.exists()
    page = words_of(desk.get(reverse("intake:enter_scan", args=[faint.pk]), follow=True))
    assert "Enter that one." in page


def test_a_batch_whose_last_scan_was_scanned_again_leaves_the_lists(client, batch, clerk):
    good, faint = batch.scans.filter(position__gte=2).order_by("position")
    new = batch_of(scanned_file("new.pdf"), by=clerk).scans.get()
    receiving.receive_application(application=application(scan_id=good.pk), by=clerk, at=MONDAY)
    # Refused files are gone from the list after two days, a skipped one stays.
    assert batch in Batch.objects.in_work(since=MONDAY.replace(day=5))

    mark(faint, new, clerk)

    assert batch not in Batch.objects.in_work(since=MONDAY.replace(day=5))
    client.force_login(person(Role.SUPERVISOR))
    page = words_of(client.get(reverse("intake:intake_supervisor")))
    assert "torn.pdf" in page
    assert "faint.pdf" not in page
