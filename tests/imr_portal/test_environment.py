"""Settings from the environment: strict, and with a sentence when something is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from imr_portal import environment

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def variable(monkeypatch):
    def put(value):
        monkeypatch.setenv("IMR_TEST", value)

    return put


def test_a_text_without_default_must_be_set():
    with pytest.raises(ImproperlyConfigured, match="Set IMR_TEST_NOT_SET"):
        environment.read_text("IMR_TEST_NOT_SET")


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("true", True), ("0", False)])
def test_a_flag_is_yes_or_no(variable, value, meant):
    variable(value)
    assert environment.read_flag("IMR_TEST", not meant) is meant


@pytest.mark.parametrize("value", ["", "yes", "on", "2"])
def test_a_flag_that_is_neither_is_refused(variable, value):
    variable(value)
    with pytest.raises(ImproperlyConfigured, match="Write 1 or 0"):
        environment.read_flag("IMR_TEST", False)


def test_a_number_is_whole(variable):
    variable("12")
    assert environment.read_number("IMR_TEST", 3) == 12
    variable("twelve")
    with pytest.raises(ImproperlyConfigured, match="Write a whole number"):
        environment.read_number("IMR_TEST", 3)


def test_a_list_is_cut_at_commas(variable):
    variable(" a.example, ,b.example ")
    assert environment.read_list("IMR_TEST") == ["a.example", "b.example"]


def test_without_an_address_the_database_is_a_file(tmp_path, monkeypatch):
    monkeypatch.delenv("IMR_TEST", raising=False)
    made = environment.database_settings(
        "IMR_TEST", default_file=tmp_path / "new" / "portal.sqlite3"
    )

    assert made["NAME"] == tmp_path / "new" / "portal.sqlite3"
    assert made["NAME"].parent.is_dir()


def test_an_address_of_postgresql_is_taken_apart(variable):
    variable("postgresql://imr%5Fapp:p%40ss@db.example:5433/imr?sslmode=verify-full")

    made = environment.database_settings("IMR_TEST", default_file=Path("unused"))

    assert (made["USER"], made["PASSWORD"]) == ("imr_app", "p@ss")
    assert (made["HOST"], made["PORT"], made["NAME"]) == ("db.example", "5433", "imr")
    assert made["OPTIONS"] == {"sslmode": "verify-full", "options": "-c lock_timeout=15s"}


def test_options_of_the_address_come_after_ours(variable):
    variable("postgresql://imr@db/imr?options=-c%20lock_timeout%3D1min")

    made = environment.database_settings("IMR_TEST", default_file=Path("unused"))

    assert made["OPTIONS"] == {"options": "-c lock_timeout=15s -c lock_timeout=1min"}


def test_a_socket_of_postgresql_is_a_folder(variable):
    variable("postgresql://imr@/imr?host=/run/postgresql")

    assert environment.database_settings("IMR_TEST", default_file=Path("unused"))["HOST"] == (
        "/run/postgresql"
    )


def test_another_kind_of_database_is_refused(variable):
    variable("mysql://db/imr")
    with pytest.raises(ImproperlyConfigured, match="postgresql://"):
        environment.database_settings("IMR_TEST", default_file=Path("unused"))


def test_database_and_files_are_readable_by_their_account_only(tmp_path):
    var = tmp_path / "var"
    environ = os.environ | {"VAR_DIR": str(var), "DEBUG": "1"}
    for name in ("DATABASE_URL", "FILES_DIR", "DJANGO_SETTINGS_MODULE"):
        environ.pop(name, None)
    run = [sys.executable, "manage.py", "check", "--database", "default"]
    subprocess.run(run, cwd=ROOT, env=environ, check=True, capture_output=True)

    for path in (var, var / "portal.sqlite3", var / "files", var / "files" / "incoming"):
        assert path.stat().st_mode & 0o077 == 0, path

    # A database of an earlier version is closed at the next start.
    (var / "portal.sqlite3").chmod(0o644)
    subprocess.run(run, cwd=ROOT, env=environ, check=True, capture_output=True)
    assert (var / "portal.sqlite3").stat().st_mode & 0o777 == 0o600
