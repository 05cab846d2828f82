"""What is asked, and what is known, when someone is considered for a case. Pure values.

The requirements (``requirements``), the map of specialties (``specialty_map``) and the ``ranking``
read these and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from directory.affiliations import FoundConflict
from reviewers.facts import Profile


@dataclass(frozen=True)
class Setting:
    """A number that the medical director sets: as shipped, and how its field reads."""

    shipped: int
    label: str
    help_text: str = ""


# As shipped; the director sets others. Each list of candidates stores the values that it used.
# Points out of 100 for who comes first among those whom no requirement refuses:
WEIGHT_SETTINGS: dict[str, Setting] = {
    "specialty_fit": Setting(
        40, "Specialty fits", "In full when a certified specialty fits every item."
    ),
    "california_license": Setting(20, "Licensed in California"),
    "free_capacity": Setting(20, "Free capacity", "In full for someone without an open case."),
    "timeliness": Setting(
        10, "On time", "In full when every review that is looked at was issued by its day."
    ),
    "rotation": Setting(10, "Rotation", "Grows with the days since the last offer."),
    "returned_work": Setting(
        50,
        "Had this case before",
        "When it was taken back a few days ago and no one else was offered it since.",
    ),
    "declined_before": Setting(-100, "Declined this case", "Zero or less."),
}
# Days and cases; a ceiling of 0 is none.
LIMIT_SETTINGS: dict[str, Setting] = {
    "return_days": Setting(
        14, "A case returns to the same reviewer within", "Days; never after a remand."
    ),
    "rotation_days": Setting(14, "Rotation is full after", "Days without an offer."),
    "timeliness_reviews": Setting(10, "Reviews looked at for “on time”", "The latest ones."),
    "most_open": Setting(
        0, "Open cases at most, for anybody", "0 leaves it to each one’s capacity."
    ),
    "most_overdue": Setting(3, "No new case with overdue ones, from", "Cases; 0 is no ceiling."),
}
SETTINGS = {**WEIGHT_SETTINGS, **LIMIT_SETTINGS}
WEIGHTS = {name: setting.shipped for name, setting in WEIGHT_SETTINGS.items()}
LIMITS = {name: setting.shipped for name, setting in LIMIT_SETTINGS.items()}


@dataclass(frozen=True)
class Rules:
    """The weights and limits in force."""

    weights: Mapping[str, int]
    limits: Mapping[str, int]

    @classmethod
    def of(cls, weights: Mapping[str, int], limits: Mapping[str, int]) -> "Rules":
        """What was set, with the shipped value for a key that is younger than the setting."""
        return cls({**WEIGHTS, **weights}, {**LIMITS, **limits})

    @property
    def values(self) -> dict[str, int]:
        """All in one, as a list of candidates stores them."""
        return {**self.weights, **self.limits}


DEFAULT_RULES = Rules(WEIGHTS, LIMITS)


@dataclass(frozen=True)
class Item:
    """A disputed item as far as matching needs it. Categories: its own first, then its parents.

    :ivar conditions: ids of the conditions that the diagnosis speaks of.
    :ivar diagnosis: those conditions by name, or else the diagnosis as printed; may be empty.
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
class Fit:
    """One line of the staff's map: this specialty is acceptable for that, and why.

    What a line leaves out it does not ask for; what it names has to hold, all of it.
    """

    specialty: str
    category: int | None
    body_part: str
    reason: str
    condition: int | None = None
    condition_name: str = ""


@dataclass(frozen=True)
class Scope:
    """What a kind of license does not cover, and the law that says so."""

    license_kind: str
    category: int
    name: str
    source: str


@dataclass(frozen=True)
class Record:
    """What a reviewer did and was given before, as ``standing`` counts it."""

    finished: int = 0  # of the latest reviews, those that had a day to keep
    on_time: int = 0
    last_offered_on: date | None = None

    def with_offers(self, many: int, *, on: date) -> "Record":
        """The record as it will be once so many more cases are offered on a day."""
        return replace(self, last_offered_on=on) if many else self


@dataclass(frozen=True)
class Applicant:
    """Everything known of one reviewer about one case."""

    profile: Profile
    workload: int = 0
    overdue: int = 0  # of the workload, past their day
    subjects: frozenset[int] | None = None  # categories that may be offered; None is all
    days_off: frozenset[int] = frozenset()  # weekdays, Monday 0
    record: Record = Record()
    had_it_until: date | None = None  # this case, before it was taken back
    barred_because: str = ""
    on_earlier_round: bool = False
    declined_before: bool = False
    conflicts: tuple[FoundConflict, ...] = ()
    answered: "Answers | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Reason:
    """One requirement's answer, or a remark that speaks for or against."""

    requirement: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Answers:
    """What the requirements that ask nothing of a case said of someone on a day."""

    held: tuple[Reason, ...]
    refused: tuple[Reason, ...]


@dataclass(frozen=True)
class Match:
    """Why a reviewer's specialty fits one item; stored with the assignment for the letter."""

    item_id: int
    position: int
    specialty: str
    mapped: bool
    why: str
    diagnosis: str = ""


@dataclass(frozen=True)
class Verdict:
    """A reviewer's place for a case: ``rank`` is None for whom a requirement refuses."""

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
class Question:
    """The case, put to every applicant alike."""

    case_number: str
    items: tuple[Item, ...]
    fits: tuple[Fit, ...]
    on: date
    rules: Rules = DEFAULT_RULES
    scopes: tuple[Scope, ...] = field(default=())
    # What was worked out for this case and serves everyone who is alike in what was asked.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
