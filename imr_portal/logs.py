"""Logs: one JSON object per line, in UTC, without personal data.

A line has the name of an event, ids and counts. The table ``KNOWN`` lists the allowed keys: other
keys are dropped, and values of the wrong form are replaced. Messages of libraries are written as
templates without their arguments, which may be anything. Of an exception only the type and place
are written: its message may quote a row, and so may local variables.
"""

import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase
from structlog.typing import Processor

WORD = re.compile(r"[\w.:@/+-]{1,120}")
SENTENCE = re.compile(r"[^\x00-\x1f]{1,300}")
DROPPED = "(dropped)"

# The allowed keys, each with a pattern for text; numbers and booleans are always allowed.
KNOWN: dict[str, re.Pattern[str]] = {
    "event": SENTENCE,  # our own are fixed names; those of libraries are templates
    "timestamp": WORD,
    "level": WORD,
    "logger": WORD,
    # the request
    "request_id": WORD,
    "user_id": WORD,
    "method": WORD,
    "route": WORD,
    "code": WORD,
    "ms": WORD,
    # ids, which mean nothing outside the database
    "case_id": WORD,
    "letter_id": WORD,
    "document_id": WORD,
    "task": WORD,
    "task_id": WORD,
    "process": WORD,
    # counts, durations, kinds
    "kind": WORD,
    "state": WORD,
    "step": WORD,
    "count": WORD,
    "reviews": WORD,
    "sent": WORD,
    "left_out": WORD,
    "list": WORD,
    "ended": WORD,
    "stages": WORD,
    "steered": WORD,
    "cases": WORD,
    "case": WORD,
    "findings": WORD,
    "job": WORD,
    "first": WORD,
    "last": WORD,
    "party": WORD,
    "attempt": WORD,
    "attempts": WORD,
    "seconds": WORD,
    "idle_seconds": WORD,
    "age_seconds": WORD,
    "pages": WORD,
    "bytes": WORD,
    "check": WORD,
    "error": WORD,  # the name of an exception's type
    "raised": SENTENCE,  # see ``name_exception``
}

# Loggers of libraries whose messages concern only the process, so they are written in full.
SPEAK_FREELY = {"gunicorn.error", "celery.apps.worker", "celery.beat"}

EventDict = MutableMapping[str, Any]


def keep_known(logger: Any, name: str, event: EventDict) -> EventDict:
    """Drop unknown keys, and replace values that do not match the pattern of their key."""
    known_fields: EventDict = {}
    for key, value in event.items():
        pattern = KNOWN.get(key)
        if pattern is None and not key.startswith("_"):
            continue
        if pattern is None or value is None or isinstance(value, bool | int | float):
            known_fields[key] = value
        elif key == "raised":
            known_fields[key] = [str(line) for line in value]
        else:
            known_fields[key] = str(value) if pattern.fullmatch(str(value)) else DROPPED
    return known_fields


def name_exception(logger: Any, name: str, event: EventDict) -> EventDict:
    """Replace an exception by its types and places, without message, locals and source lines."""
    exc_info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        error: BaseException | None = exc_info
    else:
        error = exc_info[1] if exc_info else None
    if error is not None:
        event["error"] = type(error).__name__
        event["raised"] = list(_list_places(error))
    return event


def _list_places(error: BaseException) -> list[str]:
    lines: list[str] = []
    current: BaseException | None = error
    # Chains of causes can be very long, or even circular.
    while current is not None and len(lines) < 60:
        lines.append(type(current).__name__)
        lines += [f"  {frame}" for frame in _list_frames(current.__traceback__)]
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return lines


def _list_frames(trace: TracebackType | None) -> list[str]:
    # lookup_lines=False: a source line is not needed, and might contain a literal value.
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(trace), limit=40, lookup_lines=False, capture_locals=False
    )
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def keep_message_template(logger: Any, name: str, event: EventDict) -> EventDict:
    """Keep the template of a library's message, because its arguments may name a person."""
    record: logging.LogRecord = event["_record"]
    args = event.pop("positional_args", ())
    if record.name == "django.request":
        # “%s: %s” with the phrase of the status and the address, which may contain anything.
        event["event"], event["code"] = "request_failed", getattr(record, "status_code", None)
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        event["route"] = match.view_name if match else None
        return event
    if record.name in SPEAK_FREELY:
        event["event"] = str(record.msg) % args if args else str(record.msg)
    elif not args:
        event["event"] = _place_of(record)
    # Celery passes the name and the id of the task this way. The rest may contain anything.
    if isinstance(args, dict):
        event["task"], event["task_id"] = args.get("name"), args.get("id")
    return event


def _place_of(record: logging.LogRecord) -> str:
    """Return the place of a message without arguments, whose text may already contain values."""
    return f"{record.module}:{record.lineno} (message not kept)"


def logging_settings(level: str) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING; everything goes to standard output."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*shared, keep_message_template],
                "processors": [
                    name_exception,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    # Last before rendering, so that no key added earlier gets around it.
                    keep_known,
                    structlog.processors.JSONRenderer(),
                ],
                # Messages arrive as a template with separate arguments.
                "use_get_message": False,
                "pass_foreign_args": True,
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Django adds handlers of its own to these two; ours is the only one.
            "django": {"handlers": [], "level": level, "propagate": True},
            # Its lines would repeat each request with its query string.
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
            # gunicorn too.
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            # A refused page is logged by our own middleware, with its route.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            # These log every step, with paths and rows.
            "fontTools": {"level": "ERROR"},
            "pikepdf": {"level": "ERROR"},
            "celery.utils.functional": {"level": "ERROR"},
        },
    }


class RequestLogMiddleware:
    """Logs one line per request: route, status, duration, user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.logger = structlog.get_logger(__name__)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A thread serves many requests, so nothing of the last one may be left.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            user = getattr(request, "_cached_user", None)  # without a query
            match = request.resolver_match
            self.logger.info(
                "request",
                method=request.method,
                route=match.view_name if match else None,
                code=response.status_code,
                ms=round((time.perf_counter() - began) * 1000),
                user_id=getattr(user, "pk", None),
            )
            return response
        finally:
            structlog.contextvars.clear_contextvars()
