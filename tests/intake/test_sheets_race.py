"""Eight clerks ask for the next scan at once; no one gets a scan that another has."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.roles import Role
from cases.models import Case
from intake.models import CancelReason, Scan
from intake.services import batches, receiving
from tests.factories import MONDAY, application, batch_of, person, scanned_file

pytestmark = pytest.mark.every_database

CLERKS, SHEETS = 8, 16


def at_once(work, workers):
    """Run ``work(worker)`` in a thread for each, all starting together."""
    together = Barrier(len(workers))

    def run(worker):
        try:
            together.wait(timeout=30)
            return work(worker)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(workers)) as pool:
        return list(pool.map(run, workers))


def test_clerks_who_claim_at_the_same_time_never_get_the_same_scan(committed_db):
    clerks = [person(Role.INTAKE) for _ in range(CLERKS)]
    batch_of(*[scanned_file() for _ in range(SHEETS)], by=clerks[0])

    def key_all(clerk):
        taken = []
        while scan := batches.claim_next_scan(by=clerk, at=MONDAY):
            taken.append(scan.pk)
            batches.skip_scan(
                scan_id=scan.pk, reason=CancelReason.UNREADABLE, note="", by=clerk, at=MONDAY
            )
        return taken

    taken = [pk for some in at_once(key_all, clerks) for pk in some]

    assert len(taken) == len(set(taken)) == SHEETS
    assert not Scan.objects.filter(state="WAITING").exists()


def test_one_clerk_in_two_windows_gets_one_scan(committed_db):
    clerk = person(Role.INTAKE)
    batch_of(scanned_file(), scanned_file(), by=clerk)

    first, second = at_once(lambda who: batches.claim_next_scan(by=who, at=MONDAY), [clerk, clerk])

    assert first == second


def test_two_clerks_who_save_one_scan_make_one_case(committed_db):
    clerks = [person(Role.INTAKE) for _ in range(2)]
    (scan,) = batch_of(scanned_file(), by=clerks[0]).scans.all()

    def save(clerk):
        try:
            return receiving.receive_application(
                application=application(scan_id=scan.pk), by=clerk, at=MONDAY
            )
        except receiving.ScanAlreadyEntered as known:
            return known.case

    assert len({case.pk for case in at_once(save, clerks)}) == 1
    assert Case.objects.count() == 1


@pytest.mark.capability("IN-9")
@pytest.mark.parametrize("same", [True, False])
def test_cases_created_at_the_same_time_never_share_a_number(committed_db, same):
    clerks = [person(Role.INTAKE) for _ in range(4)]
    one_form = application()

    def save(clerk):
        form = one_form if same else application()
        return receiving.receive_application(application=form, by=clerk, at=MONDAY).number

    assert len(set(at_once(save, clerks))) == (1 if same else 4)
