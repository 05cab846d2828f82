"""The rules and holidays that come with the product: rows, each with its source and its days.

No one has confirmed them against the text of the law yet: ``confirmed_on`` is empty on every row,
staff pages say so, and no letter quotes a source from here. A row marked "recalled" was written
from memory of the law, not from its text. A migration loads the rows into the database, where they
are confirmed, replaced and ended; this module only defines what a new installation starts with.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any

from .calendars import CalendarName, Calendars, Holiday, calendars_from
from .rules import APPEAL, EXTENSION, LIABILITY, Effect, Extension, Kind, LegalHold, Roll, Rule

_IMR_BEGINS = date(2013, 1, 1)  # the emergency rules of 8 CCR 9792.10.1 and following
_ALL_ALONG = date(2012, 1, 1)
_FORMULARY_BEGINS = date(2018, 1, 1)
# The WCAB's rules were renumbered and amended (8 CCR 10605 was 10507), and SB 537 defined the
# "normal business day" (Stats. 2019, ch. 647).
_LAW_OF_2020 = date(2020, 1, 1)
_END_OF_2019 = date(2019, 12, 31)
_UR_RULES_OF_2026 = date(2026, 4, 1)
_NOT_SEEN_2026 = "The text in force from April 1, 2026 was not seen."

# --- Days added for the way of service ------------------------------------------------------------
_BY_MAIL = {
    "in_hand": Extension(0, "CCP 1013"),
    "mail_ca": Extension(5, "CCP 1013(a)"),
    "mail_us": Extension(10, "CCP 1013(a)"),
    "mail_abroad": Extension(20, "CCP 1013(a), recalled"),
    "express": Extension(2, "CCP 1013(c)", court_days=True),
    # Neither LC 4610.5 nor 8 CCR 9792.10.1 names these two; they are read from CCP by analogy.
    "fax": Extension(2, "CCP 1013(e)", court_days=True, disputed=True),
    "electronic": Extension(2, "CCP 1010.6, recalled", court_days=True, disputed=True),
}
# Before the WCAB the Code of Civil Procedure governed until 2019. Its days were not in dispute.
_BEFORE_WCAB = {
    method: replace(extension, disputed=False) for method, extension in _BY_MAIL.items()
}
# For every way of service except service in hand, by the address of the person served.
_BY_ADDRESS = {
    "in_hand": Extension(0, "8 CCR 10605(b)"),
    "mail_ca": Extension(5, "8 CCR 10605(a)(1)"),
    "mail_us": Extension(10, "8 CCR 10605(a)(2)"),
    "mail_abroad": Extension(20, "8 CCR 10605(a)(3)"),
}
# The regulation states the window by channel; adding CCP 1013 would count the mail twice.
_RECORDS_WINDOW = {"mail_ca": 15, "mail_us": 15, "electronic": 12}

# --- Holds for which the law itself moves the date ------------------------------------------------
_LIABILITY_FIRST = {
    LIABILITY: LegalHold(
        Effect.RESTARTS,
        "LC 4610.5(h)(2); 8 CCR 9792.10.1(b)(5), recalled",
        restarts_as="application_after_liability",
    )
}
_GOOD_CAUSE = {
    EXTENSION: LegalHold(
        Effect.EXTENDS, "LC 4610.6(d)(2); 8 CCR 9792.10.6(g)(3), recalled", max_days=3
    )
}
_WHILE_APPEALED = {
    APPEAL: LegalHold(Effect.SUSPENDS, "8 CCR 9792.10.7(a)"),
    LIABILITY: LegalHold(Effect.SUSPENDS, "8 CCR 9792.10.7(a)"),
}


def _calendar_days_rule(
    deadline_kind: str,
    length: int,
    source: str,
    *,
    since: date = _IMR_BEGINS,
    calendar: CalendarName = CalendarName.JUDICIAL,
    kind: Kind = Kind.CALENDAR,
    roll: Roll = Roll.FORWARD,
) -> Rule:
    return Rule(
        deadline_kind,
        kind,
        source,
        since,
        length=length,
        calendar=calendar,
        roll=roll,
        note=_NOT_SEEN_2026,
    )


def _business_days_rule(
    deadline_kind: str, length: int, source: str, *, since: date = _IMR_BEGINS
) -> Rule:
    """Build a rule in weekdays less office closures: the IMR rules do not define "business day"."""
    office, business = CalendarName.OFFICE, Kind.BUSINESS
    return _calendar_days_rule(
        deadline_kind, length, source, since=since, calendar=office, kind=business, roll=Roll.NONE
    )


def _working_days_rule(
    deadline_kind: str, length: int, source: str, *, since: date, roll: Roll
) -> Rule:
    """Saturday is no working day (Pa'u, 2019); the Friday after Thanksgiving is (Gomez, 2018)."""
    state, working = CalendarName.GOV6700, Kind.WORKING
    return _calendar_days_rule(
        deadline_kind, length, source, since=since, calendar=state, kind=working, roll=roll
    )


def _normal_business_days_rule(deadline_kind: str, length: int, source: str) -> Rule:
    """Build a rule in days as LC 4600.4(b) defines them for Article 2 since 2020.

    Not a Saturday, a Sunday, a day that the Governor declares an official state holiday, or a
    holiday on the list of the Department of Human Resources.
    """
    return replace(
        _business_days_rule(deadline_kind, length, f"{source}; LC 4600.4(b)", since=_LAW_OF_2020),
        defines_calendar=True,
    )


def _hours_rule(deadline_kind: str, length: int, source: str, *, since: date = _IMR_BEGINS) -> Rule:
    return Rule(deadline_kind, Kind.HOURS, source, since, length=length, note=_NOT_SEEN_2026)


def _records_rule(deadline_kind: str, source: str) -> Rule:
    return Rule(
        deadline_kind,
        Kind.CALENDAR,
        source,
        _IMR_BEGINS,
        calendar=CalendarName.JUDICIAL,
        roll=Roll.FORWARD,
        length_by_method=_RECORDS_WINDOW,
        note=_NOT_SEEN_2026,
    )


# How a request for authorization is received (8 CCR 9792.9.1(a)).
_RECEIPT_OF_A_REQUEST: dict[str, Any] = {
    # A fax after 5:30 PM counts as received on the next business day.
    "cutoff": time(17, 30),
    # A mailed request counts as received five days after it was posted.
    "deemed_received": {"mail_ca": 5, "mail_us": 5},
    # Never more than 14 days from the recommendation of the treatment.
    "outer_days": 14,
}

RULES: tuple[Rule, ...] = (
    # the employee's application
    replace(
        _calendar_days_rule("application", 30, "LC 4610.5(h)(1); 8 CCR 9792.10.1(b)(1)"),
        extensions=_BY_MAIL,
        legal_holds=_LIABILITY_FIRST,
    ),
    replace(
        _calendar_days_rule(
            "application_formulary",
            10,
            "LC 4610.5(h)(1)(A), recalled",
            since=_FORMULARY_BEGINS,
        ),
        extensions=_BY_MAIL,
        legal_holds=_LIABILITY_FIRST,
    ),
    replace(
        _calendar_days_rule(
            "application_after_liability",
            30,
            "LC 4610.5(h)(2); 8 CCR 9792.10.1(b)(5), recalled",
        ),
        extensions=_BY_MAIL,
    ),
    _calendar_days_rule("internal_appeal", 10, "8 CCR 9792.10.1, recalled"),
    # screening and notice
    _business_days_rule("screening", 2, "The organization's internal target"),
    replace(
        _calendar_days_rule(
            "eligibility_information", 15, "8 CCR 9792.10.3(b), emergency rules of 2013"
        ),
        effective_to=date(2013, 12, 31),
        note="The day on which five business days took the place of 15 days is not confirmed: "
        "the final rules were approved on February 12, 2014.",
    ),
    _business_days_rule("eligibility_information", 5, "8 CCR 9792.10.3(c)", since=date(2014, 1, 1)),
    _business_days_rule("noarfi", 1, "8 CCR 9792.10.4(b)"),
    # records and other documents
    _records_rule("records", "8 CCR 9792.10.5(a)(1); LC 4610.5(l)"),
    _hours_rule("records_expedited", 24, "8 CCR 9792.10.5(a)(1)"),
    _records_rule("own_papers", "8 CCR 9792.10.5(b), recalled"),
    _hours_rule("own_papers_expedited", 24, "8 CCR 9792.10.5(b), recalled"),
    _business_days_rule("reviewer_information", 5, "8 CCR 9792.10.5(c), recalled"),
    # No roll: a closed day does not lengthen an expedited period.
    Rule(
        "reviewer_information_expedited",
        Kind.CALENDAR,
        "8 CCR 9792.10.5(c), recalled",
        _IMR_BEGINS,
        length=1,
        note=_NOT_SEEN_2026,
    ),
    # the determination
    replace(
        _calendar_days_rule("determination_regular", 30, "LC 4610.6(d)(1); 8 CCR 9792.10.6(g)"),
        legal_holds=_GOOD_CAUSE,
    ),
    replace(
        _working_days_rule(
            "determination_formulary",
            5,
            "LC 4610.6(d)(1)(A)",
            since=_FORMULARY_BEGINS,
            roll=Roll.FORWARD,  # an extension in calendar days may end on a closed day
        ),
        effective_to=_END_OF_2019,
        legal_holds=_GOOD_CAUSE,
    ),
    replace(
        _normal_business_days_rule("determination_formulary", 5, "LC 4610.6(d)(1)(A)"),
        roll=Roll.FORWARD,
        legal_holds=_GOOD_CAUSE,
    ),
    replace(
        _hours_rule(
            "determination_expedited",
            72,
            "LC 4610.6(d)(2); 8 CCR 9792.10.6(g)(2), recalled",
        ),
        legal_holds=_GOOD_CAUSE,
    ),
    Rule(
        "notice_mark",
        Kind.CALENDAR,
        "practice of the Department of Industrial Relations: 15 + 30 days from the notice",
        _IMR_BEGINS,
        length=45,
    ),
    # after the determination
    replace(
        _calendar_days_rule("petition", 30, "LC 4610.6(h); 8 CCR 10957.1, recalled"),
        effective_to=_END_OF_2019,
        extensions=_BEFORE_WCAB,
    ),
    replace(
        _calendar_days_rule(
            "petition",
            30,
            "LC 4610.6(h); 8 CCR 10575(c); 8 CCR 10600, recalled",
            since=_LAW_OF_2020,
            # The WCAB takes filings on days on which only the courts are closed (Bernard, 2009).
            calendar=CalendarName.OFFICE,
        ),
        extensions=_BY_ADDRESS,
        extends_by_address=True,
    ),
    replace(
        _working_days_rule(
            "authorize", 5, "8 CCR 9792.10.7(a)(2)", since=_IMR_BEGINS, roll=Roll.FORWARD
        ),
        effective_to=_END_OF_2019,
        legal_holds=_WHILE_APPEALED,
    ),
    replace(
        _normal_business_days_rule("authorize", 5, "8 CCR 9792.10.7(a)(2)"),
        roll=Roll.FORWARD,
        legal_holds=_WHILE_APPEALED,
    ),
    replace(
        _calendar_days_rule("reimburse", 20, "8 CCR 9792.10.7(a)(1)"), legal_holds=_WHILE_APPEALED
    ),
    # utilization review: for information, the WCAB decides whether a decision was late
    replace(
        _working_days_rule(
            "ur_decision", 5, "LC 4610(i)(1); 8 CCR 9792.9.1", since=_ALL_ALONG, roll=Roll.NONE
        ),
        effective_to=_END_OF_2019,
        **_RECEIPT_OF_A_REQUEST,
    ),
    replace(
        _normal_business_days_rule("ur_decision", 5, "LC 4610(i)(1); 8 CCR 9792.9.1"),
        **_RECEIPT_OF_A_REQUEST,
    ),
    _hours_rule("ur_decision_expedited", 72, "LC 4610(i)(3); 8 CCR 9792.9.1", since=_ALL_ALONG),
    Rule(
        "twelve_month_bar",
        Kind.MONTHS,
        "LC 4610(g)(6), later 4610(k)",
        _IMR_BEGINS,
        length=12,
        note="Whether the last day itself is barred is a reading, not text.",
    ),
    Rule(
        "records_penalty",
        Kind.CALENDAR,
        "8 CCR 9792.12(c)(6)",
        date(2014, 12, 1),
        usd_per_day=500,
        usd_limit=5_000,
        note="Enforced by the Division for records due from December 2014.",
        effective_to=_UR_RULES_OF_2026 - timedelta(days=1),
    ),
    Rule(
        "records_penalty",
        Kind.CALENDAR,
        "8 CCR 9792.12 as amended on April 1, 2026",
        _UR_RULES_OF_2026,
        note="The schedule was reordered on April 1, 2026. Its amounts were not seen.",
    ),
)


# --- Holidays ---------------------------------------------------------------------------------

# Listed by year, because no pattern describes these holidays.
_LUNAR_NEW_YEAR = (
    "2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 "
    "2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08 2036-01-28 2037-02-15 2038-02-04 "
    "2039-01-24 2040-02-12 2041-02-01 2042-01-22 2043-02-10 2044-01-30 2045-02-17 2046-02-06 "
    "2047-01-26 2048-02-14 2049-02-02 2050-01-23 2051-02-11 2052-02-01 2053-02-19 2054-02-08 "
    "2055-01-28 2056-02-15 2057-02-04 2058-01-24 2059-02-12 2060-02-02"
)
_DIWALI = (
    "2026-11-08 2027-10-29 2028-10-17 2029-11-05 2030-10-26 2031-11-14 2032-11-02 2033-10-22 "
    "2034-11-10 2035-10-30 2036-10-19 2037-11-07 2038-10-27 2039-11-15 2040-11-04 2041-10-24 "
    "2042-11-12 2043-11-01 2044-10-20 2045-11-08 2046-10-29 2047-10-18 2048-11-05 2049-10-26 "
    "2050-11-14 2051-11-03 2052-10-22 2053-11-09 2054-10-30 2055-10-20 2056-11-07 2057-10-27 "
    "2058-11-15 2059-11-04 2060-10-23"
)
_WORKED_OUT = "Days computed from the lunar calendar; compare each year with the published list."
_2015, _2022, _2023, _2026 = (date(year, 1, 1) for year in (2015, 2022, 2023, 2026))
_END_OF_2021 = date(2021, 12, 31)
_FARMWORKERS_DAY_BEGINS = date(2026, 3, 31)
_CHAVEZ_DAY_ENDS = date(2026, 3, 30)


def _march_31(moved: Callable[..., Holiday]) -> list[Holiday]:
    """Return the holiday of March 31, which AB 2156 (2026) renamed."""
    return [
        replace(moved("Cesar Chavez Day", "03-31"), effective_to=_CHAVEZ_DAY_ENDS),
        replace(
            moved("Farmworkers Day", "03-31", _FARMWORKERS_DAY_BEGINS),
            note="AB 2156 (2026). The text was not seen; the day is taken as unchanged.",
        ),
    ]


def _state_holidays() -> list[Holiday]:
    """State holidays (Gov. Code 6700), moved off weekends only as 6701 says.

    Good Friday is left out: it is a holiday from noon to 3 PM only, and days are counted whole.
    """
    law = "Gov. Code 6700"

    def day(name: str, pattern: str, since: date = _ALL_ALONG, note: str = "") -> Holiday:
        return Holiday(CalendarName.GOV6700, name, pattern, law, since, note=note)

    def moved(name: str, pattern: str, since: date = _ALL_ALONG) -> Holiday:
        both = f"{law} and 6701"
        return replace(day(name, pattern, since), source=both, sunday_moves_to_monday=True)

    return [
        moved("New Year's Day", "01-01"),
        day("Martin Luther King Jr. Day", "3 MON 01"),
        day("Lunar New Year", _LUNAR_NEW_YEAR, _2023, _WORKED_OUT),
        moved("Lincoln Day", "02-12"),
        day("Presidents' Day", "3 MON 02"),
        *_march_31(moved),
        day("Genocide Remembrance Day", "04-24", _2023),
        day("Memorial Day", "LAST MON 05"),
        day("Juneteenth", "06-19", _2023),
        moved("Independence Day", "07-04"),
        day("Labor Day", "1 MON 09"),
        moved("Admission Day", "09-09"),
        day("Native American Day", "4 FRI 09", _2015),
        day("Columbus Day", "2 MON 10"),
        day("Diwali", _DIWALI, _2026, _WORKED_OUT),
        # Only this holiday also moves from a Saturday (Gov. Code 6701).
        replace(moved("Veterans Day", "11-11"), saturday_moves_to_friday=True),
        day("Thanksgiving Day", "4 THU 11", note="Appointed each year."),
        moved("Christmas Day", "12-25"),
    ]


def _court_holidays() -> list[Holiday]:
    """Court holidays (CCP 135): the state's with exceptions, moved off Saturdays and Sundays."""

    def day(
        name: str, pattern: str, since: date = _ALL_ALONG, until: date | None = None
    ) -> Holiday:
        return Holiday(CalendarName.JUDICIAL, name, pattern, "CCP 135, recalled", since, until)

    def moved(name: str, pattern: str, since: date = _ALL_ALONG) -> Holiday:
        return replace(
            day(name, pattern, since), sunday_moves_to_monday=True, saturday_moves_to_friday=True
        )

    # Admission Day, Lunar New Year, April 24 and Diwali are state holidays, but courts are open.
    return [
        moved("New Year's Day", "01-01"),
        day("Martin Luther King Jr. Day", "3 MON 01"),
        moved("Lincoln Day", "02-12"),
        day("Presidents' Day", "3 MON 02"),
        *_march_31(moved),
        day("Memorial Day", "LAST MON 05"),
        moved("Juneteenth", "06-19", _2023),
        moved("Independence Day", "07-04"),
        day("Labor Day", "1 MON 09"),
        # Takes the place of Columbus Day from 2022 on.
        replace(
            day("Native American Day", "4 FRI 09", _2022),
            note="From 2015 to 2021 it was a state holiday without an exception in CCP 135, so "
            "that courts may have been closed on it in some of these years.",
        ),
        day("Columbus Day", "2 MON 10", until=_END_OF_2021),
        moved("Veterans Day", "11-11"),
        day("Thanksgiving Day", "4 THU 11"),
        day("the Friday after Thanksgiving", "4 THU 11 +1"),
        moved("Christmas Day", "12-25"),
    ]


def _office_closures() -> list[Holiday]:
    """Build the closures of state offices, moved off weekends as Gov. Code 6701 says."""

    def day(name: str, pattern: str, since: date = _ALL_ALONG) -> Holiday:
        return Holiday(CalendarName.OFFICE, name, pattern, "Gov. Code 19853, recalled", since)

    def moved(name: str, pattern: str, since: date = _ALL_ALONG) -> Holiday:
        both = "Gov. Code 19853 and 6701, recalled"
        return replace(day(name, pattern, since), source=both, sunday_moves_to_monday=True)

    # Offices stay open on some state holidays, such as Lincoln Day and Columbus Day.
    return [
        moved("New Year's Day", "01-01"),
        day("Martin Luther King Jr. Day", "3 MON 01"),
        day("Presidents' Day", "3 MON 02"),
        *_march_31(moved),
        day("Memorial Day", "LAST MON 05"),
        moved("Independence Day", "07-04"),
        day("Labor Day", "1 MON 09"),
        replace(moved("Veterans Day", "11-11"), saturday_moves_to_friday=True),
        day("Thanksgiving Day", "4 THU 11"),
        day("the Friday after Thanksgiving", "4 THU 11 +1"),
        moved("Christmas Day", "12-25"),
    ]


HOLIDAYS: tuple[Holiday, ...] = (*_state_holidays(), *_court_holidays(), *_office_closures())


@lru_cache(maxsize=1)
def default_calendars() -> Calendars:
    """Return the calendars of the rows above."""
    return calendars_from(HOLIDAYS)
