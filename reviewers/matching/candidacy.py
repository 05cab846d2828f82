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
# Points of the score that orders the eligible reviewers. The first five add up to at most 100 by
# default; a returning case can add 50 more.
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
    # Half of the first five: the case usually returns to someone who knows its records.
    "returned_work": RuleSetting(
        50,
        "Returning case",
        "The reviewer was recently removed from this case, "
        "and it has not been offered to anyone since.",
    ),
    # Cancels the first five: the reviewer stays eligible but ranks behind nearly everyone.
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
class MatchItem:
    """The facts of a disputed item that matching needs.

    :ivar categories: ids of its own category and then of the parent category, if there is one.
        Empty if the item has no category.
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

    counted_reviews: int = 0  # the latest issued reviews with a due date, up to the limit
    on_time_reviews: int = 0  # those of them that were issued by their due date
    last_offered_on: date | None = None

    def with_offer(self, *, on: date) -> "TrackRecord":
        """Return the record as it is after an offer on a day."""
        # A planned case has not been issued, so the counts for timeliness stay as they are.
        return replace(self, last_offered_on=on)


@dataclass(frozen=True)
class Workload:
    """A reviewer's open work and track record. Never kept, because every offer changes it."""

    workload: int = 0  # open cases of the reviewer
    overdue: int = 0  # those of them that are overdue
    record: TrackRecord = TrackRecord()

    def with_offer(self, *, on: date, is_overdue: bool) -> "Workload":
        """Return the work as it is after the offer of one more case on a day."""
        return Workload(self.workload + 1, self.overdue + is_overdue, self.record.with_offer(on=on))


IDLE = Workload()  # of a reviewer without open cases, finished reviews and recent offers


@dataclass(frozen=True)
class CaseMarks:
    """What sets a reviewer apart for one case: conflicts, and the history with the case.

    :ivar conflicts: the results of the conflict check; ``None`` if no affiliation and no name
        comes near a party, so that nothing is found.
    """

    barred_because: str = ""
    was_on_earlier_round: bool = False
    has_declined: bool = False
    removed_from_case_on: date | None = None
    conflicts: tuple[FoundConflict, ...] | None = None


NO_MARKS = CaseMarks()


@dataclass(frozen=True)
class CandidateData:
    """Everything that matching knows about one reviewer for one case."""

    profile: Profile
    workload: int = 0  # open cases of the reviewer
    overdue: int = 0  # those of them that are overdue
    # Ids of the treatment categories that may be offered; None: all.
    allowed_categories: frozenset[int] | None = None
    days_off: frozenset[int] = frozenset()  # weekdays, Monday 0
    record: TrackRecord = TrackRecord()
    removed_from_case_on: date | None = None  # the day the reviewer was removed from this case
    barred_because: str = ""  # the reason of the bar; empty if the reviewer is not barred
    was_on_earlier_round: bool = False  # accepted the case before it was remanded
    has_declined: bool = False  # declined the case in this round
    conflicts: tuple[FoundConflict, ...] = ()
    # A cache of what follows from the profile and the days off, so it is not compared.
    daily_results: "DailyResults | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Reason:
    """The result of one requirement, or a remark about the score."""

    requirement: str
    is_met: bool
    sentence: str


@dataclass(frozen=True)
class DailyResults:
    """Results of the requirements that do not depend on a case, for one reviewer on a day."""

    met: tuple[Reason, ...]
    unmet: tuple[Reason, ...]


@dataclass(frozen=True)
class Match:
    """Why a reviewer's specialty fits one item.

    Stored with the assignment, because the final determination letter states it.

    :ivar is_mapped: the specialty map lists the specialty for the item. Otherwise the map has no
        entry for the item, and any board certification is accepted.
    """

    item_id: int
    position: int
    specialty: str
    is_mapped: bool
    why: str
    diagnosis: str = ""


@dataclass(frozen=True)
class CandidateResult:
    """The result for one reviewer.

    :ivar code: the reviewer's code, such as "R-0042", which does not identify the person.
    :ivar rank: the position among the eligible reviewers, from 1; ``None`` if not eligible or not
        ranked yet.
    :ivar score: the points; ``None`` if a requirement is not met, so the reviewer is not eligible.
    """

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
        return tuple(reason for reason in self.reasons if not reason.is_met)


@dataclass(frozen=True)
class MatchCase:
    """The case for which all candidates are compared."""

    case_number: str
    items: tuple[MatchItem, ...]
    specialty_map: tuple[SpecialtyMapEntry, ...]
    on: date
    rules: Rules = DEFAULT_RULES
    scopes: tuple[Scope, ...] = field(default=())
    # Cache of results for this case, shared by candidates with the same specialties or license.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
