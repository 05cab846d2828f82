"""Dates as clerks key them from paper, and what is no date."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from form_fields.dates import NotADate, read_date
from form_fields.fields import DatedForm, KeyedDate

TODAY = date(2026, 3, 2)

READ = [
    ("9/20/24", date(2024, 9, 20)),
    ("9/20/2024", date(2024, 9, 20)),
    ("09/20/2024", date(2024, 9, 20)),
    ("9-20-24", date(2024, 9, 20)),
    ("9.20.2024", date(2024, 9, 20)),
    ("9 20 2024", date(2024, 9, 20)),
    ("09202024", date(2024, 9, 20)),
    ("092024", date(2024, 9, 20)),
    ("0920", date(2026, 9, 20)),  # this year
    ("9/20", date(2026, 9, 20)),
    ("2024-09-20", date(2024, 9, 20)),
    ("2024-9-2", date(2024, 9, 2)),
    ("20 Sep 2024", date(2024, 9, 20)),
    ("20 sept. 24", date(2024, 9, 20)),
    ("20 September 2024", date(2024, 9, 20)),
    ("Fri, Sep 20, 2024", date(2024, 9, 20)),  # as our own pages print it
    ("Fri 20 Sep 2024", date(2024, 9, 20)),
    ("Sep 20, 2024", date(2024, 9, 20)),
    ("september 20 2024", date(2024, 9, 20)),
    ("  9/20/24  ", date(2024, 9, 20)),
    ("t", TODAY),
    ("TODAY", TODAY),
    ("y", TODAY - timedelta(days=1)),
    ("yesterday", TODAY - timedelta(days=1)),
    ("-1", TODAY - timedelta(days=1)),
    ("-30", date(2026, 1, 31)),
    ("2/29/2024", date(2024, 2, 29)),
    ("3/14/68", date(1968, 3, 14)),
    ("3/14/35", date(2035, 3, 14)),  # the last year that two digits mean in this century
    ("3/14/36", date(1936, 3, 14)),
    ("1/1/00", date(2000, 1, 1)),
]
NOT_READ = [
    ("31", "is not a date"),
    ("hello", "is not a date"),
    ("9/2/", "is not a date"),
    ("1320", "does not exist in the calendar"),
    ("2/29/2023", "does not exist in the calendar"),
    ("13/1/2024", "has no month 13"),
    ("9/31/2024", "does not exist in the calendar"),
    ("0/0/2024", "does not exist in the calendar"),
    ("20 Foo 2024", "does not name a month"),
    ("9/20/0024", "is in the year 24"),
    ("9/20/1899", "is in the year 1899"),
    ("9/20/2101", "is in the year 2101"),
    ("9/20/20244", "is not a date"),
    ("-1000", "is not a date"),
    ("9/20/24; drop", "is not a date"),
]


@pytest.mark.parametrize(("keyed", "meant"), READ)
def test_a_date_is_read_as_it_was_meant(keyed, meant):
    assert read_date(keyed, today=TODAY) == meant


@pytest.mark.parametrize(("keyed", "sentence"), NOT_READ)
def test_an_invalid_date_is_refused_with_a_sentence(keyed, sentence):
    with pytest.raises(NotADate, match=sentence):
        read_date(keyed, today=TODAY)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_a_whole_date_reads_back_in_every_way_to_write_it(day):
    for form in (
        "%m/%d/%Y",
        "%m-%d-%Y",
        "%m%d%Y",
        "%Y-%m-%d",
        "%d %b %Y",
        "%B %d, %Y",
        "%a %d %b %Y",
        "%a, %b %d, %Y",
    ):
        assert read_date(day.strftime(form), today=TODAY) == day


@given(st.dates(min_value=date(1936, 1, 1), max_value=date(2035, 12, 31)))
def test_two_digits_mean_one_year_of_a_hundred(day):
    assert read_date(f"{day:%m/%d/%y}", today=TODAY) == day


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_a_sentence(text):
    try:
        result = read_date(text, today=TODAY)
    except NotADate as error:
        result = str(error)
    if isinstance(result, str):
        assert result.endswith(".")
    else:
        assert date(1900, 1, 1) <= result <= date(2100, 12, 31)


class SentOn(DatedForm):
    sent_on = KeyedDate(starts_today=True)
    approved_on = KeyedDate()


def test_a_date_that_is_nearly_always_today_starts_with_today():
    form = SentOn(today=TODAY)

    assert form["sent_on"].value() == "03/02/2026"
    assert not form["approved_on"].value()
    assert SentOn(today=TODAY, initial={"sent_on": date(2026, 2, 1)})["sent_on"].value() == (
        "02/01/2026"
    )
    assert SentOn({"sent_on": ""}, today=TODAY)["sent_on"].value() == ""  # what was typed stays
