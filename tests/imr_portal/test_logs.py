"""Logs are JSON lines of ids and counts. No text that a person typed gets into them."""

import ast
import io
import json
import logging
import logging.config

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from imr_portal import logs
from tests.factories import person

CANARY = "Zzyzx Quillfeather"


@pytest.fixture
def written():
    """What a process of ours would print, as a stream that can be read."""
    stream = io.StringIO()
    config = logs.logging_settings("DEBUG")
    config["handlers"]["stdout"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def read_log_lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_moment_level_and_ids(written):
    with structlog.contextvars.bound_contextvars(request_id="abc123"):
        structlog.get_logger("cases").info("case_moved", case_id=7, state="QA")

    (line,) = read_log_lines(written)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "case_moved",
        "level": "info",
        "logger": "cases",
        "request_id": "abc123",
        "case_id": 7,
        "state": "QA",
    }


def test_a_key_that_the_table_does_not_know_is_dropped(written):
    structlog.get_logger("cases").info("case_received", worker=CANARY, note=CANARY, case_id=7)

    assert CANARY not in written.getvalue()
    assert read_log_lines(written)[0]["case_id"] == 7


def test_a_log_value_of_the_wrong_type_is_dropped(written):
    structlog.get_logger("cases").info("case_received", state=CANARY, user_id={"name": CANARY})

    assert CANARY not in written.getvalue()
    assert read_log_lines(written)[0]["state"] == "(dropped)"


def test_an_exception_is_logged_as_type_and_place_without_text_or_locals(written):
    worker = CANARY
    try:
        raise IntegrityError(f"Key (name)=({worker}) already exists")
    except IntegrityError:
        structlog.get_logger("cases").exception("act_failed")
        logging.getLogger("some.library").exception("It failed for %s", worker)

    assert CANARY not in written.getvalue()
    assert "already exists" not in written.getvalue()
    for line in read_log_lines(written):
        assert line["error"] == "IntegrityError"
        assert line["raised"][0] == "IntegrityError"
        assert "test_logs.py" in line["raised"][-1]


def test_the_cause_of_an_exception_is_named_too(written):
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError:
        structlog.get_logger("cases").exception("act_failed")

    (line,) = read_log_lines(written)
    assert [word for word in line["raised"] if not word.startswith(" ")] == [
        "ValueError",
        "KeyError",
    ]
    assert CANARY not in written.getvalue()


def test_a_librarys_message_is_written_unfilled(written):
    logging.getLogger("some.library").warning("Cannot read %s of %s", CANARY, 3)
    logging.getLogger("some.library").warning(f"Cannot read {CANARY}")

    assert CANARY not in written.getvalue()
    assert read_log_lines(written)[0]["event"] == "Cannot read %s of %s"


def test_a_failed_request_has_an_event_name_a_code_and_a_route(written, client):
    client.raise_request_exception = False
    logger = logging.getLogger("django.request")
    request = client.get("/livez").wsgi_request
    logger.error("%s: %s", "Error", CANARY, extra={"status_code": 500, "request": request})

    line = read_log_lines(written)[-1]
    assert (line["event"], line["code"], line["route"]) == ("request_failed", 500, "livez")
    assert CANARY not in written.getvalue()


def test_a_value_cannot_begin_a_line_of_its_own(written):
    forged = 'x"}\n{"event":"user_promoted"'
    structlog.get_logger("cases").info(forged, state=forged)
    logging.getLogger("library").warning(forged)

    assert len(read_log_lines(written)) == 2
    assert not any(line["event"] == "user_promoted" for line in read_log_lines(written))


@pytest.mark.django_db
def test_a_request_leaves_one_line_with_route_code_and_person(written, client):
    user = person(Role.COORDINATOR)
    client.force_login(user)
    written.truncate(0), written.seek(0)

    client.get(reverse("desk:queue", args=["intake"]))

    request = next(line for line in read_log_lines(written) if line["event"] == "request")
    assert (request["method"], request["route"], request["code"]) == ("GET", "desk:queue", 200)
    assert request["user_id"] == user.pk
    assert len(request["request_id"]) == 32
    assert isinstance(request["ms"], int)


@pytest.mark.django_db
def test_nothing_that_a_person_types_gets_into_the_logs(written, client, monkeypatch):
    user = person(Role.COORDINATOR, Role.INTAKE, name=CANARY, email="zzyzx@canary.example")
    client.raise_request_exception = False
    client.post(reverse("account_login"), {"login": "zzyzx@canary.example", "password": CANARY})
    client.force_login(user)
    client.get(reverse("desk:jump"), {"q": CANARY}, headers={"User-Agent": CANARY})
    client.get(f"/cases/{CANARY}/")
    client.post(reverse("intake:intake"), {"worker_name": CANARY, "claim_number": CANARY})
    client.get("/livez", headers={"Host": "zzyzx.canary.example"})

    def breaks(*args, **options):
        shown = CANARY
        raise RuntimeError(f"{shown} and {user.email}")

    monkeypatch.setattr("desk.queues.load_queue_page", breaks)
    assert client.get(reverse("desk:queue", args=["intake"])).status_code == 500
    User.objects.filter(name=CANARY).count()

    text = written.getvalue()
    assert "RuntimeError" in text
    for word in ("Zzyzx", "Quillfeather", "zzyzx", "canary.example"):
        assert word not in text, next(line for line in text.splitlines() if word in line)


def test_celery_adds_no_handlers_of_its_own():
    from imr_portal.celery import app

    before = list(logging.getLogger().handlers)

    assert app.log.setup_logging_subsystem() is True
    assert logging.getLogger().handlers == before
    assert type(app.log).__name__ == "CeleryLogging"


def keys_logged():
    """Every key that our code passes to a logger."""
    levels = {"debug", "info", "warning", "error", "exception"}
    for path in settings.BASE_DIR.glob("*/**/*.py"):
        if path.is_relative_to(settings.BASE_DIR / "tests") or ".venv" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in levels
                and getattr(node.func.value, "id", "") in {"logger", "log"}
            ):
                yield from (word.arg for word in node.keywords if word.arg)


def test_no_key_that_the_code_logs_is_dropped():
    used = set(keys_logged()) - {"exc_info", "stack_info", "extra"}
    assert "letter_id" in used
    assert used <= set(logs.KNOWN)
