"""Reading dates as clerks key them from paper. Pure: today is an argument."""

import re
from datetime import date, timedelta

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}


class NotADate(ValueError):
    """What was keyed is no date; the message says how to write one."""


def read_date(keyed: str, *, today: date) -> date:
    """The day that a clerk meant: ``9/20/24``, ``09202024``, ``20 Sep 2024``, ``t``, ``-1``.

    Two-digit years fall in the hundred years that end nine years from today: ``3/14/68`` is 1968.
    Month stands before day, as on the form.

    :raises NotADate: with a sentence for the clerk.
    """
    text = keyed.strip().lower()
    if text in {"t", "today"}:
        return today
    if text in {"y", "yesterday"}:
        return today - timedelta(days=1)
    if re.fullmatch(r"-\d{1,3}", text):
        return today - timedelta(days=int(text[1:]))
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        year, month, day = match.groups()
        return _day(int(year), int(month), int(day), keyed)
    if match := re.fullmatch(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})", text):
        month, day, year = match.groups()
        return _day(_year(year, today), int(month), int(day), keyed)
    if match := re.fullmatch(r"(\d{2})(\d{2})(\d{4}|\d{2})", text):
        month, day, year = match.groups()
        return _day(_year(year, today), int(month), int(day), keyed)
    if match := re.fullmatch(r"(?:[a-z]{3} )?(\d{1,2}) ([a-z]+)\.? (\d{4}|\d{2})", text):
        day, name, year = match.groups()
        return _day(_year(year, today), _month(name, keyed), int(day), keyed)
    if match := re.fullmatch(r"([a-z]+)\.? (\d{1,2}),? (\d{4}|\d{2})", text):
        name, day, year = match.groups()
        return _day(_year(year, today), _month(name, keyed), int(day), keyed)
    raise NotADate(f"“{keyed.strip()}” is not a date. Write month/day/year, as in 9/20/2024.")


def _year(digits: str, today: date) -> int:
    if len(digits) == 4:
        return int(digits)
    year = today.year // 100 * 100 + int(digits)
    return year - 100 if year > today.year + 9 else year


def _month(name: str, keyed: str) -> int:
    if name not in _MONTHS:
        raise NotADate(f"“{keyed.strip()}” names no month. Write month/day/year, as in 9/20/2024.")
    return _MONTHS[name]


def _day(year: int, month: int, day: int, keyed: str) -> date:
    if not 1900 <= year <= 2100:
        raise NotADate(f"“{keyed.strip()}” lies in the year {year}. Check the year.")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NotADate(
            f"“{keyed.strip()}” does not exist in the calendar. Write month/day/year."
        ) from error
