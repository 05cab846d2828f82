"""Input and output values of matching: the case, the reviewers, the rules and the results.

Pure values. The requirements (``requirements``), the specialty map (``specialty_map``) and the
``ranking`` read these and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from directory.affiliations import FoundConflict
from reviewers.facts import Profile


@dataclass(frozen=True)
class RuleSetting:
    """A weight or limit that the medical director sets: its default, label and help text."""

    default: int
    label: str
    help_text: str = ""


# Defaults, until the director sets others. Each candidate list stores the values that it used.
# Points of the score that orders the eligible reviewers; the default maximum is 100.
WEIGHT_SETTINGS: dict[str, RuleSetting] = {
    "specialty_fit": RuleSetting(
        40, "Specialty match", "Full points when a mapped specialty covers every item."
    ),
    "california_license": RuleSetting(20, "California license"),
    "free_capacity": RuleSetting(
        20, "Free capacity", "Full points for a reviewer without open cases."
    ),
    "timeliness": RuleSetting(
        10, "Timeliness", "Full points when all recent reviews were issued on time."
    ),
    "rotation": RuleSetting(10, "Rotation", "Points grow with the days since the last offer."),
    # Half of the default maximum: the case usually returns to someone who knows its records.
    "returned_work": RuleSetting(
        50,
        "Returning case",
        "The reviewer was recently removed from this case, and it was not offered to anyone since.",
    ),
    # Cancels the default maximum: the reviewer stays eligible but ranks behind nearly everyone.
    "declined_before": RuleSetting(-100, "Declined this case", "Zero or a negative number."),
}
# Limits in days or cases. 0 turns a case limit off.
LIMIT_SETTINGS: dict[str, RuleSetting] = {
    "return_days": RuleSetting(
        14, "Return a case to the same reviewer within", "Days. Never after a remand."
    ),
    "rotation_days": RuleSetting(14, "Full rotation points after", "Days without an offer."),
    "timeliness_reviews": RuleSetting(
        10, "Reviews counted for timeliness", "The most recent ones."
    ),
    "most_open": RuleSetting(
        0, "Most open cases per reviewer", "0: only each reviewer’s own capacity applies."
    ),
    "most_overdue": RuleSetting(3, "No new cases at this many overdue", "Cases. 0: no limit."),
}
SETTINGS = {**WEIGHT_SETTINGS, **LIMIT_SETTINGS}
WEIGHTS = {name: setting.default for name, setting in WEIGHT_SETTINGS.items()}
LIMITS = {name: setting.default for name, setting in LIMIT_SETTINGS.items()}


@dataclass(frozen=True)
class Rules:
    """The weights and limits in force."""

    weights: Mapping[str, int]
    limits: Mapping[str, int]

    @classmethod
    def of(cls, weights: Mapping[str, int], limits: Mapping[str, int]) -> "Rules":
        """Build rules from stored values. A key added after they were stored gets its default."""
        return cls({**WEIGHTS, **weights}, {**LIMITS, **limits})

    @property
    def values(self) -> dict[str, int]:
        """All weights and limits in one mapping, as a candidate list stores them."""
        return {**self.weights, **self.limits}


DEFAULT_RULES = Rules(WEIGHTS, LIMITS)


@dataclass(frozen=True)
class Item:
    """The facts of a disputed item that matching needs. Its own category comes before the parent.

    :ivar conditions: ids of the conditions found in the diagnosis.
    :ivar diagnosis: names of those conditions, else the diagnosis as printed; may be empty.
    :ivar is_experimental: the UR decision calls it experimental or investigational.
    """

    item_id: int
    position: int
    title: str
    categories: tuple[int, ...] = ()
    body_part: str = ""
    conditions: frozenset[int] = frozenset()
    diagnosis: str = ""
    is_experimental: bool = False


@dataclass(frozen=True)
class SpecialtyMapEntry:
    """One line of the specialty map: a specialty, what it may decide, and why.

    Empty fields match everything. All fields that are set must match.
    """

    specialty: str
    category: int | None
    body_part: str
    reason: str
    condition: int | None = None
    condition_name: str = ""


@dataclass(frozen=True)
class Scope:
    """A treatment category that a license kind does not cover, and the law that says so."""

    license_kind: str
    category: int
    name: str
    source: str


@dataclass(frozen=True)
class TrackRecord:
    """A reviewer's past reviews and last offer, as ``track_record`` counts them."""

    finished: int = 0  # latest issued reviews that had a due date
    on_time: int = 0
    last_offered_on: date | None = None

    def with_offers(self, many: int, *, on: date) -> "TrackRecord":
        """Return the record as it is after ``many`` more offers on a day."""
        # A planned case is not finished, so the counts for timeliness stay as they are.
        return replace(self, last_offered_on=on) if many else self


@dataclass(frozen=True)
class CandidateData:
    """Everything that matching knows about one reviewer for one case."""

    profile: Profile
    workload: int = 0
    overdue: int = 0  # overdue cases of the workload
    subjects: frozenset[int] | None = None  # category ids that may be offered; None: all
    days_off: frozenset[int] = frozenset()  # weekdays, Monday 0
    record: TrackRecord = TrackRecord()
    removed_from_case_on: date | None = None  # the day the reviewer was removed from this case
    barred_because: str = ""
    on_earlier_round: bool = False
    declined_before: bool = False
    conflicts: tuple[FoundConflict, ...] = ()
    # A cache of what follows from the profile and the days off, so it is not compared.
    answered: "DailyAnswers | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Reason:
    """The result of one requirement, or a remark about the score."""

    requirement: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class DailyAnswers:
    """Results of the requirements that do not depend on a case, for one reviewer on a day."""

    held: tuple[Reason, ...]
    refused: tuple[Reason, ...]


@dataclass(frozen=True)
class Match:
    """Why a reviewer's specialty fits one item. Stored with the assignment for the letter."""

    item_id: int
    position: int
    specialty: str
    mapped: bool
    why: str
    diagnosis: str = ""


@dataclass(frozen=True)
class Verdict:
    """The result for one reviewer. ``rank`` is ``None`` when a requirement refuses."""

    reviewer_id: int
    code: str
    rank: int | None
    score: int | None
    reasons: tuple[Reason, ...]
    matches: tuple[Match, ...] = ()

    @property
    def is_eligible(self) -> bool:
        return self.score is not None

    @property
    def refusals(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if not reason.holds)


@dataclass(frozen=True)
class MatchCase:
    """The case that all applicants are compared for."""

    case_number: str
    items: tuple[Item, ...]
    fits: tuple[SpecialtyMapEntry, ...]
    on: date
    rules: Rules = DEFAULT_RULES
    scopes: tuple[Scope, ...] = field(default=())
    # Cache of results for this case, shared by applicants with the same specialties or license.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
