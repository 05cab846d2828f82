"""The pages of the holidays: a year by calendar, confirming, adding and ending."""

from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from cases.services import case_deadlines
from deadlines.calendars import CalendarName
from deadlines.models import HolidayRule
from tests.factories import MONDAY, eligible_case, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_monday(set_clock):
    set_clock(MONDAY)


@pytest.fixture
def director(client):
    user = person(Role.DIRECTOR)
    client.force_login(user)
    return user


def url(name, row=None, **query):
    address = reverse(f"cases:{name}", args=[row.pk] if row else [])
    return f"{address}?{urlencode(query)}" if query else address


def holiday(name, calendar="office"):
    return HolidayRule.objects.get(calendar=calendar, name=name)


def tick(*rows):
    return [f"{row.pk}-{row.version}" for row in rows]


def cells_of(page, day):
    """What the table of a year shows on one day, by calendar."""
    cells = dict(page.context["days"])[day]
    return [
        [(one.row.name, one.falls_on, one.is_moved, one.row.is_confirmed) for one in cell]
        for cell in cells
    ]


def new_holiday(**changes):
    return {
        "calendar": "office",
        "name": "Founders’ Day",
        "pattern": "03-03",
        "effective_from": "01/01/2026",
        "source": "A new act",
        "why": "Enacted",
    } | changes


# --- the table of a year --------------------------------------------------------------------------


def test_a_year_shows_each_day_with_the_holiday_of_each_calendar(client, director):
    page = client.get(url("holidays", year=2026))

    # July 4, 2026 is a Saturday, from which only the courts move it.
    assert cells_of(page, date(2026, 7, 3)) == [
        [], [("Independence Day", date(2026, 7, 4), True, False)], [],
    ]  # fmt: skip
    (state,), court, (office,) = cells_of(page, date(2026, 7, 4))
    assert state == office == ("Independence Day", date(2026, 7, 4), False, False)
    assert not court
    shown = page.content.decode()
    assert "Fri, Jul 3, 2026" in shown
    assert "Moved from Sat, Jul 4, 2026" in shown


def test_a_holiday_observed_before_its_year_is_listed_in_the_year_in_which_it_is_observed(
    client, director
):
    # January 1, 2028 is a Saturday; the courts observe it on the Friday before.
    court = cells_of(client.get(url("holidays", year=2027)), date(2027, 12, 31))[1]

    assert court == [("New Year's Day", date(2028, 1, 1), True, False)]


@pytest.mark.parametrize("year", [2012, 2021, 2027, 2033, 2060])
def test_a_year_lists_exactly_the_closed_weekdays_of_its_calendars(client, director, year):
    calendars = HolidayRule.objects.as_calendars()
    listed = dict(client.get(url("holidays", year=year)).context["days"])
    weekdays = [
        day
        for day in (date(year, 1, 1) + timedelta(days=n) for n in range(366))
        if day.year == year and day.weekday() < 5
    ]

    for position, name in enumerate(CalendarName):
        closed = {day for day in weekdays if not calendars.get(name).is_open(day)}
        assert {day for day in weekdays if day in listed and listed[day][position]} == closed


def test_this_year_is_shown_by_default(client, director):
    assert client.get(url("holidays")).context["year"] == MONDAY.year


@pytest.mark.parametrize("year", ["2011", "2061", "soon", ""])
def test_a_year_outside_those_on_file_says_so_beside_the_field(client, director, year):
    answer = client.get(url("holidays", year=year))

    assert answer.status_code == 422
    assert "Holidays are on file for 2012 to 2060." in answer.content.decode()
    assert f'value="{year}"' in answer.content.decode() or not year


def test_the_rows_of_the_chosen_calendar_are_described(client, director):
    page = client.get(url("holidays", year=2026, calendar="judicial")).content.decode()

    assert "The day after the fourth Thursday of November" in page
    assert "December 25; on a Sunday, the Monday after; on a Saturday, the Friday before" in page
    assert "no day in 2026" in page
    assert "CCP 135" in page


# --- confirming -----------------------------------------------------------------------------------


def confirm(client, rows, **changes):
    ticked = [row if isinstance(row, str) else tick(row)[0] for row in rows]
    shown = {"year": "2026", "calendar": "office"}
    sent = {"rows": ticked, "compared_with": "The register", "on": "t"} | shown | changes
    return client.post(url("confirm_holidays"), sent)


def test_several_holidays_are_confirmed_at_once(client, director):
    rows = [holiday("Labor Day"), holiday("Christmas Day")]

    answer = confirm(client, rows)

    assert answer.url == url("holidays", year=2026, calendar="office")
    for row in rows:
        row.refresh_from_db()
        assert (row.confirmed_by, row.confirmed_on) == (director, MONDAY.date())
    page = client.get(url("holiday", rows[0])).content.decode()
    assert "Compared with The register" in page


def test_a_row_without_a_day_in_the_year_cannot_be_selected(client, director):
    ended = HolidayRule.objects.get(calendar="judicial", name="Columbus Day")
    page = client.get(url("holidays", year=2026, calendar="judicial")).content.decode()

    assert ended.name in page
    assert tick(ended)[0] not in page
    page = client.get(url("holidays", year=2020, calendar="judicial")).content.decode()
    assert tick(ended)[0] in page


def test_confirming_without_a_selection_or_a_text_says_so_and_keeps_what_was_typed(
    client, director
):
    row = holiday("Labor Day")

    none = confirm(client, [], compared_with="The register of 2026")
    assert none.status_code == 422
    assert "Select at least one row." in none.content.decode()
    assert "The register of 2026" in none.content.decode()

    bare = confirm(client, [row], compared_with="")
    assert bare.status_code == 422
    assert "Say with which text it was compared." in bare.content.decode()
    assert bare.context["form"].selected == {row.pk}


def test_rows_are_confirmed_together_or_not_at_all(client, director):
    first, second = holiday("Labor Day"), holiday("Christmas Day")
    confirm(client, [second])

    answer = confirm(client, [first, second])

    assert answer.status_code == 409
    assert answer.context["form"].selected == {first.pk, second.pk}
    first.refresh_from_db()
    assert not first.is_confirmed


def test_a_row_of_another_calendar_or_nonsense_is_refused(client, director):
    for rows in (tick(holiday("Labor Day", "judicial")), ["x-1"], ["1"], ["-"]):
        assert confirm(client, rows).status_code == 422, rows


def test_a_row_without_its_version_is_stale(client, director):
    row = holiday("Labor Day")

    for seen in (f"{row.pk}", f"{row.pk}-x", f"{row.pk}-0"):
        assert confirm(client, [seen]).status_code == 409


# --- adding and ending ----------------------------------------------------------------------------


def test_a_holiday_is_stored_only_after_its_effect_was_shown(client, director):
    # The notice is due on the business day after March 2, 2026.
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")
    assert before == date(2026, 3, 3)

    shown = client.post(url("add_holiday"), new_holiday())

    page = shown.content.decode()
    assert case.number in page
    assert "Mar 3, 2026</del> → <ins>Mar 4, 2026" in page
    assert "Tue, Mar 3, 2026" in page
    assert not HolidayRule.objects.filter(name="Founders’ Day").exists()

    # What was shown must be what is stored.
    key = shown.context["shown"]
    other = client.post(url("add_holiday"), new_holiday(pattern="03-04", shown=key))
    assert other.status_code == 200
    assert not HolidayRule.objects.filter(name="Founders’ Day").exists()

    assert client.post(url("add_holiday"), new_holiday(shown=key)).status_code == 302
    row = holiday("Founders’ Day")
    assert not row.is_confirmed
    assert case_deadlines.find_due_date(case, "noarfi") == before

    client.post(url("recalculate_dates"), {"why": "A new act"})
    assert case_deadlines.find_due_date(case, "noarfi") == date(2026, 3, 4)

    # Ended on the day before, it closes no day of this case any more.
    ending = {"effective_to": "03/02/2026", "why": "Repealed", "version": row.version}
    shown = client.post(url("end_holiday", row), ending)
    assert "Mar 4, 2026</del> → <ins>Mar 3, 2026" in shown.content.decode()
    row.refresh_from_db()
    assert row.effective_to is None

    again = client.post(url("end_holiday", row), ending | {"shown": shown.context["shown"]})
    assert again.status_code == 302
    row.refresh_from_db()
    assert row.effective_to == date(2026, 3, 2)
    client.post(url("recalculate_dates"), {"why": "Repealed"})
    assert case_deadlines.find_due_date(case, "noarfi") == before


def test_dates_are_accepted_for_the_days_of_a_holiday(client, director):
    shown = client.post(url("add_holiday"), new_holiday(pattern="3/3/2026, 03/05/2027"))

    client.post(
        url("add_holiday"),
        new_holiday(pattern="3/3/2026, 03/05/2027", shown=shown.context["shown"]),
    )

    assert holiday("Founders’ Day").pattern == "2026-03-03 2027-03-05"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"pattern": "someday"}, "pattern", "does not say when a holiday falls"),
        ({"pattern": "13/40/2026"}, "pattern", "does not say when a holiday falls"),
        ({"pattern": "03/03/2025"}, "pattern", "falls on no day"),
        ({"name": ""}, "name", "Enter the name"),
        ({"source": " "}, "source", "Name the source."),
        ({"why": ""}, "why", "Say why."),
        ({"effective_from": "01/01/2061"}, "effective_from", "2012 to 2060"),
        ({"effective_to": "12/31/2025"}, "effective_to", "before the first day"),
        ({"name": "Labor Day"}, None, "Two rows would be in force"),
    ],
)
def test_an_impossible_holiday_is_refused_beside_its_field(client, director, changes, field, said):
    answer = client.post(url("add_holiday"), new_holiday(note="Typed before", **changes))

    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert said in " ".join(errors["__all__" if field is None else field])
    assert "Typed before" in answer.content.decode()


def test_an_end_before_the_first_day_is_refused(client, director):
    row = holiday("Labor Day")
    sent = {"effective_to": "01/01/2011", "why": "Repealed", "version": row.version}

    answer = client.post(url("end_holiday", row), sent)

    assert answer.status_code == 422
    assert "before it begins" in " ".join(answer.context["form"].errors["effective_to"])
    assert "Repealed" in answer.content.decode()


def test_a_stale_end_is_409_and_stores_nothing(client, director):
    row = holiday("Labor Day")
    sent = {"effective_to": "12/31/2030", "why": "Repealed", "version": "0"}

    answer = client.post(url("end_holiday", row), sent)

    assert answer.status_code == 409
    assert "Repealed" in answer.content.decode()
    row.refresh_from_db()
    assert row.effective_to is None


def test_a_preview_of_one_holiday_is_none_of_another(client, director):
    first, second = holiday("Labor Day"), holiday("Christmas Day")
    sent = {"effective_to": "12/31/2030", "why": "Repealed", "version": 1}
    key = client.post(url("end_holiday", first), sent).context["shown"]

    assert client.post(url("end_holiday", second), sent | {"shown": key}).status_code == 200
    second.refresh_from_db()
    assert second.effective_to is None


def test_the_pages_are_closed_to_other_roles(client):
    client.force_login(person(Role.COORDINATOR))
    row = holiday("Labor Day")

    assert client.get(url("holidays")).status_code == 403
    assert client.get(url("holiday", row)).status_code == 403
    assert client.get(url("add_holiday")).status_code == 403
    assert confirm(client, [row]).status_code == 403
    assert client.post(url("end_holiday", row)).status_code == 403
    assert timezone.now() == MONDAY
