"""In production the portal signs in with a role that cannot rewrite what happened."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from accounts import form_keys
from accounts.models import AccountEvent, FormKey, User
from accounts.roles import Role
from accounts.services import grant_role, revoke_role
from directory.models import OrganizationName, TwoTimeFact
from directory.services.facts import lock_dated_row, lock_fact
from reviewers.models import License
from reviewers.services.credentialing import correct_fact
from tests.factories import MONDAY, person, received_case
from tests.reviewers.factories import fit_reviewer
from tests.test_append_only import GUARDED


def test_sqlite_has_no_roles_to_grant(db):
    if connection.vendor == "postgresql":
        return
    with pytest.raises(CommandError, match="SQLite has no roles"):
        call_command("grant_application_role", "imr_app")


@pytest.fixture
def role(db):
    """A role that owns nothing, gone with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE imr_app_of_test NOLOGIN")
    return "imr_app_of_test"


@pytest.fixture
def as_application(role):
    """Work as that role, after the grants."""
    call_command("grant_application_role", role)
    call_command("grant_application_role", role)  # again changes nothing
    person(Role.INTAKE)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def expect_denied(statement):
    denied = pytest.raises(ProgrammingError, match="permission denied|must be owner")
    with denied, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.postgres
def test_the_application_can_do_its_work(as_application):
    user = person(Role.COORDINATOR)
    grant_role(user_id=user.pk, role=Role.QA, by=None, at=MONDAY)
    revoke_role(user_id=User.objects.get(pk=user.pk).pk, role=Role.QA, by=None, at=MONDAY)
    Session.objects.create(session_key="x", session_data="", expire_date=MONDAY)
    Session.objects.all().delete()

    assert AccountEvent.objects.filter(user=user).count() == 4


@pytest.mark.postgres
def test_the_application_saves_a_form_that_runs_once_and_forgets_old_ones(as_application):
    user = person(Role.INTAKE)
    sent = {"address": "/note/", "typed": {"text": ["Typed."]}, "action": lambda: None, "by": user}
    form_keys.run_once(key=uuid4(), **sent)
    FormKey.objects.update(saved_at=timezone.now() - form_keys.KEPT - timedelta(hours=1))

    form_keys.run_once(key=uuid4(), **sent)

    assert FormKey.objects.filter(user=user).count() == 1


DATED_FACTS = [model for model in apps.get_models() if issubclass(model, TwoTimeFact)]


@pytest.mark.postgres
@pytest.mark.parametrize("model", DATED_FACTS, ids=lambda model: model.__name__)
def test_the_application_may_lock_every_dated_fact(as_application, model):
    with pytest.raises(model.DoesNotExist):
        lock_dated_row(model, 0)


@pytest.mark.postgres
def test_the_application_corrects_and_withdraws_dated_facts(role):
    received_case()
    license_row = License.objects.filter(reviewer=fit_reviewer()).first()
    name = OrganizationName.objects.first()
    credentialing = person(Role.CREDENTIALING)
    call_command("grant_application_role", role)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")

    correct_fact(
        kind="license",
        fact_id=license_row.pk,
        changes={},
        withdrawn=True,
        by=credentialing,
        at=MONDAY,
    )
    lock_fact(OrganizationName, name.pk).corrected(printed="Right name", by=None, at=MONDAY)

    assert License.objects.get(corrects=license_row).withdrawn
    assert OrganizationName.objects.get(corrects=name).printed == "Right name"
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@pytest.mark.postgres
@pytest.mark.parametrize("table", GUARDED)
def test_history_cannot_be_changed_removed_or_emptied(as_application, table):
    expect_denied(f'UPDATE "{table}" SET id = id')
    expect_denied(f'DELETE FROM "{table}"')
    expect_denied(f'TRUNCATE "{table}" CASCADE')
    expect_denied(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["cases_case", "accounts_user", "letters_letter"])
def test_the_application_role_cannot_delete_rows_that_are_only_ended(as_application, table):
    expect_denied(f'DELETE FROM "{table}"')


@pytest.mark.postgres
def test_the_application_makes_no_tables_and_no_functions(as_application):
    expect_denied("CREATE TABLE mine (id int)")
    expect_denied(
        "CREATE OR REPLACE FUNCTION refuse_change_of_history() RETURNS trigger "
        "AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql"
    )


@pytest.mark.postgres
def test_a_role_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="no role imr_nobody"):
        call_command("grant_application_role", "imr_nobody")


@pytest.mark.postgres
def test_the_owner_itself_is_refused(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()

    with pytest.raises(CommandError, match="owns nothing"):
        call_command("grant_application_role", owner)
