"""Dates of an application that cannot all be true. Pure: no database, no current time.

Intake refuses such dates, and the eligibility review leaves its answer open, with the same
sentences. A date that is really printed so is left empty, because an application is never refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from deadlines.calendars import format_day

_IF_PRINTED = "Check both dates. If they are printed so, leave this one empty."
# The field, and which document to check.
_NEVER_IN_FUTURE = {
    "received": "Check the stamp.",
    "date_of_birth": "Check the form.",
    "date_of_injury": "Check the form.",
    "signed_on": "Check the signature.",
    "consent_on": "Check the form.",
    "designated_on": "Check the form.",
    "served_on": "Check the proof of service.",
    "requested_on": "Check the RFA.",
}


@dataclass(frozen=True)
class ImpossibleDate:
    """A date that contradicts another one, or the current day.

    :ivar field: the name of the date, as on the intake form.
    :ivar sentence: what is wrong, and what to do.
    """

    field: str
    sentence: str


def find_impossible_dates(
    dates: Mapping[str, date | None], *, today: date | None = None
) -> list[ImpossibleDate]:
    """List the impossible dates of an application, at most one for each field.

    :param dates: dates by the names of the intake form: received, ur_decided, served_on, signed_on,
        requested_on, date_of_injury, injury_last_day, date_of_birth and others. Dates not stated
        are left out.
    :param today: the current day; ``None`` does not compare with it.
    """
    found = {one.field: one for one in _find_in_future(dates, today)}
    # A date that is wrong in itself says nothing about the others.
    possible = {field: day for field, day in dates.items() if field not in found}
    for one in _find_contradictions(possible):
        found.setdefault(one.field, one)
    return list(found.values())


def _find_in_future(
    dates: Mapping[str, date | None], today: date | None
) -> Iterator[ImpossibleDate]:
    for field, what_to_check in _NEVER_IN_FUTURE.items():
        day = dates.get(field)
        if day and today and day > today:
            yield ImpossibleDate(field, f"This date is in the future. {what_to_check}")
    # Keyed in the same field as the first day.
    last_day = dates.get("injury_last_day")
    if last_day and today and last_day > today:
        yield ImpossibleDate("date_of_injury", "The last day is in the future. Check the form.")


def _find_contradictions(dates: Mapping[str, date | None]) -> Iterator[ImpossibleDate]:
    received, decided = dates.get("received"), dates.get("ur_decided")
    served, signed = dates.get("served_on"), dates.get("signed_on")
    injury, birth = dates.get("date_of_injury"), dates.get("date_of_birth")
    last_day = dates.get("injury_last_day")
    # This also keeps the UR decision out of the future, because the received date is checked too.
    if received and decided and decided > received:
        yield ImpossibleDate(
            "ur_decided", "The decision is dated after the day we received it. Check both dates."
        )
    if served and decided and served < decided:
        yield ImpossibleDate(
            "served_on",
            f"Served on {format_day(served)}, before the UR decision of {format_day(decided)}. "
            f"{_IF_PRINTED}",
        )
    if served and received and served > received:
        yield ImpossibleDate(
            "served_on",
            f"Served on {format_day(served)}, after we received the application on "
            f"{format_day(received)}. {_IF_PRINTED}",
        )
    if signed and decided and signed < decided:
        yield ImpossibleDate(
            "signed_on",
            f"Signed on {format_day(signed)}, before the UR decision of {format_day(decided)}. "
            f"{_IF_PRINTED}",
        )
    if signed and received and signed > received:
        yield ImpossibleDate(
            "signed_on",
            f"Signed on {format_day(signed)}, after we received the application on "
            f"{format_day(received)}. {_IF_PRINTED}",
        )
    if injury and last_day and last_day < injury:
        yield ImpossibleDate(
            "date_of_injury", "The injury ends before it begins. Check both of its dates."
        )
    if injury and decided and (last_day or injury) > decided:
        yield ImpossibleDate(
            "date_of_injury", "The injury is dated after the UR decision. Check both dates."
        )
    if injury and birth and injury < birth:
        yield ImpossibleDate("date_of_injury", "The injury is dated before the birth. Check both.")
