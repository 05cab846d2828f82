"""What a view may expect of a request that the middleware let through, and what it sent."""

from typing import Any

from django.http import HttpRequest, QueryDict

from .models import User

NO_VERSION = 0  # a row's first version is 1


class StaffRequest(HttpRequest):
    """A request of someone who has signed in; the middleware lets no one else through."""

    user: User
    htmx: Any


def posted(request: StaffRequest) -> QueryDict | None:
    """What a form was sent with; an empty one counts as sent."""
    return request.POST if request.method == "POST" else None


def whole_number(text: str) -> int | None:
    """A version, revision or id that a page sends back; ``None`` if it is not one of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def seen_version(request: StaffRequest) -> int:
    """The version that the page showed; one that no row has if it is missing or no number.

    So a form without a version is as stale as one with an old version.
    """
    return whole_number(request.POST.get("version", "")) or NO_VERSION
