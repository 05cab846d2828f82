"""Read dates as clerks key them from paper. Pure: today is an argument."""

import re
from dataclasses import dataclass
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
    """The text is not a date; the message says how to write one."""


def read_date(keyed: str, *, today: date) -> date:
    """Read a keyed date: ``9/20/24``, ``09202024``, ``0920``, ``Sep 20, 2024``, ``t``, ``-1``.

    The month comes first, as on the form. A date without a year is in this year. Two-digit years
    fall in the hundred years that end nine years from today, so ``3/14/68`` is 1968. ``-1`` is
    yesterday.

    :raises NotADate: with a sentence for the clerk.
    """
    text = _tidy(keyed)
    if text in {"t", "today"}:
        return today
    if text in {"y", "yesterday"}:
        return today - timedelta(days=1)
    # At most three digits, so that a slip cannot lead centuries back.
    if re.fullmatch(r"-\d{1,3}", text):
        return today - timedelta(days=int(text[1:]))
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        year, month, day = match.groups()
        return _make_day(int(year), int(month), int(day), keyed)
    if match := re.fullmatch(r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})", text):
        month, day, year = match.groups()
        # Refused with a hint: swapping day and month silently could hide a misreading.
        _refuse_day_first(int(month), int(day), _read_year(year, today), keyed)
        return _make_day(_read_year(year, today), int(month), int(day), keyed)
    # Digits alone, which is the fastest way to type on a number pad.
    if match := re.fullmatch(r"(\d{2})(\d{2})(\d{4}|\d{2})", text):
        month, day, year = match.groups()
        return _make_day(_read_year(year, today), int(month), int(day), keyed)
    if match := re.fullmatch(r"(\d{2})(\d{2})|(\d{1,2})/(\d{1,2})", text):
        month, day = (part for part in match.groups() if part)
        return _make_day(today.year, int(month), int(day), keyed)
    # The day before the name of the month, as in the header of an email.
    if match := re.fullmatch(r"(?:[a-z]{3} )?(\d{1,2}) ([a-z]+)\.? (\d{4}|\d{2})", text):
        day, name, year = match.groups()
        return _make_day(_read_year(year, today), _read_month(name, keyed), int(day), keyed)
    # As the pages of the portal write dates, so that one can be copied into a field.
    if match := re.fullmatch(r"(?:[a-z]{3}, )?([a-z]+)\.? (\d{1,2}),? (\d{4}|\d{2})", text):
        name, day, year = match.groups()
        return _make_day(_read_year(year, today), _read_month(name, keyed), int(day), keyed)
    raise NotADate(f"“{keyed.strip()}” is not a date. Write month/day/year, as in 9/20/2024.")


@dataclass(frozen=True)
class Injury:
    """When an injury happened: a day, or the period of a cumulative injury (Labor Code 3208.1).

    :ivar day: the day, or the first day of the period.
    :ivar last_day: the last day of the period; ``None`` for an injury of one day.
    """

    day: date
    last_day: date | None = None

    def __str__(self) -> str:
        return print_injury(self.day, self.last_day)


# Between the two days of a period. Dates themselves may be written with plain hyphens.
_BETWEEN = re.compile(r"\s*(?:[-–—]|\bto\b|\bthrough\b|\bthru\b)\s*")
_CUMULATIVE = re.compile(r"\s*(?:c\.?\s?t\.?(?![a-z])|cumulative(?: trauma| injury)?)\s*[:,]?\s*")


def read_injury(keyed: str, *, today: date) -> Injury:
    """Read a keyed date of injury: a day as ``read_date``, or a period.

    A period is two days with a hyphen or “to” between them, with or without “CT” before them:
    ``CT 1/5/2009 - 3/12/2014``, ``010509-031214``.

    :raises NotADate: with a sentence for the clerk.
    """
    text = _tidy(keyed)
    match = _CUMULATIVE.match(text)
    if match is None:
        try:
            return Injury(read_date(text, today=today))
        except NotADate:
            if not _BETWEEN.search(text[1:]):
                return Injury(read_date(keyed, today=today))  # with the text as typed
    text = text[match.end() :] if match else text
    for found in _BETWEEN.finditer(text):
        try:
            first = read_date(text[: found.start()], today=today)
            last = read_date(text[found.end() :], today=today)
        except NotADate:
            continue
        if last < first:
            raise NotADate("The period ends before it begins. Check both dates.")
        return Injury(first, last if last > first else None)
    if match is None:
        read_date(keyed, today=today)  # says what is wrong with it as a single day
    raise NotADate(
        f"“{keyed.strip()}” is not a period. Write the first and the last day of the cumulative "
        "injury, as in CT 1/5/2009 - 3/12/2014."
    )


def print_injury(day: date | None, last_day: date | None = None) -> str:
    """Write a date of injury as letters print it: ``CT 01/05/2009 – 03/12/2014`` for a period."""
    if day is None:
        return ""
    return f"CT {day:%m/%d/%Y} – {last_day:%m/%d/%Y}" if last_day else f"{day:%m/%d/%Y}"


# Word processors, fax gateways and other languages print more hyphens than a keyboard has.
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63\uff0d", "-"))


def _tidy(keyed: str) -> str:
    """Return a keyed date in small letters, with plain hyphens and blanks, and “19” for “19th”."""
    text = " ".join(keyed.translate(_HYPHENS).lower().split())
    text = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", r"\1", text)
    return re.sub(r"(?<=\d) ?([/.]) ?(?=\d)", r"\1", text)


def _read_year(digits: str, today: date) -> int:
    if len(digits) == 4:
        return int(digits)
    year = today.year // 100 * 100 + int(digits)
    return year - 100 if year > today.year + 9 else year


def _read_month(name: str, keyed: str) -> int:
    if name not in _MONTHS:
        raise NotADate(
            f"“{keyed.strip()}” does not name a month. Write month/day/year, as in 9/20/2024."
        )
    return _MONTHS[name]


def _make_day(year: int, month: int, day: int, keyed: str) -> date:
    # A year outside this range has a missing or a repeated digit.
    if not 1900 <= year <= 2100:
        raise NotADate(f"“{keyed.strip()}” is in the year {year}. Check the year.")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NotADate(
            f"“{keyed.strip()}” does not exist in the calendar. Write month/day/year."
        ) from error


def _refuse_day_first(month: int, day: int, year: int, keyed: str) -> None:
    """Refuse a month above 12 before a possible month: the day was written first."""
    if 12 < month <= 31 and 1 <= day <= 12:
        raise NotADate(
            f"“{keyed.strip()}” has no month {month}. If the day comes first on the paper, "
            f"write {day}/{month}/{year}."
        )


@dataclass(frozen=True)
class DateReading:
    """How a keyed date was read, and whether it has to be checked.

    :ivar written: the whole date for the field; empty if the text is no date.
    """

    text: str
    is_bad: bool = False
    written: str = ""


# How far back a date of each kind may lie before the clerk is asked to check it, in days.
_FAR = {
    "received": (30, "Check the stamp."),
    "ur_decided": (365, "Check the year."),
    "served_on": (365, "Check the year."),
    "requested_on": (730, "Check the year."),
    "signed_on": (365, "Check the year."),
    "date_of_injury": (50 * 365, "Check the year."),
}
# These must not be in the future, but none is too old to be plausible.
_PAST = {"date_of_birth", "consent_on", "designated_on"}


def interpret_date(keyed: str, *, today: date, kind: str = "", received: str = "") -> DateReading:
    """Describe a keyed date: ``Fri, Sep 20, 2024, 74 days before receipt``, or what is wrong.

    :param kind: the name of the field; it decides what is added to the date.
    :param received: the text in the field of the date of receipt.
    """
    if not keyed.strip():
        return DateReading("")
    try:
        if kind == "date_of_injury":
            injury = read_injury(keyed, today=today)
        else:
            injury = Injury(read_date(keyed, today=today))
    except NotADate as error:
        return DateReading(str(error), is_bad=True)
    on, last_day, written = injury.day, injury.last_day, str(injury)
    text = _describe_day(on)
    if last_day is not None:
        text = f"Cumulative injury, {text}, to {_describe_day(last_day)}"
    if (last_day or on) > today and (kind in _FAR or kind in _PAST):
        return DateReading(f"{text}, in the future", is_bad=True, written=written)
    if on == today:
        text += ", today"
    if kind == "date_of_birth":
        # One year less until the birthday of this year.
        age = today.year - on.year - ((today.month, today.day) < (on.month, on.day))
        text += f", age {age}"
        # Unlikely ages are only marked: injured workers may be younger or older.
        is_likely = 14 <= age <= 100
        return DateReading(
            text if is_likely else f"{text}. Check the year.",
            is_bad=not is_likely,
            written=written,
        )
    if kind == "ur_decided":
        # The date of receipt may be half typed at this moment.
        try:
            days = (read_date(received, today=today) - on).days
        except NotADate:
            days = None
        if days is not None and days < 0:
            sentence = f"{text}, after receipt. Check both dates."
            return DateReading(sentence, is_bad=True, written=written)
        if days is not None:
            text += f", {days} day{'' if days == 1 else 's'} before receipt"
    far, check = _FAR.get(kind, (0, ""))
    if far and (today - on).days > far:
        return DateReading(f"{text}, long ago. {check}", is_bad=True, written=written)
    return DateReading(text, written=written)


def _describe_day(on: date) -> str:
    return f"{on:%a, %b} {on.day}, {on.year}"
