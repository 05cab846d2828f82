"""What a view may expect of a request that the middleware let through."""

from typing import Any

from django.http import HttpRequest

from .models import User


class StaffRequest(HttpRequest):
    """A request of someone who has signed in; the middleware lets nobody else through."""

    user: User
    htmx: Any
