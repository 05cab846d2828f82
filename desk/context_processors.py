"""The frame of every page: brand, date, menu, and how many cases wait in each list."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from cases.lifecycle import QUEUES

from . import queues

BRAND = "IMR Portal"


@dataclass(frozen=True)
class Place:
    """An entry of the menu. Shown to those who hold ``permission``, if its page exists."""

    label: str
    url_name: str
    permission: str
    args: tuple[str, ...] = ()
    count: str = ""  # the slug of the queue, or of the list of letters, that it counts
    key: str = ""


_QUEUE_KEYS = {"eligibility": "g e", "records": "g w", "assign": "g t", "qa": "g q", "issue": "g s"}

# Sections of the menu, in the order in which a case passes through them.
PLACES: dict[str, tuple[Place, ...]] = {
    "My work": (
        Place("My day", "desk:my_day", "cases.view_case", key="g i"),
        Place("My reviews", "determinations:my_reviews", "determinations.write_review", key="g r"),
        Place("Intake batches", "intake:batches", "intake.enter_application", key="g b"),
        Place("New application", "intake:intake", "intake.enter_application", key="g n"),
        Place("My intakes", "intake:my_intakes", "intake.enter_application"),
        Place("Outstanding records", "records:outstanding", "records.log_reminder"),
        Place("Intake desk", "intake:intake_supervisor", "intake.supervise_intake"),
        Place(
            "Letters to review",
            "correspondence:drafts",
            "correspondence.review_drafts",
            count="letters-to-review",
        ),
        Place(
            "Letters to send",
            "correspondence:to_send",
            "letters.mark_sent",
            count="letters-to-send",
        ),
        Place(
            "Possible duplicates", "cases:possible_duplicates", "cases.resolve_possible_duplicate"
        ),
        Place("Skipped cases", "queues:skipped", "queues.view_skips"),
        Place("Item changes", "cases:item_changes", "cases.decide_item_change"),
    ),
    "Queues": tuple(
        Place(label, "desk:queue", "cases.view_case", (slug,), slug, _QUEUE_KEYS.get(slug, ""))
        for slug, (label, _) in QUEUES.items()
    ),
    "Administration": (
        Place("Batch assignment", "reviewers:plan", "reviewers.assign_reviewer", key="g a"),
        Place("Reviewers", "reviewers:panel", "reviewers.view_identity", key="g p"),
        Place("Credentialing", "reviewers:worklist", "reviewers.view_identity"),
        Place("Organizations", "directory:organizations", "directory.manage_organizations"),
        Place("Organization", "cases:own_organization", "cases.manage_own_organization"),
        Place("Own conflicts", "cases:own_conflicts", "cases.resolve_own_conflicts"),
        Place("Restricted cases", "cases:restricted_cases", "cases.restrict_case"),
        Place("Deadline rules", "cases:deadline_rules", "deadlines.manage_deadline_rules"),
        Place("Holidays", "cases:holidays", "deadlines.manage_deadline_rules"),
        Place("IMR fees", "billing:fees", "billing.manage_fees"),
        Place(
            "Evidence rules",
            "admin:determinations_ruletext_changelist",
            "determinations.manage_rule_texts",
        ),
        Place("Matching rules", "reviewers:rules", "reviewers.manage_matching_rules"),
        Place("Conflict limits", "reviewers:limits", "reviewers.manage_conflict_limits"),
        Place("Attestation wording", "reviewers:attestation", "reviewers.view_attestation"),
        Place("Assignment audit", "reviewers:payer_bias", "reviewers.view_payer_bias_tests"),
        Place("Failed letters", "letters:failed", "letters.retry_failed_letter"),
        Place("Nightly run", "maintenance:findings", "maintenance.view_check_results"),
        Place("Scheduled jobs", "jobs:list", "jobs.view_jobs"),
        Place("Letter wording", "letters:wording", "letters.manage_wording"),
        Place("Guidelines", "admin:app_list", "guidelines.manage_guidelines", ("guidelines",)),
        Place("People", "admin:accounts_user_changelist", "accounts.manage_users"),
        Place("Account changes", "accounts:changes", "accounts.confirm_account_change"),
        Place("Access log", "desk:accesses", "accounts.view_access_log"),
        Place("Sign-ins", "accounts:sign_ins", "accounts.view_access_log"),
        Place("Account changes", "accounts:changes", "accounts.view_access_log"),
    ),
}


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
        """How many wait in each queue, by its slug."""
        return queues.counts_of_request(self.request) if self._user else {}

    @property
    def counts_stamp(self) -> str:
        """A stamp of the counts, which the poll sends back to learn whether they have changed."""
        return queues.stamp_of_counts(self.counts)

    @cached_property
    def sections(self) -> list[tuple[str, list[tuple[Entry, int | None]]]]:
        """The menu: each section with its entries and their counts."""
        sections = []
        for title, places in PLACES.items():
            entries = [entry for place in places if (entry := self._entry(place))]
            # A section without entries would leave a heading alone.
            if entries:
                with_counts = [
                    (entry, self.counts.get(entry.count_key) if entry.count_key else None)
                    for entry in entries
                ]
                sections.append((title, with_counts))
        return sections

    @property
    def jump_url(self) -> str:
        """The address of the search box, or empty."""
        return _url_or_empty("desk:jump")

    @property
    def _user(self) -> Any:
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    def _entry(self, place: Place) -> Entry | None:
        user = self._user
        if user is None or not user.may(place.permission):
            return None
        url = _find_address(place.url_name, *place.args)
        if not url:
            return None
        return Entry(place.label, url, place.key, place.count, url == self.request.path)


@cache
def _find_address(name: str, *args: str) -> str:
    """Return the address of a place, looked up once: the routes of a process never change."""
    return _url_or_empty(name, *args)


def _url_or_empty(name: str, *args: str) -> str:
    """Return the address of a named page, or empty if there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def add_shell(request: HttpRequest) -> dict[str, Shell]:
    """Add the frame to every page's context, as ``shell``."""
    return {"shell": Shell(request)}
