"""The machine's pages answer without a session, quickly, and disclose nothing."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.roles import Role
from imr_portal import __version__, health
from letters.models import Heartbeat
from tests.factories import person


def test_the_liveness_page_answers_without_a_query(client):
    answer = client.get("/livez")

    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_the_release_is_reported(client):
    assert client.get("/version").json() == {"version": __version__}


@pytest.mark.django_db
def test_the_liveness_page_asks_nobody_even_with_a_session(client, django_assert_num_queries):
    client.force_login(person(Role.INTAKE))

    with django_assert_num_queries(0):
        assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_a_full_disk_is_reported(client, settings, monkeypatch):
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 62)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["disk"] == "full"
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_ready_means_database_migrations_and_files(client, settings):
    settings.REDIS_URL = ""

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "database": "ok",
        "migrations": "ok",
        "files": "ok",
        "disk": "ok",
        "broker": "not set",
        "worker": "never seen",
        "relay": "never seen",
        "access_entries": "ok",
    }


@pytest.mark.django_db
def test_the_pages_work_while_the_broker_is_unavailable(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["broker"] == "unavailable"
    assert b"127.0.0.1" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "sentence"),
    [
        (timedelta(seconds=30), "ok"),
        (timedelta(minutes=4), "silent"),
        (timedelta(seconds=-20), "ok"),  # the clock of another machine
        (timedelta(hours=-3), "silent"),  # recorded before the clock was set back
    ],
)
def test_a_worker_is_silent_after_three_minutes_without_work(client, age, sentence):
    Heartbeat.objects.create(name="worker", beaten_at=timezone.now() - age)

    assert client.get("/readyz").json()["worker"] == sentence


@pytest.mark.django_db
def test_files_that_cannot_be_written_make_it_unready(client, settings, tmp_path):
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("not a folder")
    settings.FILES_DIR = str(in_the_way)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert (answer.json()["ready"], answer.json()["files"]) == (False, "failed")
    assert str(tmp_path) not in answer.content.decode()


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_makes_it_unready(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'cases'")

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "failed"


def test_an_unavailable_database_is_reported_as_not_ready_and_not_as_an_error(client, monkeypatch):
    from imr_portal import health

    def fail():
        raise OSError("could not connect to server at db.internal")

    monkeypatch.setattr(health, "_can_query_database", fail)
    monkeypatch.setattr(health, "_has_all_migrations", fail)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert json.loads(answer.content)["database"] == "failed"
    assert b"db.internal" not in answer.content
