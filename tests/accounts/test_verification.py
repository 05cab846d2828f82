"""A changed current row, a role without an event and a missing guard are found and named."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import services, verification
from accounts.append_only import guard_statements, unguard_statements
from accounts.guards import find_missing_guards
from accounts.models import AccessLogEntry, AccountEvent, HistoryCount, SignInEvent, User
from accounts.roles import Role
from accounts.verification import list_versioned_models
from cases.models import Case, Event
from cases.services import notes
from imr_portal import checks
from maintenance.models import Finding
from maintenance.services import nightly
from tests.every_row import WRITTEN_ONCE, stored
from tests.factories import MONDAY, person, received_case

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


def verify():
    """Run the command; return its exit status and what it printed."""
    out = StringIO()
    try:
        call_command("verify_history", stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.capability("HI-6")
def test_rows_written_by_the_services_equal_their_last_versions():
    received_case()
    assert verify() == (0, "Every row equals its last version, and every guard is in place.\n")


def test_a_due_date_changed_in_the_database_is_named_with_its_row():
    case = received_case()
    execute(f"UPDATE cases_case SET due_on = '2030-01-01' WHERE id = {case.pk}")
    assert verify() == (
        1,
        f"cases_case, row {case.pk}, column due_on: The value differs from the last version.\n",
    )


@pytest.mark.parametrize("model", list_versioned_models(), ids=lambda model: model.__name__)
def test_a_changed_row_of_every_versioned_table_is_found(model):
    row = stored(model)
    table = model._meta.db_table
    if model._meta.label in WRITTEN_ONCE:
        execute(*unguard_statements(table, connection.vendor))
        if connection.vendor == "sqlite":
            execute(f'DROP TRIGGER IF EXISTS "{table}_frozen"')
    execute(f'UPDATE "{table}" SET version = version + 1')
    status, said = verify()
    assert status == 1
    assert f"{table}, row {row.pk}, column version" in said


def test_a_row_without_a_version_is_found():
    case = received_case()
    table = "cases_historicalcase"
    execute(
        *unguard_statements(table, connection.vendor),
        f"DELETE FROM {table} WHERE id = {case.pk}",
        *guard_statements(table, connection.vendor),
    )
    assert verify() == (1, f"cases_case, row {case.pk}: The row has no version.\n")


def test_a_role_added_in_the_database_is_found():
    clerk = person(Role.INTAKE)
    director = person(Role.DIRECTOR)
    group = director.groups.get()
    clerk.groups.add(group)
    status, said = verify()
    assert status == 1
    assert f"of user {clerk.pk}" in said
    assert "No event granted “Medical director”." in said


def test_a_role_removed_and_a_user_deactivated_in_the_database_are_found():
    clerk = person(Role.INTAKE)
    clerk.groups.clear()
    User.objects.filter(pk=clerk.pk).update(is_active=False)
    _, said = verify()
    assert "No event removed “Intake”." in said
    assert f"accounts_user, row {clerk.pk}, column is_active" in said


def test_a_dropped_guard_is_found_by_the_command_and_by_the_check():
    assert find_missing_guards(connection) == []
    assert checks.check_guards(databases=["default"]) == []
    execute(*unguard_statements("cases_event", connection.vendor))
    status, said = verify()
    assert status == 1
    assert "cases_event: The guard cases_event_" in said
    found = checks.check_guards(databases=["default"])
    assert {message.id for message in found} == {"imr_portal.E020"}
    assert len(found) == 2


def test_a_guard_with_another_body_is_found():
    table = "cases_event"
    if connection.vendor == "postgresql":
        execute(
            "CREATE OR REPLACE FUNCTION refuse_change_of_history() RETURNS trigger AS "
            "$$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        assert (table, f"{table}_only_grows") in find_missing_guards(connection)
        return
    execute(
        f"DROP TRIGGER {table}_no_update",
        f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" BEGIN SELECT 1; END',
    )
    assert find_missing_guards(connection) == [(table, f"{table}_no_update")]


def test_turned_off_triggers_are_found():
    if connection.vendor == "postgresql":
        execute("ALTER TABLE cases_event DISABLE TRIGGER ALL")
    else:  # which can only drop them
        execute(*unguard_statements("cases_event", connection.vendor))
    assert [table for table, _ in find_missing_guards(connection)] == ["cases_event"] * 2


def insert_copy(model, row, **changed):
    """Insert a copy of a row by plain SQL, as someone with direct access would."""
    key = model._meta.pk.column
    columns = [field.column for field in model._meta.concrete_fields]
    columns = [one for one in columns if one != key or key in changed]
    values = [f"'{changed[one]}'" if one in changed else f'"{one}"' for one in columns]
    names = ", ".join(f'"{one}"' for one in columns)
    execute(
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(values)} '
        f'FROM "{model._meta.db_table}" WHERE "{key}" = {row.pk}'
    )
    return model.objects.order_by(f"-{model._meta.pk.name}").first()


@pytest.mark.parametrize("earlier", [timedelta(days=2000), timedelta(minutes=15)])
def test_an_event_inserted_with_an_earlier_date_is_named(earlier):
    case = received_case()
    moment = (MONDAY - earlier).isoformat(sep=" ")
    added = insert_copy(Event, case.events.first(), happened_at=moment)
    assert verify() == (
        1,
        f"cases_event, row {added.pk}, column happened_at: The row is dated before an earlier "
        "row.\n",
    )


def test_a_version_inserted_with_an_earlier_date_is_named():
    case = received_case()
    history = Case.history.model
    added = insert_copy(history, case.history.first(), history_date="2020-01-01 00:00:00+00:00")
    status, said = verify()
    assert status == 1
    assert f"cases_historicalcase, row {added.pk}, column history_date" in said


def test_a_role_granted_in_the_past_by_an_inserted_event_is_named():
    clerk = person(Role.INTAKE)
    event = AccountEvent.objects.filter(user=clerk).first()
    added = insert_copy(AccountEvent, event, happened_at="2020-01-01 00:00:00+00:00")
    status, said = verify()
    assert status == 1
    assert f"accounts_accountevent, row {added.pk}, column happened_at" in said


def test_writers_who_commit_out_of_order_are_not_found():
    first, second = received_case(), received_case(at=MONDAY - timedelta(days=5))
    clerk = person(Role.INTAKE)
    # Each read the clock before it waited for the lock of the case, and the last one came first.
    for seconds in (0, 90, 20, 60, 0):
        for case in (first, second):
            at = MONDAY + timedelta(seconds=seconds)
            notes.add_note(case_id=case.pk, text="Called.", by=clerk, at=at)
    assert verify()[0] == 0


def test_the_nightly_run_names_an_event_inserted_with_an_earlier_date():
    case = received_case()
    insert_copy(Event, case.events.first(), happened_at="2020-01-01 00:00:00+00:00")
    nightly.run_checks(at=MONDAY)
    (found,) = Finding.objects.open().filter(code="history")
    assert (found.table, found.column) == ("cases_event", "happened_at")
    assert found.sentence == "The row is dated before an earlier row."


def test_an_event_under_an_unused_earlier_number_is_found_by_the_counts_of_the_nights():
    case = received_case()
    clerk = person(Role.INTAKE)
    if connection.vendor == "postgresql":  # a transaction that fails uses up a number
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('cases_event_id_seq')")
            free = cursor.fetchone()[0]
    else:
        free = Event.objects.order_by("pk").last().pk + 1
        execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'cases_event'")
    notes.add_note(case_id=case.pk, text="Called.", by=clerk, at=MONDAY + timedelta(hours=1))
    for night in (1, 2):
        nightly.run_checks(at=MONDAY + timedelta(days=night))
    assert verify()[0] == 0

    # Its number and its date both lie between those of its neighbors.
    moment = (MONDAY + timedelta(minutes=30)).isoformat(sep=" ")
    insert_copy(Event, case.events.first(), id=free, happened_at=moment)

    status, said = verify()
    assert status == 1
    last = Event.objects.order_by("pk").last().pk
    assert f"cases_event, row 1 to {last}: 1 of these rows were inserted after" in said


def test_a_number_that_the_database_never_gives_out_is_found():
    case = received_case()
    insert_copy(Event, case.events.first(), id=-1, happened_at="2020-01-01 00:00:00+00:00")
    assert "cases_event, row -1, column id: The database never gives out" in verify()[1]


def test_rows_are_counted_once_their_transactions_are_over():
    received_case()
    tables = len(verification.list_counted_models())
    last = Event.objects.order_by("pk").last().pk
    for hours, counted in ((0, tables), (1, 0), (24, tables)):
        at = MONDAY + timedelta(hours=hours)
        assert verification.count_history(at=at) == counted
    first, second = HistoryCount.objects.filter(table="cases_event").order_by("pk")
    assert (first.to_id, first.rows) == (0, 0)
    assert (second.after_id, second.to_id, second.last_id) == (0, last, last)
    assert second.rows == Event.objects.count()


def test_a_long_table_shows_often_that_the_comparison_continues(monkeypatch):
    monkeypatch.setattr(verification, "_ROWS_AT_ONCE", 1)
    for _ in range(3):
        received_case()
    ticks = []
    assert not list(verification.compare_with_versions(Case, tick=lambda: ticks.append(1)))
    assert len(ticks) >= 3


def test_an_event_after_the_last_of_its_case_but_dated_before_a_night_is_named():
    case, clerk = received_case(), person(Role.INTAKE)
    nightly.run_checks(at=MONDAY + timedelta(days=60))
    later = MONDAY + timedelta(days=61)
    notes.add_note(case_id=case.pk, text="Called.", by=clerk, at=later)
    nightly.run_checks(at=later + timedelta(days=1))
    assert verify()[0] == 0
    other = received_case(at=later + timedelta(days=1))
    last = other.events.last()
    moment = (MONDAY + timedelta(hours=1)).isoformat(sep=" ")
    added = insert_copy(Event, case.events.first(), happened_at=moment)
    # Also without a later event of its own case.
    assert last.pk < added.pk
    said = verify()[1]
    assert f"cases_event, row {added.pk}, column happened_at: The row was stored after" in said


@pytest.mark.parametrize(
    ("column", "value"),
    [("email", "'mine@example.org'"), ("password", "'pbkdf2$x'"), ("ever_reviewer", "true")],
)
def test_an_account_changed_in_the_database_is_named(column, value):
    clerk = person(Role.INTAKE)
    assert verify()[0] == 0
    execute(f"UPDATE accounts_user SET {column} = {value} WHERE id = {clerk.pk}")
    assert verify() == (
        1,
        f"accounts_user, row {clerk.pk}, column {column}: The value differs from the last "
        "version.\n",
    )


def test_accounts_changed_by_the_services_equal_their_versions():
    clerk = person(Role.INTAKE)
    services.change_person(
        user_id=clerk.pk, email="new@example.org", name="New", password="x" * 20, by=None, at=MONDAY
    )
    services.grant_role(user_id=clerk.pk, role=Role.REVIEWER, by=None, at=MONDAY)
    assert verify()[0] == 0


def test_a_second_factor_removed_in_the_database_is_named():
    clerk = person(Role.INTAKE)
    Authenticator.objects.create(user=clerk, type="totp", data={"secret": "x"})
    services.record_sign_in_event(
        kind=SignInEvent.Kind.FACTOR_ADDED, by=clerk, address=None, device="", at=MONDAY
    )
    assert verify()[0] == 0
    execute("DELETE FROM mfa_authenticator")
    assert verify() == (
        1,
        f"mfa_authenticator, row of user {clerk.pk}: A second factor was removed; no event says "
        "so.\n",
    )


@pytest.mark.parametrize("model", [AccessLogEntry, SignInEvent])
def test_an_emptied_log_is_named_though_its_guards_are_back(model):
    row = stored(model)
    for night in (1, 2):
        verification.count_history(at=MONDAY + timedelta(days=night))
    table = model._meta.db_table
    execute(*unguard_statements(table, connection.vendor))
    execute(f"DELETE FROM {table}", *guard_statements(table, connection.vendor))
    said = verify()[1]
    assert f"{table}, row 1 to {row.pk}: 1 of these rows were removed" in said
