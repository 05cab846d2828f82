"""``manage.py grant_application_role ROLE``: grant the portal's PostgreSQL role its rights."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

from accounts.counting import count_noun
from imr_portal import environment

# Our only tables whose rows are deleted. In all others rows are ended.
MAY_BE_DELETED = {
    "accounts_formkey",  # the key of a saved form, after a week; what was saved stays
    "jobs_listexportpart",  # the lines of an exported list, after a day; the request stays
    "accounts_user_groups",  # a revoked role; the event stays in accounts_accountevent
}


class Command(BaseCommand):
    help = (
        "Grant a PostgreSQL role what the portal needs: reading and writing rows, but not changing "
        "or deleting history. Run it as the owner of the tables, after every migration."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="the name of the role, as in DATABASE_URL")
        parser.add_argument(
            "--create",
            action="store_true",
            help="create the role if it is missing, with the password in APPLICATION_DB_PASSWORD",
        )

    def handle(self, *, role: str, create: bool, **options: Any) -> str:
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles. This command is for PostgreSQL.")
        with connection.cursor() as cursor:
            name = find_role(cursor, role)
            if name is None and create:
                make_role(cursor, role)
                name = find_role(cursor, role)
            cursor.execute("SELECT current_user")
            (owner,) = cursor.fetchone()
        if name is None:
            raise CommandError(
                f"There is no role {role}. Make it first: CREATE ROLE {role} LOGIN PASSWORD '…'."
            )
        if name[0] or role == owner:
            raise CommandError(
                f"{role} could turn off the guards of history. Use a role that owns nothing."
            )
        with transaction.atomic(), connection.cursor() as cursor:
            append_only = list_append_only_tables(cursor)
            for statement in list_grants(role, list_tables(cursor), append_only):
                cursor.execute(statement)
        return (
            f"{role} has the rights of the portal; "
            f"{count_noun(len(append_only), 'table is,tables are')} append-only for it."
        )


def find_role(cursor: Any, role: str) -> tuple[bool] | None:
    """Return whether a role is a superuser; ``None`` if there is no such role."""
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
    row: tuple[bool] | None = cursor.fetchone()
    return row


def make_role(cursor: Any, role: str) -> None:
    """Create a role that can sign in. The password comes from the environment."""
    password = environment.read_text("APPLICATION_DB_PASSWORD")
    # CREATE ROLE takes no parameters, so the values are quoted here.
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
        sql.Identifier(role), sql.Literal(password)
    )
    cursor.execute(statement.as_string(connection.connection))


def list_tables(cursor: Any) -> list[str]:
    """Return the names of all tables in the schema."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return sorted(name for (name,) in cursor.fetchall())


def list_append_only_tables(cursor: Any) -> set[str]:
    """Return the append-only tables, read from the triggers in the catalog."""
    cursor.execute(
        "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE tgname = relname || '_only_grows' AND relnamespace = current_schema()::regnamespace"
    )
    return {name for (name,) in cursor.fetchall()}


def list_grants(role: str, tables: Iterable[str], append_only: set[str]) -> Iterable[str]:
    """Return the grants. They can be run again, because each table is revoked first."""
    quote = connection.ops.quote_name
    to = quote(role)
    # Libraries delete rows of their own tables, such as sessions. Ours are never deleted.
    ours = {
        model._meta.db_table
        for app in apps.get_app_configs()
        if not app.name.startswith(("django.", "allauth."))
        for model in app.get_models(include_auto_created=True)
    }
    yield f"GRANT USAGE ON SCHEMA {quote(_current_schema())} TO {to}"
    yield f"REVOKE CREATE ON SCHEMA {quote(_current_schema())} FROM {to}"
    for name in tables:
        acts = ["SELECT"]
        # Only the owner of the tables migrates.
        if name != "django_migrations":
            acts.append("INSERT")
            if name not in append_only:
                acts.append("UPDATE")
                if name not in ours or name in MAY_BE_DELETED:
                    acts.append("DELETE")
        yield f"REVOKE ALL ON {quote(name)} FROM {to}"
        yield f"GRANT {', '.join(acts)} ON {quote(name)} TO {to}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {quote(_current_schema())} TO {to}"


def _current_schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema: str = cursor.fetchone()[0]
        return schema
