"""The fee rows that come with the product. No one has confirmed them against the rule.

Amounts that were not found have no row: filings of 2015 to 2019, expedited reviews from 2020 and
reviews that ended after assignment to a reviewer from 2020, and all filings from April 1, 2026,
when the rule was amended.
"""

from datetime import date
from decimal import Decimal

from .fees import Fee, FeeKind, License, Stage

_RULE_2013 = "8 CCR 9792.10.8(a)(1)"
_PAGE_2014 = "8 CCR 9792.10.8; fees on dir.ca.gov/dwc/IMR.htm"
_COPY_2020 = "8 CCR 9792.10.8; fees from a copy of dir.ca.gov/dwc/IMR.htm"
_NOT_CLEAR = "The copy is partly unreadable."
_EARLY_2014 = "The page names no kind of review here."


def _fee_of_2013(kind: FeeKind, reviewer_license: License, reviewers: int, dollars: int) -> Fee:
    return Fee(
        Decimal(dollars),
        kind,
        Stage.DECIDED,
        date(2013, 1, 1),
        date(2014, 3, 31),
        _RULE_2013,
        reviewer_license=reviewer_license,
        reviewers=reviewers,
    )


def _fee_of_2014(kind: str, stage: Stage, dollars: int, note: str = "") -> Fee:
    # The amounts of 2015 to 2019 were not found.
    since, until = date(2014, 4, 1), date(2014, 12, 31)
    return Fee(Decimal(dollars), kind, stage, since, until, _PAGE_2014, note=note)


def _fee_of_2020(kind: str, stage: Stage, dollars: int) -> Fee:
    since, until = date(2020, 1, 1), date(2026, 3, 31)
    return Fee(Decimal(dollars), kind, stage, since, until, _COPY_2020, note=_NOT_CLEAR)


FEES = (
    _fee_of_2013(FeeKind.REGULAR, License.PHYSICIAN, 1, 560),
    _fee_of_2013(FeeKind.REGULAR, License.PHYSICIAN, 2, 760),
    _fee_of_2013(FeeKind.REGULAR, License.OTHER, 1, 495),
    _fee_of_2013(FeeKind.REGULAR, License.OTHER, 2, 655),
    _fee_of_2013(FeeKind.EXPEDITED, License.PHYSICIAN, 1, 685),
    _fee_of_2013(FeeKind.EXPEDITED, License.PHYSICIAN, 2, 850),
    _fee_of_2013(FeeKind.EXPEDITED, License.OTHER, 1, 595),
    _fee_of_2014(FeeKind.REGULAR, Stage.DECIDED, 420),
    _fee_of_2014(FeeKind.EXPEDITED, Stage.DECIDED, 515),
    _fee_of_2014(FeeKind.PHARMACY, Stage.DECIDED, 390),
    _fee_of_2014("", Stage.BEFORE_REVIEWER, 160, _EARLY_2014),
    _fee_of_2014("", Stage.AFTER_REVIEWER, 420, _EARLY_2014),
    _fee_of_2020(FeeKind.REGULAR, Stage.DECIDED, 345),
    _fee_of_2020(FeeKind.PHARMACY, Stage.DECIDED, 345),
    _fee_of_2020("", Stage.BEFORE_REVIEWER, 115),
)
