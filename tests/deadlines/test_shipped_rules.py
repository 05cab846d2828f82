"""Rules and holidays as database rows: loaded, read by the engine, and never overlapping."""

import json
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from deadlines.calendars import BadHoliday
from deadlines.migration_operations import LOADED, OVERLAP
from deadlines.models import DeadlineRule, HolidayRule, rules_on_file
from deadlines.rules import BadRules
from deadlines.shipped_rules import HOLIDAYS, RULES

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def by_deadline_kind(rules):
    return sorted(rules, key=lambda rule: (rule.deadline_kind, rule.effective_from))


def next_rule(**changes):
    fields = {
        "deadline_kind": "noarfi",
        "kind": "BUSINESS",
        "length": 2,
        "calendar": "office",
        "source": "A later rule",
        "effective_from": date(2026, 4, 1),
    }
    return DeadlineRule(**fields | changes)


def end(rule, day):
    rule.effective_to = day
    return rule.store(by=None, at=AT, why="Superseded", fields=["effective_to"])


def test_a_new_database_has_the_shipped_rules_and_computes_with_them():
    rules, calendars = rules_on_file()

    assert by_deadline_kind(rules) == by_deadline_kind(RULES)
    assert HolidayRule.objects.count() == len(HOLIDAYS)
    assert not calendars.get("judicial").is_open(date(2014, 11, 28))
    assert rules_on_file()[1] is calendars  # not built again for the next page


def test_every_loaded_row_has_its_first_version_and_is_unconfirmed():
    assert DeadlineRule.history.count() == len(RULES)
    assert HolidayRule.history.count() == len(HOLIDAYS)
    assert DeadlineRule.history.filter(version=1, history_change_reason=LOADED).count() == len(
        RULES
    )
    assert DeadlineRule.objects.unconfirmed().count() == len(RULES)
    assert HolidayRule.objects.unconfirmed().count() == len(HOLIDAYS)


def test_rules_on_file_takes_two_queries(django_assert_num_queries):
    with django_assert_num_queries(2):
        rules_on_file()


def test_a_rule_is_superseded_by_ending_it_and_adding_the_next():
    old = end(DeadlineRule.objects.get(deadline_kind="noarfi"), date(2026, 3, 31))

    next_rule().store(by=None, at=AT, why="New text of the rule")

    assert old.history.count() == 2
    noarfi = DeadlineRule.objects.filter(deadline_kind="noarfi")
    assert noarfi.in_force_on(date(2026, 3, 31)).get().length == 1
    assert noarfi.in_force_on(date(2026, 4, 1)).get().length == 2


def test_an_overlap_is_refused_naming_both():
    with pytest.raises(BadRules) as refused:
        next_rule().store(by=None, at=AT)

    assert "“Notice of assignment” from Tue, Jan 1, 2013 with no end" in str(refused.value)
    assert "“Notice of assignment” from Wed, Apr 1, 2026 with no end" in str(refused.value)
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1


def test_a_gap_is_refused_naming_both():
    end(DeadlineRule.objects.get(deadline_kind="noarfi"), date(2026, 3, 30))

    with pytest.raises(BadRules, match="from Tue, Mar 31, 2026 to Tue, Mar 31, 2026"):
        next_rule().store(by=None, at=AT)


@pytest.mark.every_database
def test_many_rows_at_once_are_checked_too():
    with pytest.raises((BadRules, IntegrityError)), transaction.atomic():
        DeadlineRule.objects.bulk_store([next_rule()], by=None, at=AT)

    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1


@pytest.mark.parametrize(
    ("ends", "begins"), [("2014-02-11", "2014-02-12"), ("2013-06-30", "2013-07-01")]
)
def test_a_boundary_moves_either_way_when_both_rows_are_stored_together(ends, begins):
    first, second = DeadlineRule.objects.filter(deadline_kind="eligibility_information").order_by(
        "effective_from"
    )
    first.effective_to, second.effective_from = date.fromisoformat(ends), date.fromisoformat(begins)

    DeadlineRule.objects.store_together([first, second], by=None, at=AT, why="The day is confirmed")

    assert first.history.count() == second.history.count() == 2


def test_rows_stored_together_must_fit_together():
    first, second = DeadlineRule.objects.filter(deadline_kind="eligibility_information").order_by(
        "effective_from"
    )
    second.effective_from = date(2014, 3, 1)

    with pytest.raises(BadRules, match="Nothing would be in force"):
        DeadlineRule.objects.store_together([first, second], by=None, at=AT, why="A slip")
    second.refresh_from_db()
    assert second.effective_from == date(2014, 1, 1)


@pytest.mark.every_database
@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("deadlines_deadlinerule", "deadline_kind = 'noarfi'"),
        ("deadlines_holidayrule", "name = 'Labor Day' AND calendar = 'office'"),
    ],
)
def test_the_database_itself_refuses_an_overlap(table, where):
    """By statements that never met our code."""
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, table)
        own = {"id", "effective_from", "effective_to"}
        rest = ", ".join(f'"{column.name}"' for column in columns if column.name not in own)
        add = (
            f"INSERT INTO {table} (effective_from, {rest}) "
            f"SELECT '2030-01-01', {rest} FROM {table} WHERE {where}"
        )
        with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
            cursor.execute(add)

        cursor.execute(f"UPDATE {table} SET effective_to = '2029-12-31' WHERE {where}")
        cursor.execute(add)
        ended = f"{where} AND effective_to IS NOT NULL"
        reopen = f"UPDATE {table} SET effective_to = NULL WHERE {ended}"
        with pytest.raises(IntegrityError, match=OVERLAP), transaction.atomic():
            cursor.execute(reopen)


@pytest.mark.parametrize(
    "changes",
    [
        {"deadline_kind": "no_such_deadline"},
        {"kind": "WEEKS"},
        {"length": None},
        {"calendar": ""},
        {"extensions": {"mail_ca": 5}},
        {"extensions": {"pigeon": {"days": 5}}},
        {"legal_holds": {"EXTENSION": {"source": "no effect"}}},
    ],
)
def test_a_row_that_the_engine_cannot_read_is_refused(changes):
    end(DeadlineRule.objects.get(deadline_kind="noarfi"), date(2026, 3, 31))

    with pytest.raises(BadRules, match="cannot be"):
        next_rule(**changes).store(by=None, at=AT)


def test_a_holiday_that_cannot_be_read_is_refused():
    holiday = HolidayRule(
        calendar="office", name="A day", pattern="soon", source="x", effective_from=date(2026, 1, 1)
    )

    with pytest.raises(BadHoliday):
        holiday.store(by=None, at=AT)


@pytest.mark.every_database
def test_a_confirmation_names_the_person_and_the_day(django_user_model):
    rule = DeadlineRule.objects.get(deadline_kind="noarfi")
    rule.confirmed_on = date(2026, 3, 2)

    with pytest.raises(IntegrityError), transaction.atomic():
        rule.store(by=None, at=AT, fields=["confirmed_on"])


# --- The command ----------------------------------------------------------------------------------


def run(*words):
    out = StringIO()
    call_command("deadline", *words, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_calculation():
    text = run("application", "served=2016-10-21", "method=mail_ca")

    assert "5 days more, because it was served by mail to a California address" in text
    assert "Last day: Mon, Nov 28, 2016." in text
    assert text.endswith("Rules: database. Not confirmed.\n")


def test_the_command_prints_json():
    row = json.loads(
        run("determination_expedited", "information_complete=2015-07-02T16:00", "--json")
    )

    assert row["due"] == "2015-07-05T16:00"
    assert row["steps"][1]["sentence"].startswith("72 hours elapsed")


def test_the_command_counts_with_the_rules_in_the_database():
    rule = DeadlineRule.objects.get(deadline_kind="noarfi")
    rule.length = 3
    rule.store(by=None, at=AT, why="For the test", fields=["length"])

    row = json.loads(run("noarfi", "found_eligible=2014-12-22", "--json"))

    assert (row["due"], row["rules"]) == ("2014-12-26", "database")


def test_the_command_judges_a_day_and_takes_holds():
    text = run("application", "served=2013-12-24", "method=mail_ca", "--received", "2014-01-29")
    assert "1 day late" in text

    held = [
        "determination_regular",
        "records_complete=2014-07-03",
        "--hold",
        "CHASE:2014-07-07:2014-07-10",
    ]
    # Friday, Aug 1, and three days; the legal date rolls from Saturday to this Monday.
    assert json.loads(run(*held, "--json"))["internal_target"] == "2014-08-04"


def test_the_command_knows_the_penalty_and_the_twelve_months():
    penalty = run(
        "records_penalty", "records_due=2015-01-06", "records_received=2015-01-20", "--json"
    )
    assert json.loads(penalty)["penalty_usd"] == 5_000
    bar = run("twelve_month_bar", "ur_denied=2016-02-29", "--json")
    assert json.loads(bar)["barred_through"] == "2017-02-28"


def test_the_command_names_the_missing_facts():
    row = json.loads(run("application", "served=2014-06-20", "--json"))

    assert row["due"] is None
    assert row["missing"] == ["the way in which the UR decision was served"]


@pytest.mark.parametrize(
    "words",
    [
        ["no_such_deadline"],
        ["noarfi", "found_eligible"],
        ["noarfi", "found_eligible=2014-12-24", "found_eligible=2014-12-25"],
        ["noarfi", "found_eligible=yesterday"],
        ["noarfi", "found_eligible=2014-12-24", "--hold", "CHASE"],
    ],
)
def test_the_command_refuses_with_a_sentence(words):
    with pytest.raises(CommandError, match=r"\.$"):
        run(*words)
