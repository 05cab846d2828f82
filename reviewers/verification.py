"""When a reviewer's file has to be verified again, and what it lacks. Pure: no rows, no clock.

License, certificate, sanctions and experience are verified at the source at least every three
years; what was not stops new cases (URAC's standards for independent review).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .facts import Held, Profile

CYCLE_YEARS = 3


@dataclass(frozen=True)
class Verification:
    """One thing that was verified, and by which day again."""

    what: str
    verified_on: date
    due_on: date

    def is_overdue(self, on: date) -> bool:
        """Whether the day has passed: on the day itself it still holds."""
        return self.due_on < on


def verifications(profile: Profile) -> list[Verification]:
    """What of a file has to be verified again, first what is due first.

    Of several checks of sanctions the latest counts.
    """
    start = profile.practice_start
    latest = max(profile.sanction_checks, key=lambda held: held.verified_on, default=None)
    found = [
        *(_due(f"The license in {held.state}", held) for held in profile.licenses),
        *(_due(f"The certificate in {held.specialty}", held) for held in profile.certifications),
        *([_due("The start of practice", start)] if start else []),
        *([_due("The check for sanctions", latest)] if latest else []),
    ]
    return sorted(found, key=lambda one: (one.due_on, one.what))


def missing(profile: Profile) -> list[str]:
    """What a complete file has and this one lacks, in the order of the file."""
    proofs = {held.kind for held in profile.file_proofs}
    physician_without = profile.is_physician and not profile.certified_specialties
    lacks: Iterable[tuple[bool, str]] = (
        (not profile.licenses, "a license in force"),
        (physician_without, "a board’s certificate in force"),
        (profile.practice_start is None, "the start of practice"),
        (profile.hours is None, "an attestation of weekly hours in force"),
        (profile.training("LAW") is None, "training in the law"),
        (profile.training("EVIDENCE") is None, "training in the hierarchy of evidence"),
        (not profile.sanction_checks, "a check for sanctions"),
        ("IDENTITY" not in proofs, "proof of identity"),
        ("MALPRACTICE" not in proofs, "malpractice cover and history"),
    )
    return [words for lacking, words in lacks if lacking]


def _due(what: str, held: Held) -> Verification:
    return Verification(what, held.verified_on, years_after(held.verified_on, CYCLE_YEARS))


def years_after(day: date, years: int) -> date:
    """The same day some years later; 28 February for a 29th that the year lacks."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
