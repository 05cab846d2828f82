"""Eight clerks ask for the next sheet at once; nobody gets a sheet that another has."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.roles import Role
from cases.models import Case
from intake.models import Sheet, WhyNot
from intake.services import batches, receiving
from tests.factories import MONDAY, application, batch_of, person, scan

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


def test_clerks_who_claim_at_once_share_the_sheets_without_a_double(committed_db):
    clerks = [person(Role.INTAKE) for _ in range(CLERKS)]
    batch_of(*[scan() for _ in range(SHEETS)], by=clerks[0])

    def key_all(clerk):
        taken = []
        while sheet := batches.claim_next(by=clerk, at=MONDAY):
            taken.append(sheet.pk)
            batches.park(sheet_id=sheet.pk, reason=WhyNot.UNREADABLE, note="", by=clerk, at=MONDAY)
        return taken

    taken = [pk for some in at_once(key_all, clerks) for pk in some]

    assert len(taken) == len(set(taken)) == SHEETS
    assert not Sheet.objects.filter(state="WAITING").exists()


def test_one_clerk_in_two_windows_gets_one_sheet(committed_db):
    clerk = person(Role.INTAKE)
    batch_of(scan(), scan(), by=clerk)

    first, second = at_once(lambda who: batches.claim_next(by=who, at=MONDAY), [clerk, clerk])

    assert first == second


def test_two_clerks_who_save_one_sheet_make_one_case(committed_db):
    clerks = [person(Role.INTAKE) for _ in range(2)]
    (sheet,) = batch_of(scan(), by=clerks[0]).sheets.all()

    def save(clerk):
        try:
            return receiving.receive(
                application=application(sheet_id=sheet.pk), by=clerk, at=MONDAY
            )
        except receiving.SheetAlreadyEntered as known:
            return known.case

    assert len({case.pk for case in at_once(save, clerks)}) == 1
    assert Case.objects.count() == 1


@pytest.mark.parametrize("same", [True, False])
def test_in9_cases_created_at_once_never_share_a_number(committed_db, same):
    clerks = [person(Role.INTAKE) for _ in range(4)]
    key = application().key

    def save(clerk):
        form = application(**({"key": key} if same else {}))
        return receiving.receive(application=form, by=clerk, at=MONDAY).number

    assert len(set(at_once(save, clerks))) == (1 if same else 4)
