"""Requests of signed-in users, and helpers to read what they send."""

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict

from .models import User

NO_VERSION = 0  # versions begin at 1
# Where a view notes the case that its address does not name, for the access log.
ACCESS_CASE = "_access_case"


class StaffRequest(HttpRequest):
    """A request of a signed-in user; the middleware lets no other through."""

    user: User
    htmx: Any
    may_open: Callable[..., bool]  # whether the user may open a route, by its name and arguments


def name_case_of_access(request: HttpRequest, number: str) -> None:
    """Name the case of this page for the access log, if the address does not contain it."""
    setattr(request, ACCESS_CASE, number)


def posted_data(request: StaffRequest) -> QueryDict | None:
    """Return the data of a sent form; ``None`` if the request is no POST."""
    return request.POST if request.method == "POST" else None


def posted_files(request: StaffRequest) -> MultiValueDict[str, UploadedFile] | None:
    """Return the files of a sent form; ``None`` if the request is no POST."""
    return request.FILES if request.method == "POST" else None


def read_whole_number(text: str) -> int | None:
    """Read a version, revision or id sent by a page; ``None`` if it is malformed."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def seen_version(request: StaffRequest) -> int:
    """Return the version that the page showed; ``NO_VERSION`` if it is missing or malformed.

    No row has that version, so a form without a version is stale.
    """
    return read_whole_number(request.POST.get("version", "")) or NO_VERSION
