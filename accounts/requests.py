"""Requests of signed-in users, and helpers to read what they send."""

from typing import Any

from django.http import HttpRequest, QueryDict

from .models import User

NO_VERSION = 0  # versions begin at 1


class StaffRequest(HttpRequest):
    """A request of a signed-in user; the middleware lets no other through."""

    user: User
    htmx: Any


def posted_data(request: StaffRequest) -> QueryDict | None:
    """The data of a sent form; ``None`` if the request is no POST."""
    return request.POST if request.method == "POST" else None


def read_whole_number(text: str) -> int | None:
    """Read a version, revision or id sent by a page; ``None`` if it is malformed."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def seen_version(request: StaffRequest) -> int:
    """The version that the page showed; ``NO_VERSION`` if it is missing or malformed.

    No row has that version, so a form without a version is stale.
    """
    return read_whole_number(request.POST.get("version", "")) or NO_VERSION
