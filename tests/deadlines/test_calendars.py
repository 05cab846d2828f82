"""The three calendars, day by day, against a second reading of the same holidays."""

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from deadlines.calendars import (
    FIRST_DAY,
    LAST_DAY,
    BadHoliday,
    CalendarName,
    Calendars,
    Holiday,
    OutOfRange,
    UnknownCalendar,
    describe_pattern,
    friday_after_thanksgiving,
    read_pattern,
)
from deadlines.shipped_rules import HOLIDAYS, default_calendars

EVERY_DAY = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
ONE_DAY = timedelta(days=1)


# --- A second reading: looks at a day and asks which holiday it is --------------------------------


def listed(name):
    """The days of a holiday that the moon sets, as shipped; their own test is further below."""
    (row,) = [row for row in HOLIDAYS if row.name == name]
    return {date.fromisoformat(word) for word in row.pattern.split()}


LUNAR_NEW_YEAR, DIWALI = listed("Lunar New Year"), listed("Diwali")


def is_nth(day, n, weekday):
    return day.weekday() == weekday and (day.day - 1) // 7 + 1 == n


def is_last(day, weekday):
    return day.weekday() == weekday and (day + timedelta(days=7)).month != day.month


def is_thanksgiving(day):
    return day.month == 11 and is_nth(day, 4, THURSDAY)


def is_monday_holiday(day):
    return (
        (day.month == 1 and is_nth(day, 3, MONDAY))
        or (day.month == 2 and is_nth(day, 3, MONDAY))
        or (day.month == 5 and is_last(day, MONDAY))
        or (day.month == 9 and is_nth(day, 1, MONDAY))
    )


def dated(*days, since=2012):
    return lambda day: (day.month, day.day) in days and day.year >= since


def kept(fixed, day, *, saturdays=()):
    """Whether a fixed date is kept on ``day``: on itself, or moved off a weekend."""
    yesterday, tomorrow = day - ONE_DAY, day + ONE_DAY
    return (
        fixed(day)
        or (yesterday.weekday() == SUNDAY and fixed(yesterday))
        or (
            tomorrow.weekday() == SATURDAY
            and fixed(tomorrow)
            and (saturdays == "all" or (tomorrow.month, tomorrow.day) in saturdays)
        )
    )


def state_closed(day):
    moved = dated((1, 1), (2, 12), (3, 31), (7, 4), (9, 9), (11, 11), (12, 25))
    stays = dated((4, 24), (6, 19), since=2023)
    return (
        kept(moved, day, saturdays=[(11, 11)])
        or stays(day)
        or is_monday_holiday(day)
        or (day.month == 9 and is_nth(day, 4, FRIDAY) and day.year >= 2015)
        or (day.month == 10 and is_nth(day, 2, MONDAY))
        or is_thanksgiving(day)
        or day in LUNAR_NEW_YEAR
        or day in DIWALI
    )


def courts_closed(day):
    moved = dated((1, 1), (2, 12), (3, 31), (7, 4), (11, 11), (12, 25))
    return (
        kept(moved, day, saturdays="all")
        or kept(dated((6, 19), since=2023), day, saturdays="all")
        or is_monday_holiday(day)
        or (day.month == 9 and is_nth(day, 4, FRIDAY) and day.year >= 2022)
        or (day.month == 10 and is_nth(day, 2, MONDAY) and day.year <= 2021)
        or is_thanksgiving(day)
        or is_thanksgiving(day - ONE_DAY)
    )


def offices_closed(day):
    moved = dated((1, 1), (3, 31), (7, 4), (11, 11), (12, 25))
    return (
        kept(moved, day, saturdays=[(11, 11)])
        or is_monday_holiday(day)
        or is_thanksgiving(day)
        or is_thanksgiving(day - ONE_DAY)
    )


SECOND_READING = {
    "gov6700": state_closed,
    "judicial": courts_closed,
    "office": offices_closed,
}


def open_by_second_reading(name, day):
    return day.weekday() < SATURDAY and not SECOND_READING[name](day)


OPEN_DAYS = {
    name: frozenset(day for day in EVERY_DAY if open_by_second_reading(name, day))
    for name in SECOND_READING
}


@pytest.mark.parametrize("name", SECOND_READING)
def test_every_day_of_49_years_is_open_or_closed_as_a_second_implementation_computes(name):
    calendar = default_calendars().get(name)

    assert {day for day in EVERY_DAY if calendar.is_open(day)} == OPEN_DAYS[name]


# --- Days that were really closed -----------------------------------------------------------------


def weekdays_closed(name, year):
    calendar = default_calendars().get(name)
    return [
        f"{day:%m-%d}"
        for day in EVERY_DAY
        if day.year == year and day.weekday() < SATURDAY and not calendar.is_open(day)
    ]


@pytest.mark.parametrize(
    ("year", "closed"),
    [
        (2014, "01-01 01-20 02-17 03-31 05-26 07-04 09-01 11-11 11-27 11-28 12-25"),
        (2017, "01-02 01-16 02-20 03-31 05-29 07-04 09-04 11-10 11-23 11-24 12-25"),
        # 4 July 2026 is a Saturday, which state offices do not move
        (2026, "01-01 01-19 02-16 03-31 05-25 09-07 11-11 11-26 11-27 12-25"),
    ],
)
def test_state_offices_were_closed_on_these_weekdays(year, closed):
    assert weekdays_closed("office", year) == closed.split()


@pytest.mark.parametrize(
    ("day", "state", "courts", "office"),
    [
        # day, then whether it is closed on gov6700, judicial, office
        ("2014-02-12", True, True, False),  # Lincoln
        ("2014-09-09", True, False, False),  # Admission Day
        ("2014-09-26", False, False, False),  # Native American Day was not yet a holiday
        ("2015-09-25", True, False, False),  # now it was, and not yet for the courts
        ("2021-10-11", True, True, False),  # Columbus Day, the last year for the courts
        ("2022-10-10", True, False, False),
        ("2022-09-23", True, True, False),  # Native American Day took its place
        ("2014-11-28", False, True, True),  # the Friday after Thanksgiving
        ("2022-06-20", False, False, False),  # Juneteenth was not yet in the list
        ("2023-06-19", True, True, False),
        ("2033-06-20", False, True, False),  # Juneteenth on a Sunday: only the courts move it
        ("2027-06-18", False, True, False),  # on a Saturday: likewise
        ("2023-04-24", True, False, False),  # Genocide Remembrance Day
        ("2024-02-12", True, True, False),
        ("2026-02-17", True, False, False),  # Lunar New Year
        ("2027-10-29", True, False, False),  # Diwali
        ("2017-02-13", True, True, False),  # Lincoln on a Sunday
        ("2022-02-11", False, True, False),  # Lincoln on a Saturday
        ("2018-03-30", False, True, False),  # Chavez on a Saturday
        ("2013-04-01", True, True, True),  # Chavez on a Sunday
        ("2018-09-10", True, False, False),  # Admission Day on a Sunday
        ("2021-07-05", True, True, True),  # 4 July on a Sunday
        ("2015-07-03", False, True, False),  # 4 July on a Saturday
        ("2017-11-10", True, True, True),  # Veterans Day on a Saturday
        ("2018-11-12", True, True, True),  # and on a Sunday
        ("2022-12-26", True, True, True),  # Christmas on a Sunday
        ("2021-12-24", False, True, False),  # and on a Saturday
        ("2021-12-31", False, True, False),  # New Year's Day 2022 on a Saturday
        ("2060-12-31", False, True, False),  # New Year's Day 2061, beyond the years on file
        ("2017-01-02", True, True, True),
    ],
)
def test_named_days_are_closed_where_they_should_be(day, state, courts, office):
    calendars, day = default_calendars(), date.fromisoformat(day)

    closed = [not calendars.get(name).is_open(day) for name in ("gov6700", "judicial", "office")]

    assert closed == [state, courts, office]


def test_a_closed_day_names_its_holiday():
    courts = default_calendars().get("judicial")

    assert courts.why_closed(date(2014, 11, 28)) == "the Friday after Thanksgiving"
    assert courts.why_closed(date(2021, 12, 31)) == "New Year's Day, observed"
    assert courts.why_closed(date(2014, 8, 2)) == "Saturday"
    assert courts.why_closed(date(2014, 8, 3)) == "Sunday"
    assert courts.why_closed(date(2014, 8, 4)) == ""


@pytest.mark.parametrize(("name", "before"), [("Lunar New Year", 1.0), ("Diwali", 1.9)])
def test_lunar_holidays_fall_on_a_new_moon(name, before):
    """Mean new moons from that of 6 January 2000, 18:14 UTC; the true one differs by hours."""
    first, month = datetime(2000, 1, 6, 18, 14, tzinfo=UTC), 29.530588853
    days = sorted(listed(name))

    for day in days:
        noon = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
        age = ((noon - first) / ONE_DAY) % month
        assert min(age, month - age) < before, day
    for earlier, later in zip(days, days[1:], strict=False):
        assert later.year == earlier.year + 1
        assert (later - earlier).days in {353, 354, 355, 383, 384, 385}, later


# --- A change of any row is seen ------------------------------------------------------------------

# The holiday was renamed and kept its day.
MARCH_31 = {2025: "Cesar Chavez Day", 2026: "Farmworkers Day", 2027: "Farmworkers Day"}


def name_march_31(calendar):
    return {year: calendar.why_closed(date(year, 3, 31)) for year in MARCH_31}


@pytest.mark.parametrize("name", SECOND_READING)
def test_the_holiday_of_march_31_has_its_new_name_from_2026(name):
    assert name_march_31(default_calendars().get(name)) == MARCH_31


def mutants(row):
    yield "left out", None
    if row.effective_from.year > 2012:
        yield "a year early", replace(row, effective_from=row.effective_from.replace(year=2014))
    yield "late", replace(row, effective_from=row.effective_from.replace(year=2028))
    if row.effective_to:
        later = row.effective_to.replace(year=row.effective_to.year + 1)
        yield "ends late", replace(row, effective_to=later)
    else:
        yield "ends", replace(row, effective_to=date(2050, 1, 1))
    if row.pattern[2:3] == "-":
        yield "Sunday", replace(row, sunday_moves_to_monday=not row.sunday_moves_to_monday)
        yield "Saturday", replace(row, saturday_moves_to_friday=not row.saturday_moves_to_friday)


MUTANTS = [
    pytest.param(row, other, id=f"{row.calendar}: {row.name}: {what}")
    for row in HOLIDAYS
    for what, other in mutants(row)
    # the list of a moon's holiday begins with its first year: an earlier start changes nothing
    if not (what == "a year early" and " " in row.pattern and row.pattern.startswith("20"))
]


@pytest.mark.parametrize(("row", "mutant"), MUTANTS)
def test_no_holiday_can_change_unnoticed(row, mutant):
    rows = [mutant if other is row else other for other in HOLIDAYS]
    calendar = Calendars([other for other in rows if other and other.calendar == row.calendar])

    changed = calendar.get(row.calendar)

    same_days = {day for day in EVERY_DAY if changed.is_open(day)} == OPEN_DAYS[row.calendar]
    assert not same_days or name_march_31(changed) != MARCH_31


def test_every_holiday_has_a_source_and_a_first_day_and_is_unconfirmed():
    assert {row.calendar for row in HOLIDAYS} == set(CalendarName)
    for row in HOLIDAYS:
        assert row.source
        assert row.effective_from >= FIRST_DAY
        assert row.confirmed_on is None
        assert not row.confirmed_by


# --- Counting -------------------------------------------------------------------------------------

# Every fifth day: each weekday of each week of the year comes up, in some year.
STARTS = [day for day in EVERY_DAY[3::5] if day < date(2060, 1, 1)]
COUNTS = (0, 1, 2, 5, 17, 60)


@pytest.mark.parametrize("name", SECOND_READING)
def test_adding_open_days_equals_walking_day_by_day(name):
    calendar = default_calendars().get(name)
    open_days = sorted(OPEN_DAYS[name])
    for start in STARTS:
        passed = bisect_right(open_days, start)
        for count in COUNTS:
            walked = open_days[passed + count - 1] if count else start
            assert calendar.add(start, count) == walked, (start, count)


@pytest.mark.parametrize("name", SECOND_READING)
def test_adding_in_two_parts_equals_adding_at_once(name):
    calendar = default_calendars().get(name)
    for start in STARTS:
        for first, second in pairwise((*COUNTS, 3)):
            once = calendar.add(start, first + second)
            assert calendar.add(calendar.add(start, first), second) == once, (start, first, second)


@pytest.mark.parametrize("name", SECOND_READING)
def test_rolling_moves_to_the_nearest_open_day_in_its_direction(name):
    calendar = default_calendars().get(name)
    for day in EVERY_DAY[3:-31]:
        after, before = calendar.on_or_after(day), calendar.on_or_before(day)

        assert {after, before} <= OPEN_DAYS[name], day
        between = range(1, (after - before).days)
        assert not any(before + timedelta(days=n) in OPEN_DAYS[name] for n in between), day
        assert (after == before) is (day in OPEN_DAYS[name]), day


# --- The Friday after Thanksgiving ----------------------------------------------------------------


@pytest.mark.parametrize("year", [2012, 2014, 2018, 2060])
def test_the_friday_flag_opens_or_closes_that_friday_and_no_other_day(year):
    friday = friday_after_thanksgiving(year)
    for name in SECOND_READING:
        plain, working, closed = (
            default_calendars().get(name, friday_is_working=flag) for flag in (None, True, False)
        )
        assert working.is_open(friday)
        assert not closed.is_open(friday)
        for other in EVERY_DAY:
            if other != friday_after_thanksgiving(other.year):
                assert plain.is_open(other) == working.is_open(other) == closed.is_open(other)


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2011, 12, 31), date(2061, 1, 1), date(214, 6, 20)])
def test_a_day_outside_the_years_on_file_is_refused_with_a_sentence(day):
    calendar = default_calendars().get("office")

    with pytest.raises(OutOfRange, match=r"outside 2012 to 2060"):
        calendar.is_open(day)
    with pytest.raises(OutOfRange):
        calendar.add(day, 0)


def test_a_count_that_runs_out_of_the_years_on_file_is_refused():
    with pytest.raises(OutOfRange):
        default_calendars().get("gov6700").add(date(2060, 12, 28), 10)


def test_an_unknown_calendar_is_refused_naming_those_on_file():
    with pytest.raises(UnknownCalendar, match="gov6700, judicial, office"):
        default_calendars().get("federal")


@pytest.mark.parametrize(
    "pattern", ["", "13-01", "02-30", "5 MON 01", "3 MUN 01", "3 MON 13", "2026-02-30", "Easter"]
)
def test_a_pattern_that_cannot_be_read_is_refused_with_examples(pattern):
    with pytest.raises(BadHoliday, match="LAST MON 05"):
        read_pattern(pattern)


def test_patterns_fall_where_they_say():
    assert read_pattern("02-29")(2016) == [date(2016, 2, 29)]
    assert read_pattern("02-29")(2015) == []
    assert read_pattern("LAST MON 12")(2014) == [date(2014, 12, 29)]
    assert read_pattern("4 THU 11 +1")(2014) == [date(2014, 11, 28)]
    assert read_pattern("2026-02-17 2027-02-06")(2027) == [date(2027, 2, 6)]


def test_two_holidays_on_one_day_are_both_named():
    rows = [
        Holiday("office", "One", "06-10", "a notice", FIRST_DAY),
        Holiday("office", "Other", "06-10", "a notice", FIRST_DAY),
    ]

    assert Calendars(rows).get("office").why_closed(date(2014, 6, 10)) == "One and Other"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("12-25", "December 25"),
        ("02-29", "February 29"),
        ("3 MON 01", "third Monday of January"),
        ("LAST MON 05", "last Monday of May"),
        ("4 SUN 12", "fourth Sunday of December"),
        ("4 THU 11 +1", "the day after the fourth Thursday of November"),
        ("1 TUE 11 +2", "2 days after the first Tuesday of November"),
        ("4 THU 11 +0", "fourth Thursday of November"),
        ("2025-01-09", "only Thu, Jan 9, 2025"),
        ("2027-02-06 2026-02-17", "2 listed days, Tue, Feb 17, 2026 to Sat, Feb 6, 2027"),
    ],
)
def test_a_pattern_is_described(pattern, words):
    assert describe_pattern(pattern) == words


def test_a_pattern_that_cannot_be_read_is_not_described():
    with pytest.raises(BadHoliday):
        describe_pattern("someday")


def test_a_holiday_is_observed_in_the_year_into_which_it_is_moved():
    holiday = Holiday(
        "judicial", "New Year's Day", "01-01", "CCP 135", FIRST_DAY, saturday_moves_to_friday=True
    )

    # January 1, 2028 is a Saturday.
    assert holiday.observed_in(2027) == [
        (date(2027, 1, 1), date(2027, 1, 1)),
        (date(2027, 12, 31), date(2028, 1, 1)),
    ]
    assert holiday.observed_in(2028) == []


def test_two_holidays_of_one_day_are_named_in_one_order_whatever_the_order_of_the_rows():
    rows = [
        Holiday("office", name, "03-03", "A new act", FIRST_DAY) for name in ("Second", "First")
    ]

    for given in (rows, rows[::-1]):
        office = Calendars(given).get("office")
        assert office.why_closed(date(2026, 3, 3)) == "First and Second"
