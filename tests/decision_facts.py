"""Reading facts out of the texts of a decision, for tests that compare a decision with its records.

Pure: texts go in, values come out.
"""

import re
from datetime import date

_DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_LEVEL = re.compile(r"\b[CTLS]\d{1,2}(?:-[CTLS]?\d{1,2})?\b")
_DOSE = re.compile(r"\b\d+(?:\.\d+)? ?(?:mg|cm|%)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SIDE = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_SOURCES = {
    "MTUS": ("MTUS", "the schedule", "Medical Treatment Utilization Schedule"),
    "ODG": ("ODG", "Official Disability Guidelines"),
    "Cochrane": ("Cochrane",),
}


def find_dates(text):
    """Every day that a text names as month/day/year."""
    return {date(int(year), int(month), int(day)) for month, day, year in _DATE.findall(text)}


def find_facts(text):
    """Levels of the spine, doses, sides and numbers of a text; its dates are left out."""
    rest = _DATE.sub(" ", text)
    facts = {*_LEVEL.findall(rest), *_DOSE.findall(rest)}
    facts |= {side.lower() for side in _SIDE.findall(rest)}
    return facts | set(_NUMBER.findall(_LEVEL.sub(" ", rest)))


def find_sources(text):
    """Which sources of authority a text names: the schedule, ODG and so on."""
    folded = text.casefold()
    return {
        source
        for source, names in _SOURCES.items()
        if any(name.casefold() in folded for name in names)
    }


def join_lines(text):
    """A text of a page on one line, so that a fact is found across the ends of lines."""
    return " ".join(text.split())


def dates_before_injury(text, *, injured_on):
    """The days that a text names and that lie before the injury."""
    return {day for day in find_dates(text) if day < injured_on}


def dates_in_no_document(text, documents):
    """The days that a text names and that no document names."""
    return find_dates(text) - find_dates(" ".join(documents))


def facts_in_no_document(text, documents):
    """The levels, doses, sides and numbers of a text that no document names."""
    return find_facts(text) - find_facts(" ".join(documents))
