"""What the frame of every page shows: brand, day, where to go, how much waits there."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from cases.lifecycle import QUEUES

from . import queues

BRAND = "IMR Portal"


@dataclass(frozen=True)
class Place:
    """A line of the side bar. Shown to those who hold ``permission``, if its page exists."""

    label: str
    url_name: str
    permission: str
    args: tuple[str, ...] = ()
    count: str = ""  # the slug of the queue that it counts
    key: str = ""


_QUEUE_KEYS = {"eligibility": "g e", "records": "g w", "assign": "g t", "qa": "g q", "issue": "g s"}

# Sections of the side bar, in the order of the journey.
PLACES: dict[str, tuple[Place, ...]] = {
    "My work": (
        Place("My day", "desk:my_day", "cases.view_case", key="g i"),
        Place("My reviews", "determinations:my_reviews", "determinations.review", key="g r"),
        Place("Intake batches", "intake:batches", "intake.enter_application", key="g b"),
        Place("New application", "intake:intake", "intake.enter_application", key="g n"),
        Place("My intakes", "intake:my_intakes", "intake.enter_application"),
        Place("Outstanding records", "records:chase", "records.chase"),
        Place("Intake desk", "intake:intake_supervisor", "intake.supervise_intake"),
        Place("Drafts of letters", "correspondence:drafts", "correspondence.write_letters"),
        Place("Look alike", "cases:possible_duplicates", "cases.settle_possible_duplicate"),
        Place("Item changes", "cases:item_changes", "cases.decide_item_change"),
    ),
    "Queues": tuple(
        Place(label, "desk:queue", "cases.view_case", (slug,), slug, _QUEUE_KEYS.get(slug, ""))
        for slug, (label, _) in QUEUES.items()
    ),
    "OwnOrganization": (
        Place("Plan of assignments", "reviewers:plan", "reviewers.assign", key="g a"),
        Place("Reviewers", "reviewers:panel", "reviewers.see_identity", key="g p"),
        Place("Credentialing", "reviewers:worklist", "reviewers.see_identity"),
        Place("Organizations", "directory:organizations", "directory.keep_organizations"),
        Place("This organization", "cases:own_organization", "cases.keep_own_organization"),
        Place("Affiliations to settle", "cases:own_conflicts", "cases.settle_own_conflicts"),
        Place("Rules of deadlines", "cases:deadline_rules", "deadlines.manage_deadline_rules"),
        Place("Matching rules", "reviewers:rules", "reviewers.manage_weights"),
        Place("Conflict limits", "reviewers:limits", "reviewers.set_conflict_limits"),
        Place("Attestation wording", "reviewers:attestation", "reviewers.view_attestation"),
        Place("Payer bias of choices", "reviewers:payer_bias", "reviewers.view_payer_bias"),
        Place("Failed letters", "letters:failed", "letters.retry_failed_letter"),
        Place("Wording", "letters:wording", "letters.manage_wording"),
        Place("Guidelines", "admin:app_list", "guidelines.manage", ("guidelines",)),
        Place("People", "admin:accounts_user_changelist", "accounts.manage_people"),
        Place("Who looked", "admin:accounts_look_changelist", "accounts.view_looks"),
    ),
}


@dataclass(frozen=True)
class Entry:
    """A place as one person sees it now."""

    label: str
    url: str
    key: str
    count_key: str
    is_current: bool


@dataclass
class Shell:
    """The frame, for one request. What a page does not show is not worked out."""

    request: HttpRequest
    brand: str = field(default=BRAND)

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def today(self) -> date:
        """The local day; legal days are days in Los Angeles."""
        return timezone.localdate(self.now)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many wait in each queue, by its slug."""
        return queues.counts()

    @property
    def counts_stamp(self) -> str:
        """The state of the counts, so that a poll can say what it has seen."""
        return queues.stamp(self.counts)

    @cached_property
    def sections(self) -> list[tuple[str, list[tuple[Entry, int | None]]]]:
        """The side bar: section, then its entries with their counts."""
        found = []
        for title, places in PLACES.items():
            entries = [entry for place in places if (entry := self._entry(place))]
            if entries:
                with_counts = [
                    (entry, self.counts.get(entry.count_key) if entry.count_key else None)
                    for entry in entries
                ]
                found.append((title, with_counts))
        return found

    @property
    def jump_url(self) -> str:
        """Where the jump box looks things up, or empty."""
        return _url("desk:jump")

    @property
    def _user(self) -> Any:
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    def _entry(self, place: Place) -> Entry | None:
        user = self._user
        if user is None or not user.may(place.permission):
            return None
        url = _url(place.url_name, *place.args)
        if not url:
            return None
        return Entry(place.label, url, place.key, place.count, url == self.request.path)


def _url(name: str, *args: str) -> str:
    """The address of a named page, or empty while there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Put the frame into every page's context, as ``shell``."""
    return {"shell": Shell(request)}
