"""A full disk and a busy database: 503 with a sentence, and what was typed is kept."""

import errno
import html
import os
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from accounts import access_reserve, storage_failures
from accounts.actions import try_action
from accounts.models import AccessLogEntry
from accounts.roles import Role
from cases.models import Case, Event
from imr_portal import middleware
from tests.factories import MONDAY, person, received_case
from tests.intake.test_intake_page import make_form_data
from tests.processes import ROOT
from tests.records.factories import pdf_bytes


def sqlite_error(code, sentence):
    cause = sqlite3.OperationalError(sentence)
    cause.sqlite_errorcode = code
    error = OperationalError(sentence)
    error.__cause__ = cause
    return error


def disk_full():
    return sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")


def locked():
    return sqlite_error(sqlite3.SQLITE_BUSY, "database is locked")


def postgresql_error(state, kind="Error"):
    """What Django raises for an error of psycopg; without a state, the server did not answer."""
    cause = type(kind, (Exception,), {"sqlstate": state})("failed")
    error = OperationalError("failed")
    error.__cause__ = cause
    return error


def postgresql_full():
    return postgresql_error("53100")


def no_space():
    return OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def clerk(client, set_clock, reserve):
    set_clock(MONDAY)
    user = person(*(role for role in Role if role != Role.REVIEWER))
    client.force_login(user)
    return user


@pytest.fixture
def reserve(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    access_reserve.prepare_reserve()


@contextmanager
def failing(error, *, words=("INSERT", "UPDATE"), tables=""):
    """Every statement that writes fails as on a full disk."""
    from django.db import connection

    def fail(execute, sql, parameters, many, context):
        if sql.startswith(words) and tables in sql:
            raise error()
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(fail):
        yield
    # In production a page has no transaction; that of the test saw no statement and goes on.
    connection.needs_rollback = False


@pytest.mark.django_db
@pytest.mark.parametrize("error", [disk_full, postgresql_full, no_space])
def test_a_save_on_a_full_disk_shows_the_form_with_what_was_typed(client, clerk, error):
    case, url = received_case(), "cases:note"

    with failing(error):
        page = client.post(reverse(url, args=[case.number]), {"text": "Typed for an hour."})

    assert page.status_code == 503
    shown = html.unescape(page.content.decode())
    assert "Not saved: the disk of the server is full" in shown
    assert "Typed for an hour.</textarea>" in shown
    assert not case.events.filter(kind=Event.Kind.NOTE).exists()


@pytest.mark.django_db
def test_a_locked_database_is_answered_with_the_form(client, clerk, monkeypatch):
    monkeypatch.setattr(storage_failures.time, "sleep", lambda seconds: None)
    target = "intake.views.application.receiving.receive_application"
    with mock.patch(target, side_effect=locked()):
        page = client.post("/intake/new/", make_form_data())

    assert page.status_code == 503
    shown = html.unescape(page.content.decode())
    assert "Not saved: The database is busy." in shown
    assert 'value="Quintanar"' in shown
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("state", "kind", "failure"),
    [
        ("55P03", "LockNotAvailable", storage_failures.DatabaseBusy),
        ("57014", "QueryCanceled", storage_failures.DatabaseBusy),
        ("53300", "TooManyConnections", storage_failures.DatabaseBusy),
        ("53200", "OutOfMemory", storage_failures.DatabaseBusy),
        ("53100", "DiskFull", storage_failures.DiskFull),
        ("57P01", "AdminShutdown", storage_failures.DatabaseLost),
        ("57P03", "CannotConnectNow", storage_failures.DatabaseLost),
        ("08006", "ConnectionFailure", storage_failures.DatabaseLost),
        (None, "OperationalError", storage_failures.DatabaseLost),
        (None, "InterfaceError", storage_failures.DatabaseLost),
    ],
)
def test_failures_of_postgresql_that_pass_are_recognized(state, kind, failure):
    assert type(storage_failures.find_storage_failure(postgresql_error(state, kind))) is failure


@pytest.mark.parametrize(("state", "kind"), [("42P01", "UndefinedTable"), (None, "Other")])
def test_faults_of_the_portal_are_not_taken_for_failures_that_pass(state, kind):
    assert storage_failures.find_storage_failure(postgresql_error(state, kind)) is None


@pytest.mark.django_db
def test_a_save_whose_connection_broke_is_not_tried_again(client, clerk, monkeypatch):
    """Its commit may have been stored."""
    monkeypatch.setattr(storage_failures, "_is_in_transaction", lambda: False)
    tries = []

    def receive(**values):
        tries.append(1)
        raise postgresql_error(None, "OperationalError")

    target = "intake.views.application.receiving.receive_application"
    with mock.patch(target, side_effect=receive):
        page = client.post("/intake/new/", make_form_data())

    assert (page.status_code, len(tries)) == (503, 1)
    shown = html.unescape(page.content.decode())
    assert "this may not be saved" in shown
    assert 'value="Quintanar"' in shown


@pytest.mark.django_db
def test_a_save_that_failed_is_recorded_as_shown_and_not_as_denied(client, clerk):
    case = received_case()
    with mock.patch("cases.views.endings.load_case", side_effect=locked()):
        page = client.post(reverse("cases:note", args=[case.number]), {"text": "Words."})

    assert page.status_code == 503
    entry = AccessLogEntry.objects.latest("pk")
    assert (entry.reference, entry.granted) == (case.number, True)


@pytest.mark.django_db
def test_a_database_that_is_locked_once_is_not_noticed(monkeypatch):
    monkeypatch.setattr(storage_failures.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(storage_failures, "_is_in_transaction", lambda: False)
    answers = iter([locked(), locked(), "saved"])

    def save():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert try_action(save).result == "saved"


@pytest.mark.django_db
def test_tries_of_a_locked_database_end(monkeypatch):
    monkeypatch.setattr(storage_failures.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(storage_failures, "_is_in_transaction", lambda: False)
    tries = []

    def save():
        tries.append(1)
        raise locked()

    attempt = try_action(save)
    assert (attempt.status, len(tries)) == (503, storage_failures.TRIES)


@pytest.mark.django_db
def test_a_full_disk_is_not_tried_again():
    tries = []

    def save():
        tries.append(1)
        raise disk_full()

    assert try_action(save).status == 503
    assert len(tries) == 1


@pytest.mark.django_db
def test_an_upload_that_does_not_fit_keeps_the_form(client, clerk):
    scan = SimpleUploadedFile("scan.pdf", pdf_bytes(), content_type="application/pdf")
    with mock.patch("files.services._write_incoming", side_effect=no_space()):
        page = client.post("/intake/new/", make_form_data(scan=scan))

    assert page.status_code in {422, 503}
    shown = html.unescape(page.content.decode())
    assert "Not saved: the disk of the server is full" in shown
    assert 'value="Quintanar"' in shown


@pytest.mark.django_db
def test_a_large_upload_that_does_not_fit_shows_what_was_typed(client, clerk, monkeypatch):
    from files import upload_handlers

    class Full:
        def write(self, data):
            raise no_space()

        def close(self):
            raise no_space()

    def begin(self, *args, **options):
        self.file = Full()

    monkeypatch.setattr(upload_handlers.TemporaryFileUploadHandler, "new_file", begin)
    scan = SimpleUploadedFile("scan.pdf", b"%PDF-" + b"x" * 3_000_000)
    page = client.post("/intake/new/", make_form_data() | {"scan": scan})

    assert page.status_code == 503
    shown = html.unescape(page.content.decode())
    assert "has no space for the file" in shown
    assert "Quintanar</textarea>" in shown
    assert not Case.objects.exists()


@pytest.mark.django_db
def test_an_error_outside_of_an_action_shows_what_was_typed_and_sends_it_again(client, clerk):
    case = received_case()
    with mock.patch("cases.views.endings.load_case", side_effect=disk_full()):
        page = client.post(
            reverse("cases:note", args=[case.number]),
            {"text": "Typed for an hour.", "form_key": "", "password": "secret"},
        )

    assert page.status_code == 503
    shown = html.unescape(page.content.decode())
    assert "Typed for an hour.</textarea>" in shown
    assert f'action="{reverse("cases:note", args=[case.number])}"' in shown
    assert "secret" not in shown


@pytest.mark.django_db
def test_other_errors_are_errors(client, clerk):
    case = received_case()
    broken = OperationalError("no such table")
    with (
        mock.patch("cases.views.endings.load_case", side_effect=broken),
        pytest.raises(OperationalError),
    ):
        client.post(reverse("cases:note", args=[case.number]), {"text": "Words."})


# --- Reading --------------------------------------------------------------------------------------


def test_pages_open_on_a_full_disk_and_their_accesses_are_kept(
    committed_db, client, set_clock, reserve
):
    set_clock(MONDAY)
    clerk = person(*(role for role in Role if role != Role.REVIEWER))
    client.force_login(clerk)
    case = received_case()
    before = AccessLogEntry.objects.count()
    with failing(disk_full):
        assert client.get("/").status_code == 200
        assert client.get(case.get_absolute_url()).status_code == 200
    assert AccessLogEntry.objects.count() == before
    waiting = access_reserve.count_reserved_entries()
    assert waiting == 2

    # The next access that the database takes brings the others along.
    set_clock(MONDAY + timedelta(seconds=5))
    assert client.get(case.get_absolute_url()).status_code == 200

    assert access_reserve.count_reserved_entries() == 0
    entries = AccessLogEntry.objects.order_by("-pk")[:3]
    assert AccessLogEntry.objects.count() == before + 3
    assert [(one.user, one.subject, one.reference, one.granted) for one in entries] == [
        (clerk, "case", case.number, True),
        (clerk, "list", "", True),
        (clerk, "case", case.number, True),
    ]


@pytest.mark.django_db
def test_a_page_with_personal_facts_stays_closed_if_nothing_takes_the_entry(
    client, clerk, settings, tmp_path
):
    settings.VAR_DIR = tmp_path / "empty"  # without a reserve
    case = received_case()
    with failing(disk_full):
        page = client.get(case.get_absolute_url())

    assert page.status_code == 503
    shown = html.unescape(page.content.decode())
    assert "could not be recorded" in shown
    assert "Quintanar" not in shown


@pytest.mark.django_db
def test_a_session_that_cannot_be_saved_does_not_close_the_pages(client, clerk):
    session = client.session
    session["seen_at"] = int(MONDAY.timestamp()) - 120
    session["began_at"] = int(MONDAY.timestamp()) - 120
    session.save()
    with failing(disk_full, tables="django_session"):
        assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_a_sign_in_that_cannot_be_saved_is_refused_with_a_sentence(client):
    user = person(Role.INTAKE)
    user.set_password("correct horse battery staple")
    user.save()
    with failing(disk_full, tables="django_session"):
        page = client.post(
            "/people/login/", {"login": user.email, "password": "correct horse battery staple"}
        )
    assert page.status_code == 503
    assert "correct horse" not in page.content.decode()


@pytest.mark.django_db
def test_a_session_that_cannot_be_read_is_answered_with_a_sentence(client, clerk):
    with failing(locked, words=("SELECT",), tables="django_session"):
        page = client.get("/")
    assert page.status_code == 503
    assert middleware.NOT_OPENED[:40] in html.unescape(page.content.decode())


@pytest.mark.sqlite
@pytest.mark.long
def test_answers_come_within_ten_seconds_while_another_process_locks_sqlite(tmp_path):
    """The action, the access log and the session do not each wait in turn."""
    script = """
import os, sqlite3, time
os.environ["VAR_DIR"] = os.environ["FOLDER"]
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
import imr_portal.wsgi
from django.contrib.sessions.models import Session
from django.test import Client
from accounts.roles import Role
from accounts.services import create_user
from django.utils import timezone
from django.db import connection
user = create_user(email="a@example.org", name="Ada Clerk", password=None,
                   roles=[Role.INTAKE, Role.COORDINATOR], by=None, at=timezone.now())
client = Client(raise_request_exception=False)
client.force_login(user)
client.get("/intake/new/")  # loads what the first page loads
session = client.session
session["began_at"] = session["seen_at"] = int(time.time()) - 120
session.save()
connection.close()
other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
for method, data in (("get", {}), ("post", {"claim": "1"})):
    began = time.monotonic()
    page = getattr(client, method)("/intake/new/", data)
    print("ANSWER", method, page.status_code, round(time.monotonic() - began, 1))
"""
    environ = {
        **os.environ,
        "FOLDER": str(tmp_path),
        "DATABASE_URL": f"sqlite://{tmp_path}/portal.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, cwd=ROOT, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    answers = [line.split()[1:] for line in done.stdout.splitlines() if "ANSWER" in line]
    assert len(answers) == 2, done.stderr[-3000:]
    assert all(float(seconds) < 10 for _, _, seconds in answers), answers


# --- The reserve of the access log ----------------------------------------------------------------


def reserve_one(user, reference="CM26-0000001"):
    access_reserve.add_reserved_entry(
        user_id=user.pk,
        subject="case",
        reference=reference,
        granted=True,
        accessed_at=timezone.now(),
    )


@pytest.mark.django_db
def test_the_reserve_takes_entries_until_it_is_full(clerk, reserve, monkeypatch):
    monkeypatch.setattr(access_reserve, "SLOTS", 3)
    size = access_reserve.reserve_path().stat().st_size
    for _ in range(3):
        reserve_one(clerk)
    with pytest.raises(access_reserve.ReserveFull):
        reserve_one(clerk)
    assert access_reserve.count_reserved_entries() == 3
    assert access_reserve.reserve_path().stat().st_size == size
    assert access_reserve.reserve_path().stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_moving_entries_twice_adds_them_once(clerk, reserve):
    reserve_one(clerk)
    before = AccessLogEntry.objects.count()
    with (
        mock.patch.object(access_reserve.os, "pwrite", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        access_reserve.move_reserved_entries()
    assert access_reserve.move_reserved_entries() == 1
    assert AccessLogEntry.objects.count() == before + 1
    assert not access_reserve.has_reserved_entries()


@pytest.mark.django_db
def test_preparing_again_keeps_the_entries(clerk, reserve):
    reserve_one(clerk)
    access_reserve.prepare_reserve()
    assert access_reserve.count_reserved_entries() == 1


def tear_place(slot, content):
    with access_reserve.reserve_path().open("r+b") as file:
        file.seek(slot * access_reserve.SLOT_BYTES)
        file.write(content.ljust(access_reserve.SLOT_BYTES, b"\0"))


@pytest.mark.django_db
def test_a_torn_place_of_the_reserve_is_set_aside_and_reported(client, clerk, reserve):
    case = received_case()
    for reference in ("CM26-0000001", "CM26-0000002"):
        reserve_one(clerk, reference)
    tear_place(0, b'{"user_id": 1, "subj')

    page = client.get(case.get_absolute_url())

    assert page.status_code == 200
    assert not access_reserve.has_reserved_entries()
    assert AccessLogEntry.objects.filter(reference="CM26-0000002").exists()
    assert access_reserve.broken_path().read_bytes() == b'{"user_id": 1, "subj\n'
    answer = client.get("/readyz").json()
    assert (answer["ready"], answer["access_entries"]) == (True, "damaged")


@pytest.mark.django_db
def test_a_place_that_was_changed_is_not_believed(clerk, reserve):
    reserve_one(clerk, "CM26-0000001")
    content = access_reserve.reserve_path().read_bytes()[: access_reserve.SLOT_BYTES]
    tear_place(0, content.replace(b"CM26-0000001", b"CM26-0000009"))

    assert access_reserve.move_reserved_entries() == 0
    assert not AccessLogEntry.objects.exists()
    assert access_reserve.has_broken_entries()


@pytest.mark.django_db
def test_a_long_list_of_numbers_takes_several_places(clerk, reserve):
    numbers = [f"CM26-{number:07}" for number in range(150)]
    access_reserve.add_reserved_entry(
        user_id=clerk.pk,
        subject="CASES",
        reference="é" * 80,
        granted=True,
        accessed_at=MONDAY,
        shown=" ".join(numbers),
    )

    assert access_reserve.move_reserved_entries() > 1
    stored = AccessLogEntry.objects.order_by("pk").values_list("shown", flat=True)
    assert " ".join(stored).split() == numbers
