"""Each way in which the portal can be configured wrongly is refused, by its own id."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection

from accounts.roles import Role
from imr_portal import checks
from tests.factories import UserFactory

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "PATH": "/usr/bin:/bin",
    "SECRET_KEY": "x7Qe" * 15 + "-long-enough-and-not-in-the-repository",
    "ALLOWED_HOSTS": "portal.example",
    "REDIS_URL": "redis://broker.example/0",
    "LOG_LEVEL": "WARNING",
}


def run_manage_command(*words, tmp_path, **changes):
    """Run a management command as a new process with production's settings."""
    env = {**GOOD, "VAR_DIR": str(tmp_path), **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={name: value for name, value in env.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_production_settings_are_clean(tmp_path):
    done = run_manage_command("check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": None}, "Set SECRET_KEY in the environment"),
        (
            {"SECRET_KEY": "sample-secret-key-for-development-only-not-for-production-use"},
            "SECRET_KEY is the sample one",
        ),
        ({"DEBUG": "yes"}, "Write 1 or 0"),
        ({"SESSION_IDLE_SECONDS": "an hour"}, "Write a whole number"),
        ({"DATABASE_URL": "mysql://db/imr"}, "Use postgresql:// or sqlite://"),
    ],
)
def test_a_process_refuses_to_start_and_names_the_missing_setting(tmp_path, changes, sentence):
    done = run_manage_command("check", tmp_path=tmp_path, **changes)

    assert done.returncode != 0
    assert sentence in done.stderr


CARELESS = {
    "SECRET_KEY": ("short", "security.W009"),
    "SECURE_SSL_REDIRECT": ("0", "security.W008"),
    "ALLOWED_HOSTS": ("", "security.W020"),
    "DEMO": ("1", "imr_portal.E007"),
    "SECOND_FACTOR_REQUIRED": ("0", "imr_portal.E008"),
    "REDIS_URL": ("", "imr_portal.E009"),
    "ALLOW_SAMPLE_WORDING": ("1", "imr_portal.E012"),
    "FILES_DIR": ("/srv/static/records", "imr_portal.W011"),
}


def test_every_careless_setting_is_named(tmp_path):
    """All at once, and each by its own id; the settings that are good give none of them."""
    changes = {setting: value for setting, (value, _) in CARELESS.items()}

    done = run_manage_command(
        *("check", "--deploy", "--fail-level", "WARNING"),
        tmp_path=tmp_path,
        STATIC_ROOT="/srv/static",
        **changes,
    )

    assert done.returncode != 0
    assert not [name for _, name in CARELESS.values() if name not in done.stderr]


def test_a_machine_of_a_developer_is_named(tmp_path):
    done = run_manage_command("check", "--deploy", tmp_path=tmp_path, DEBUG="1", SECRET_KEY=None)

    assert done.returncode != 0
    assert "imr_portal.E006" in done.stderr  # the sample key
    assert "imr_portal.E007" in done.stderr  # DEBUG


# --- databases ------------------------------------------------------------------------------------


def run_deploy_checks(**options):
    return {
        message.id: message
        for message in run_checks(databases=["default"], **options)
        if message.id.startswith("imr_portal")
    }


@pytest.mark.django_db
def test_the_database_that_the_settings_make_is_sound():
    if connection.vendor == "sqlite":
        assert list(checks.find_sqlite_faults("default")) == []


@contextmanager
def answer_queries(monkeypatch, answers):
    """A connection that gives these answers to its questions, in any order."""

    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

        def execute(self, statement):
            self.answer = next(value for key, value in answers.items() if key in statement)

        def fetchone(self):
            return (self.answer,)

    class Connection:
        vendor = answers.get("vendor")
        settings_dict = {"OPTIONS": answers.get("options", {})}

        def cursor(self):
            return Cursor()

    monkeypatch.setattr(checks, "connections", {"default": Connection()})
    yield


SOUND_SQLITE = {
    "vendor": "sqlite",
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "options": {"transaction_mode": "IMMEDIATE", "timeout": 20},
}


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"journal_mode": "delete"}, "journal_mode is delete"),
        ({"synchronous": 1}, "synchronous is 1"),
        ({"synchronous": 0}, "synchronous is 0"),
        ({"foreign_keys": 0}, "foreign_keys is 0"),
        ({"recursive_triggers": 0}, "recursive_triggers is 0"),
        ({"options": {"transaction_mode": "IMMEDIATE", "timeout": 5}}, "wait less than 20"),
        ({"options": {"timeout": 20}}, "do not begin IMMEDIATE"),
    ],
)
def test_each_broken_setting_of_sqlite_is_refused(monkeypatch, broken, sentence):
    with answer_queries(monkeypatch, SOUND_SQLITE):
        assert checks.check_sqlite_durability(["default"]) == []

    with answer_queries(monkeypatch, {**SOUND_SQLITE, **broken}):
        (message,) = checks.check_sqlite_durability(["default"])
    assert message.id == "imr_portal.E001"
    assert sentence in message.msg
    assert message.hint


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_each_broken_setting_of_postgresql_is_refused(monkeypatch, name):
    sound = dict.fromkeys(["fsync", "full_page_writes", "synchronous_commit"], "on")
    sound["vendor"] = "postgresql"
    with answer_queries(monkeypatch, sound):
        assert checks.check_postgresql_durability(["default"]) == []

    with answer_queries(monkeypatch, {**sound, name: "off"}):
        (message,) = checks.check_postgresql_durability(["default"])
    assert message.id == "imr_portal.E002"
    assert name in message.msg
    assert message.hint


@pytest.mark.django_db
def test_demonstration_users_in_a_production_database_are_refused():
    assert "imr_portal.E004" not in run_deploy_checks(include_deployment_checks=True)
    user = UserFactory.create(roles=[Role.INTAKE])
    user.is_demo = True
    user.save(update_fields=["is_demo"])

    assert (
        "1 demonstration users"
        in run_deploy_checks(include_deployment_checks=True)["imr_portal.E004"].msg
    )


@pytest.mark.django_db
def test_unconfirmed_law_is_listed_without_being_an_error():
    messages = [
        message
        for message in run_checks(databases=["default"], include_deployment_checks=True)
        if message.id == "imr_portal.I005"
    ]

    assert messages
    assert not any(message.is_serious() for message in messages)
    assert any("deadline rules" in message.msg for message in messages)
    assert all("historical" not in message.msg for message in messages)


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_role_that_owns_its_tables_is_refused():
    message = run_deploy_checks(include_deployment_checks=True)["imr_portal.E003"]

    assert "superuser" in message.msg or "owns" in message.msg
    assert "grant_application_role" in message.hint


# --- Celery ---------------------------------------------------------------------------------------


def test_celery_is_set_to_lose_nothing():
    from imr_portal.celery import app

    assert list(checks.find_celery_faults(app.conf)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task_acks_late": False}, "task_acks_late is off"),
        ({"task_reject_on_worker_lost": False}, "task_reject_on_worker_lost is off"),
        ({"task_ignore_result": False}, "task_ignore_result is off"),
        ({"worker_prefetch_multiplier": 4}, "more messages than it works on"),
        ({"accept_content": ["json", "pickle"]}, "other than JSON"),
        ({"task_serializer": "pickle"}, "other than JSON"),
        ({"task_time_limit": None}, "run forever"),
        ({"task_time_limit": 3600}, "not below the visibility timeout"),
        ({"worker_soft_shutdown_timeout": 0}, "drops its task"),
        ({"broker_transport_options": {"visibility_timeout": 120}}, "socket_timeout is not set"),
    ],
)
def test_each_broken_setting_of_celery_is_refused(change, sentence):
    from celery import Celery

    from imr_portal.celery import _celery_settings

    app = Celery("broken", set_as_current=False)
    app.conf.update({**_celery_settings(), **change})

    assert any(sentence in fault for fault in checks.find_celery_faults(app.conf))


def test_every_hint_and_id_is_there():
    source = Path(checks.__file__).read_text()
    assert source.count("id=") == source.count("hint=")


@pytest.mark.django_db
def test_a_missing_virus_scanner_is_said_and_does_not_stop_production(settings):
    settings.CLAMD_SOCKET = ""
    message = run_deploy_checks(include_deployment_checks=True)["imr_portal.I006"]
    assert "No virus scanner is set" in message.msg
    assert not message.is_serious()
    assert message.level < 30  # below a warning, which stops the start

    settings.CLAMD_SOCKET = "/run/clamd.sock"
    assert "imr_portal.I006" not in run_deploy_checks(include_deployment_checks=True)
