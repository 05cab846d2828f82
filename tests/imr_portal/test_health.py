"""The machine's pages answer without a session, quickly, and give nothing away."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from imr_portal import __version__
from letters.models import Heartbeat


def test_the_liveness_page_answers_without_a_query(client):
    answer = client.get("/livez")

    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_the_release_is_reported(client):
    assert client.get("/version").json() == {"version": __version__}


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
        "broker": "not set",
        "worker": "never seen",
        "relay": "never seen",
    }


@pytest.mark.django_db
def test_a_missing_broker_does_not_take_the_pages_away(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["broker"] == "away"
    assert b"127.0.0.1" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "said"), [(timedelta(seconds=30), "ok"), (timedelta(minutes=4), "silent")]
)
def test_a_worker_is_silent_after_three_minutes_without_work(client, age, said):
    Heartbeat.objects.create(name="worker", beaten_at=timezone.now() - age)

    assert client.get("/readyz").json()["worker"] == said


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


def test_a_database_that_is_away_makes_it_unready_and_not_an_error(client, monkeypatch):
    from imr_portal import health

    def away():
        raise OSError("could not connect to server at db.internal")

    monkeypatch.setattr(health, "_can_query_database", away)
    monkeypatch.setattr(health, "_has_all_migrations", away)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert json.loads(answer.content)["database"] == "failed"
    assert b"db.internal" not in answer.content
