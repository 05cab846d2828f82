"""The small parts of every page: dates, due cells, deadline bars, stages, outcomes, fields."""

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.template import engines
from django.template.loader import render_to_string

from cases.lifecycle import Status
from cases.models.case import Priority
from desk.templatetags import page_tags

TODAY = date(2024, 12, 3)


def render_template(source, **context):
    return engines["django"].from_string(source).render(context)


def test_dates_name_the_weekday_and_the_year_only_where_it_is_another():
    assert page_tags.format_day(date(2024, 12, 4)) == "Dec 4, 2024"
    assert page_tags.format_day_long(date(2024, 12, 4)) == "Wed, Dec 4, 2024"
    assert page_tags.format_day_short(date(2024, 12, 4), TODAY) == "Wed, Dec 4"
    assert page_tags.format_day_short(date(2025, 1, 2), TODAY) == "Thu, Jan 2, 2025"
    assert page_tags.format_day(None) == ""


def test_moments_are_shown_in_the_time_of_los_angeles():
    late = datetime(2024, 12, 4, 7, 5, 9, tzinfo=UTC)
    assert page_tags.format_moment(late) == "Dec 3, 2024, 11:05 PM PT"
    assert page_tags.format_day(late) == "Dec 3, 2024"
    assert page_tags.format_clock_time(late) == "11:05 PM PT"


@pytest.mark.parametrize(
    ("on", "state", "words"),
    [
        (date(2024, 12, 9), "", "6 days left"),
        (date(2024, 12, 5), "soon", "2 days left"),
        (date(2024, 12, 4), "soon", "1 day left"),
        (date(2024, 12, 3), "soon", "today"),
        (date(2024, 12, 2), "over", "1 day overdue"),
    ],
)
def test_a_due_date_shows_its_urgency_in_text(on, state, words):
    shown = page_tags.show_due(on, TODAY)
    assert (shown["state"], shown["words"]) == (state, words)


def test_the_last_quarter_of_a_long_deadline_is_soon():
    due_on = date(2024, 12, 10)
    assert page_tags.show_due(due_on, TODAY, started_on=date(2024, 11, 12))["state"] == "soon"
    assert page_tags.show_due(due_on, TODAY, started_on=date(2024, 11, 13))["state"] == ""


def test_a_stopped_deadline_shows_why():
    html = render_template(
        '{% due due_on today hold="records, day 9" %}', due_on=TODAY, today=TODAY
    )
    assert "On hold" in html
    assert "records, day 9" in html
    assert "hold" in html


def test_a_case_gives_its_own_due_date():
    html = render_template(
        "{% due case today label='Due' %}", case=SimpleNamespace(due_on=TODAY), today=TODAY
    )
    assert "Due Tue, Dec 3" in html


def test_a_due_date_in_hours_shows_the_hour():
    at = datetime(2024, 12, 4, 22, 30, tzinfo=UTC)
    shown = page_tags.show_due(at, TODAY, now=datetime(2024, 12, 3, 15, 20, tzinfo=UTC))
    assert (shown["when"], shown["words"]) == ("Wed, Dec 4, 2:30 PM PT", "31 hours left")
    over = page_tags.show_due(at, date(2024, 12, 4), now=datetime(2024, 12, 4, 22, 31, tzinfo=UTC))
    assert (over["state"], over["words"]) == ("over", "1 hour overdue")


def test_an_expedited_case_counts_hours_to_the_end_of_its_day():
    case = SimpleNamespace(due_on=date(2024, 12, 4), priority=Priority.EXPEDITED)
    now = datetime(2024, 12, 4, 1, 30, tzinfo=UTC)  # 5:30 PM of the day before
    assert page_tags.show_due(case, TODAY, now=now)["words"] == "30 hours left"
    case.due_on = date(2024, 12, 12)
    assert page_tags.show_due(case, TODAY, now=now)["words"] == "9 days left"


def test_a_deadline_bar_tells_elapsed_stopped_and_remaining_days_apart():
    days = page_tags.deadline_days(
        date(2024, 11, 28),
        date(2024, 12, 5),
        TODAY,
        holds=[(date(2024, 11, 30), date(2024, 12, 1))],
    )
    assert days == ["elapsed", "elapsed", "held", "held", "elapsed", "today", "left", "limit"]
    html = render_template("{% draw_bar days %}", days=days)
    assert 'aria-label="Day 6 of 8, on hold 2 days"' in html
    assert html.count("<i ") == 8


def test_a_long_deadline_fits_sixty_cells_and_still_shows_today_and_the_limit():
    days = page_tags.deadline_days(date(2024, 1, 1), date(2024, 12, 31), TODAY)
    cells = re.findall('<i class="([a-z]+)">', page_tags.draw_bar(days))
    assert len(cells) <= 60
    assert cells.count("today") == 1
    assert cells[-1] == "limit"


@pytest.mark.parametrize("status", Status)
def test_every_stage_has_its_word(status):
    html = render_template("{% stage_tag case %}", case=SimpleNamespace(status=status.value))
    assert status.label in html
    assert 'class="tag' in html


@pytest.mark.parametrize(
    ("value", "look", "words"),
    [
        ("UPHELD", "upheld", "Upheld"),
        ("OVERTURNED", "overturned", "Overturned"),
        ("Uphold", "upheld", "Uphold"),
        ("Overturn", "overturned", "Overturn"),
        ("Partially Overturn", "partial", "Partially Overturn"),
        ("", "none", "Not decided"),
    ],
)
def test_an_outcome_has_a_square_and_its_word(value, look, words):
    assert (
        render_template("{% outcome value %}", value=value)
        == f'<span class="outcome {look}">{words}</span>'
    )


def test_typed_text_is_never_markup():
    html = render_template("{% word_diff old new %}", old="plain", new="<script>alert(1)</script>")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_changed_words_are_marked():
    html = render_template(
        "{% word_diff old new %}", old="pain did not improve", new="pain improved briefly"
    )
    assert "<del>" in html
    assert "<ins>" in html


class Sheet(forms.Form):
    claim = forms.CharField(label="Claim number", help_text="As on the form.")
    signed = forms.BooleanField(label="Signed")
    side = forms.ChoiceField(label="Side", choices=[("L", "Left")], widget=forms.RadioSelect)


def test_a_field_shows_label_hint_and_its_error_beside_it():
    html = render_template("{% field form.claim %}", form=Sheet({}))
    assert '<label for="id_claim">Claim number' in html
    assert "As on the form." in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_claim_helptext id_claim_error"' in html
    assert 'id="id_claim_error">This field is required.' in html


def test_a_form_begins_with_its_errors():
    html = str(Sheet({}))
    assert html.index("Check these") < html.index("<input")
    assert 'href="#id_claim"' in html
    assert "autofocus" in html


def test_choices_are_named_as_a_group():
    html = render_template("{% field form.side %}", form=Sheet())
    assert 'role="group" aria-labelledby="id_side_label"' in html


def test_a_stale_form_shows_both_texts():
    html = render_to_string(
        "_conflict.html", {"who": "M. Delgado", "yours": "mine", "theirs": "hers"}
    )
    assert "M. Delgado changed this" in html
    assert "mine" in html
    assert "hers" in html


def test_counts_are_shown_with_their_noun():
    assert page_tags.count_with_noun(1, "item") == "1 item"
    assert page_tags.count_with_noun(1200, "item") == "1,200 items"
    assert page_tags.count_with_noun(2, "party,parties") == "2 parties"


def test_an_expedited_case_counts_hours_to_the_moment_of_its_deadline():
    due_at = datetime(2024, 12, 4, 22, 30, tzinfo=UTC)
    case = SimpleNamespace(
        due_on=date(2024, 12, 4), due_at=due_at, due_deadline_kind="x", priority=Priority.EXPEDITED
    )
    now = datetime(2024, 12, 3, 15, 20, tzinfo=UTC)
    shown = page_tags.show_due(case, TODAY, now=now)
    assert (shown["when"], shown["words"]) == ("Wed, Dec 4, 2:30 PM PT", "31 hours left")
