"""Find the fee of an independent medical review by its filing date (8 CCR 9792.10.8). Pure.

The claims administrator pays a fee for each application. It depends on the filing date, on the kind
of review, on whether the review ended before a determination, and in 2013 on the reviewer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class FeeKind(StrEnum):
    """The kind of review that a fee is for."""

    REGULAR = "REGULAR"
    EXPEDITED = "EXPEDITED"
    PHARMACY = "PHARMACY"

    @property
    def label(self) -> str:
        return {
            FeeKind.REGULAR: "Regular",
            FeeKind.EXPEDITED: "Expedited",
            FeeKind.PHARMACY: "Regular, pharmacy only",
        }[self]


class Stage(StrEnum):
    """How far a review came."""

    DECIDED = "DECIDED"
    BEFORE_REVIEWER = "BEFORE_REVIEWER"
    AFTER_REVIEWER = "AFTER_REVIEWER"

    @property
    def label(self) -> str:
        return {
            Stage.DECIDED: "Determination issued",
            Stage.BEFORE_REVIEWER: "Withdrawn or terminated before assignment to a reviewer",
            Stage.AFTER_REVIEWER: "Withdrawn or terminated after assignment to a reviewer",
        }[self]


class License(StrEnum):
    """The license of the reviewer, where the fee depends on it."""

    PHYSICIAN = "MD_DO"
    OTHER = "OTHER"

    @property
    def label(self) -> str:
        return {License.PHYSICIAN: "MD or DO", License.OTHER: "Another license"}[self]


@dataclass(frozen=True)
class Fee:
    """One fee, for filing dates from a day to a day, both included.

    :ivar kind: empty if the fee is the same for every kind.
    :ivar reviewer_license: empty if it does not depend on the reviewer.
    :ivar reviewers: the number of reviewers; 0 if it does not depend on it.
    :ivar amount: in US dollars.
    """

    amount: Decimal
    kind: str
    stage: str
    effective_from: date
    effective_to: date | None
    source: str
    reviewer_license: str = ""
    reviewers: int = 0
    note: str = ""
    is_confirmed: bool = False

    def is_in_force(self, filed_on: date) -> bool:
        return self.effective_from <= filed_on and (
            self.effective_to is None or filed_on <= self.effective_to
        )


@dataclass(frozen=True)
class NoFee:
    """No fee can be stated; the sentence says why."""

    sentence: str


def find_fee(
    filed_on: date,
    kind: str,
    stage: str,
    *,
    rows: Iterable[Fee],
    reviewer_license: str = "",
    reviewers: int = 0,
) -> Fee | NoFee:
    """Find the fee of an application.

    :param reviewer_license: the reviewer's license; empty if not known.
    :param reviewers: the number of reviewers; 0 if not known.
    """
    of_day = [row for row in rows if row.is_in_force(filed_on)]
    if not of_day:
        return NoFee("There is no fee row for this filing date.")
    fitting = [row for row in of_day if row.kind in ("", kind) and row.stage == stage]
    if not fitting:
        return NoFee(
            "There is no fee row for this filing date with this kind of review and this stage."
        )
    # A fact that is not given could be any of the values in the rows.
    fitting = [
        row
        for row in fitting
        if (
            not row.reviewer_license
            or not reviewer_license
            or row.reviewer_license == reviewer_license
        )
        and (not row.reviewers or not reviewers or row.reviewers == reviewers)
    ]
    if not fitting:
        return NoFee(
            "There is no fee row for this filing date with this license and number of reviewers."
        )
    if len(fitting) > 1:
        return NoFee(
            "For this filing date, the fee depends on the license and the number of reviewers."
        )
    return fitting[0]
