"""Re-verification dates and gaps of a reviewer's file. Pure: no ORM, no current time.

Licenses, certifications, the start of practice and sanctions are verified at the source at least
every three years. An overdue verification blocks new cases (URAC standards for independent review).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .facts import FactRecord, Profile

CYCLE_YEARS = 3


@dataclass(frozen=True)
class Verification:
    """A verified fact, and when it is due for re-verification."""

    name: str
    verified_on: date
    due_on: date

    def is_overdue(self, on: date) -> bool:
        """Return whether the due date has passed. The due date itself is still in time."""
        return self.due_on < on


def list_verifications(profile: Profile) -> list[Verification]:
    """Return the verifications of a file, by due date.

    Only the latest sanction check counts.
    """
    start = profile.practice_start
    latest = max(profile.sanction_checks, key=lambda check: check.verified_on, default=None)
    lines = [
        *(
            _build_verification(f"The license in {check.state}", check)
            for check in profile.licenses
        ),
        *(
            _build_verification(f"The certification in {check.specialty}", check)
            for check in profile.certifications
        ),
        *([_build_verification("The start of practice", start)] if start else []),
        *([_build_verification("The sanction check", latest)] if latest else []),
    ]
    return sorted(lines, key=lambda one: (one.due_on, one.name))


def list_missing_facts(profile: Profile) -> list[str]:
    """Return what a file lacks to be complete, in the order of the file."""
    proofs = {proof.kind for proof in profile.file_proofs}
    # Only physicians must be board certified.
    physician_without = profile.is_physician and not profile.certified_specialties
    missing: Iterable[tuple[bool, str]] = (
        (not profile.licenses, "a license in force"),
        (physician_without, "a board certification in force"),
        (profile.practice_start is None, "the start of practice"),
        (profile.hours is None, "an attestation of weekly hours in force"),
        (profile.training("LAW") is None, "training in the governing law"),
        (profile.training("EVIDENCE") is None, "training in the evidence hierarchy"),
        (not profile.sanction_checks, "a sanction check"),
        # Required for a complete file, but matching does not check these two.
        ("IDENTITY" not in proofs, "proof of identity"),
        ("MALPRACTICE" not in proofs, "malpractice coverage and history"),
    )
    return [words for lacking, words in missing if lacking]


def _build_verification(name: str, fact: FactRecord) -> Verification:
    return Verification(name, fact.verified_on, add_years(fact.verified_on, CYCLE_YEARS))


def add_years(day: date, years: int) -> date:
    """Return the same day some years later. February 29 becomes February 28 if needed."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
