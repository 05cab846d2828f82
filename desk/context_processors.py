"""The frame of every page: brand, date, menu, and how many cases wait in each list."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from . import places, queues

BRAND = "IMR Portal"


@dataclass(frozen=True)
class Entry:
    """A menu entry as one person sees it on this page."""

    label: str
    url: str
    key: str
    count_key: str
    is_current: bool


@dataclass
class Shell:
    """The frame for one request. Values are computed only if the page shows them."""

    request: HttpRequest
    brand: str = field(default=BRAND)

    @cached_property
    def now(self) -> datetime:
        # One moment for the whole page, so that its parts cannot fall on different days.
        return timezone.now()

    @cached_property
    def today(self) -> date:
        """Today in Los Angeles; legal days are Pacific days."""
        return timezone.localdate(self.now)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many wait in each list that is one’s own, by its slug."""
        return queues.own_counts_of_request(self.request) if self._user else {}

    @property
    def counts_stamp(self) -> str:
        """A stamp of the counts, which the poll sends back to learn whether they have changed."""
        return queues.stamp_of_counts(self.counts)

    @cached_property
    def sections(self) -> list[tuple[str, list[tuple[Entry, int | None]]]]:
        """The menu: each section with its entries and their counts."""
        user = self._user
        if user is None:
            return []
        sections: dict[str, list[tuple[Entry, int | None]]] = {}
        for title, place, url in places.list_menu(user, self._may_open):
            entry = Entry(place.label, url, place.key, place.count, url == self.request.path)
            count = self.counts.get(place.count) if place.count else None
            # A section without entries would leave a heading alone.
            sections.setdefault(title, []).append((entry, count))
        return list(sections.items())

    @property
    def jump_url(self) -> str:
        """The address of the search box, or empty."""
        return places.find_address("desk:jump")

    @property
    def _may_open(self) -> places.MayOpen:
        # The middleware sets it. Pages of errors before it have no menu.
        return getattr(self.request, "may_open", lambda *_: False)

    @property
    def _user(self) -> Any:
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None


def add_shell(request: HttpRequest) -> dict[str, Shell]:
    """Add the frame to every page's context, as ``shell``."""
    return {"shell": Shell(request)}
