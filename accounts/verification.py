"""Verify the history: every current row equals its last version, and roles equal their events.

Versions and events are numbered as they are stored, so their moments rise with their numbers. A row
that was inserted later under an earlier date is found by its neighbors and by the nights before it;
if it was given an unused number among them, by the counts of the nightly run.

The triggers guard the tables of versions and events. Nothing in the database guards a current row
from a direct UPDATE, so the row is compared with what the history says. Values are never shown:
they may be medical facts.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    DurationField,
    F,
    Func,
    Max,
    Model,
    OuterRef,
    RowRange,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Coalesce

from .guards import find_missing_guards
from .models import (
    AccessLogEntry,
    AccountEvent,
    AccountVersion,
    HistoryCount,
    SignInEvent,
    User,
)
from .roles import Role
from .versions import Versioned

_ROWS_AT_ONCE = 500
# A request reads the clock before it waits for a lock, a job reads it once for many cases, and the
# clocks of two machines differ a little.
TOLERATED = timedelta(minutes=10)
# No transaction is open for so long, so numbers that are older are all used or will never be.
SETTLED_AFTER = timedelta(hours=12)


@dataclass(frozen=True)
class HistoryProblem:
    """A row or a guard that is not as the history or the migrations say."""

    table: str
    row: str
    column: str
    sentence: str

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                self.table,
                self.row and f"row {self.row}",
                self.column and f"column {self.column}",
            )
            if part
        )
        return f"{place}: {self.sentence}"


def verify_history(*, tick: Callable[[], None] = lambda: None) -> list[HistoryProblem]:
    """List everything that differs: rows, roles and guards. Reads every versioned table.

    :param tick: called after each table and every 500 rows, so that a long run shows that it
        continues.
    """
    problems = [
        HistoryProblem(table, "", "", f"The guard {name} is missing, disabled or changed.")
        for table, name in find_missing_guards(connection)
    ]
    for model in list_versioned_models():
        problems += compare_with_versions(model, tick=tick)
    problems += compare_roles_with_events()
    problems += compare_accounts_with_versions()
    problems += compare_factors_with_events()
    tick()
    for dated, owner, moment in list_dated_models():
        problems += find_backdated_rows(dated, owner=owner, moment=moment)
        problems += find_rows_before_night(dated, moment=moment)
        tick()
    for counted in list_counted_models():
        problems += compare_with_counts(counted)
        tick()
    return problems


def list_versioned_models() -> list[type[Versioned]]:
    """List every model that keeps versions, by the name of its table."""
    return sorted(
        (
            model
            for model in apps.get_models()
            if issubclass(model, Versioned) and not hasattr(model, "history_type")
        ),
        key=lambda model: model._meta.db_table,
    )


def compare_with_versions(
    model: type[Versioned], *, tick: Callable[[], None] = lambda: None
) -> Iterator[HistoryProblem]:
    """Compare each current row of a model with its last version, and find removed rows."""
    table, history = model._meta.db_table, model.history.model
    key = model._meta.pk.attname
    columns = [
        field.attname
        for field in history.tracked_fields
        if hasattr(history, field.attname) or field.primary_key
    ]
    last_key: Any = None
    while True:
        tick()
        rows = model._base_manager.order_by("pk")
        if last_key is not None:
            rows = rows.filter(pk__gt=last_key)
        current = {row[key]: row for row in rows.values(*columns)[:_ROWS_AT_ONCE]}
        if not current:
            break
        last_key = max(current)
        versions = history.objects.filter(**{f"{key}__in": list(current)}).order_by("history_id")
        # A later version of the same row replaces the earlier one.
        last = {row[key]: row for row in versions.values(*columns)}
        for pk, row in current.items():
            if pk not in last:
                yield HistoryProblem(table, str(pk), "", "The row has no version.")
                continue
            for column in columns:
                if row[column] != last[pk][column]:
                    yield HistoryProblem(
                        table, str(pk), column, "The value differs from the last version."
                    )
    removed = history.objects.exclude(**{f"{key}__in": model._base_manager.values("pk")})
    for pk in sorted(set(removed.values_list(key, flat=True)), key=str):
        yield HistoryProblem(table, str(pk), "", "The row was removed; its versions are there.")


def list_dated_models() -> list[tuple[type[Model], str, str]]:
    """List the tables whose rows are numbered in the order of their moments.

    Each with the column of the row that it is about, and the column of the moment. The access log
    is not one of them: entries that waited on a full disk are stored later.
    """
    versions = [
        (model.history.model, model._meta.pk.attname, "history_date")
        for model in list_versioned_models()
    ]
    # A model of events says whom or what they are about in ``EVENT_OWNER``.
    events = [
        (model, model.EVENT_OWNER, "happened_at")
        for model in apps.get_models()
        if hasattr(model, "EVENT_OWNER")
    ]
    return [*versions, *events]


def list_counted_models() -> list[type[Model]]:
    """List the tables that only grow and whose rows the nightly run counts."""
    dated = [model for model, _, _ in list_dated_models()]
    return [*dated, AccessLogEntry, SignInEvent, AccountVersion]


def find_rows_before_night(model: type[Model], *, moment: str) -> Iterator[HistoryProblem]:
    """Find rows that were stored after a nightly run and are dated before it.

    The last row of a case has no later neighbor, so its date is compared with the night.
    """
    key = model._meta.pk.attname
    counts = list(HistoryCount.objects.filter(table=model._meta.db_table).order_by("pk"))
    for count, following in zip(counts, [*counts[1:], None], strict=False):
        rows = model._base_manager.filter(
            **{f"{key}__gt": count.last_id, f"{moment}__lt": count.counted_at - TOLERATED}
        )
        if following is not None:
            if following.last_id == count.last_id:
                continue
            rows = rows.filter(**{f"{key}__lte": following.last_id})
        for pk in rows.order_by(key).values_list(key, flat=True):
            yield HistoryProblem(
                model._meta.db_table,
                str(pk),
                moment,
                "The row was stored after the nightly run of "
                f"{count.counted_at:%Y-%m-%d} and is dated before it.",
            )


def find_backdated_rows(model: type[Model], *, owner: str, moment: str) -> Iterator[HistoryProblem]:
    """Find rows with an earlier moment than a row that was stored before them. One query.

    :param owner: the column of the row that a version or event is about. Only rows of one owner are
        compared, because demonstrations and imports store one case after another.
    """
    key = model._meta.pk.attname
    earlier_rows = Window(
        Max(moment),
        partition_by=[F(owner)],
        order_by=F(key).asc(),
        frame=RowRange(start=None, end=-1),
    )
    rows = model._base_manager.annotate(latest_before=earlier_rows)
    rows = rows.filter(latest_before__gt=F(moment) + Value(TOLERATED, DurationField()))
    for pk in rows.order_by(key).values_list(key, flat=True):
        yield HistoryProblem(
            model._meta.db_table, str(pk), moment, "The row is dated before an earlier row."
        )


@transaction.atomic
def count_history(*, at: datetime, tick: Callable[[], None] = lambda: None) -> int:
    """Count the rows of each table of versions and events, for later comparison.

    Numbers given out since the last count are counted by the next one: the transaction of a lower
    number may still be open.

    :returns: the number of tables counted.
    """
    counted = 0
    for model in list_counted_models():
        table, key = model._meta.db_table, model._meta.pk.attname
        before = HistoryCount.objects.filter(table=table).order_by("pk").last()
        if before is not None and at < before.counted_at + SETTLED_AFTER:
            continue
        after_id, to_id = (before.to_id, before.last_id) if before else (0, 0)
        rows = model._base_manager.filter(**{f"{key}__gt": after_id, f"{key}__lte": to_id})
        last = model._base_manager.aggregate(last=Max(key))["last"]
        HistoryCount.objects.create(
            table=table,
            after_id=after_id,
            to_id=to_id,
            rows=rows.count(),
            last_id=last or to_id,
            counted_at=at,
        )
        counted += 1
        tick()
    return counted


def compare_with_counts(model: type[Model]) -> Iterator[HistoryProblem]:
    """Find numbers of rows that were counted, and of which there are more or fewer now."""
    table, key = model._meta.db_table, model._meta.pk.attname
    # The database gives out numbers from 1, so a lower one was chosen by someone.
    for pk in model._base_manager.filter(**{f"{key}__lt": 1}).values_list(key, flat=True):
        yield HistoryProblem(table, str(pk), key, "The database never gives out this number.")
    counted_rows = model._base_manager.filter(
        **{f"{key}__gt": OuterRef("after_id"), f"{key}__lte": OuterRef("to_id")}
    )
    # A count of the whole subquery; an aggregate would be grouped by row.
    total = counted_rows.order_by().annotate(
        all=Func(template="COUNT(*)", output_field=BigIntegerField())
    )
    counts = HistoryCount.objects.filter(table=table).annotate(
        now=Coalesce(Subquery(total.values("all")), 0, output_field=BigIntegerField())
    )
    for count in counts.exclude(rows=F("now")).order_by("pk"):
        change = "inserted" if count.now > count.rows else "removed"
        yield HistoryProblem(
            table,
            f"{count.after_id + 1} to {count.to_id}",
            "",
            f"{abs(count.now - count.rows)} of these rows were {change} after they were counted "
            f"on {count.counted_at:%Y-%m-%d}.",
        )


def compare_roles_with_events() -> Iterator[HistoryProblem]:
    """Compare the roles of each user, and whether they may sign in, with the account events."""
    granted: dict[int, set[str]] = defaultdict(set)
    active: dict[int, bool] = {}
    kinds = AccountEvent.Kind
    events = AccountEvent.objects.order_by("pk").values_list("user_id", "kind", "detail")
    for user_id, kind, detail in events.iterator():
        if kind == kinds.ROLE_GRANTED:
            granted[user_id].add(detail)
        elif kind == kinds.ROLE_REVOKED:
            granted[user_id].discard(detail)
        elif kind in {kinds.CREATED, kinds.REACTIVATED}:
            active[user_id] = True
        elif kind == kinds.DEACTIVATED:
            active[user_id] = False
    labels = dict(Role.choices)
    memberships = User.groups.through._meta.db_table
    for user in User.objects.order_by("pk").prefetch_related("groups"):
        row = f"of user {user.pk}"
        held = {str(labels.get(group.name, group.name)) for group in user.groups.all()}
        for label in sorted(held - granted[user.pk]):
            yield HistoryProblem(memberships, row, "group_id", f"No event granted “{label}”.")
        for label in sorted(granted[user.pk] - held):
            yield HistoryProblem(memberships, row, "group_id", f"No event removed “{label}”.")
        if user.is_active != active.get(user.pk):
            yield HistoryProblem(
                User._meta.db_table, str(user.pk), "is_active", "No event says so."
            )


def compare_accounts_with_versions() -> Iterator[HistoryProblem]:
    """Compare address, password and ``ever_reviewer`` of each user with the last version."""
    table = User._meta.db_table
    last: dict[int, dict[str, Any]] = {
        version["user_id"]: dict(version)
        for version in AccountVersion.objects.order_by("pk")
        .values("user_id", "email", "ever_reviewer", "password_digest")
        .iterator()
    }
    for row in User.objects.order_by("pk").values("pk", *AccountVersion.COLUMNS):
        if row["pk"] not in last:
            yield HistoryProblem(table, str(row["pk"]), "", "The row has no version.")
            continue
        for column, value in AccountVersion.describe_row(row).items():
            if value != last[row["pk"]][column]:
                yield HistoryProblem(
                    table,
                    str(row["pk"]),
                    column.removesuffix("_digest"),
                    "The value differs from the last version.",
                )


def compare_factors_with_events() -> Iterator[HistoryProblem]:
    """Compare the number of second factors of each user with the events of sign-ins.

    Recovery codes are left out: without another factor they open nothing.
    """
    kinds = SignInEvent.Kind
    codes = Authenticator.Type.RECOVERY_CODES
    expected: dict[int, int] = defaultdict(int)
    events = SignInEvent.objects.filter(
        kind__in=[kinds.FACTOR_ADDED, kinds.FACTOR_REMOVED, kinds.FACTOR_RESET]
    ).exclude(detail=str(codes.label))
    for user_id, kind in events.order_by("pk").values_list("user_id", "kind").iterator():
        if kind == kinds.FACTOR_RESET:
            expected[user_id] = 0
        else:
            expected[user_id] += 1 if kind == kinds.FACTOR_ADDED else -1
    stored: dict[int, int] = defaultdict(int)
    for user_id in Authenticator.objects.exclude(type=codes).values_list("user_id", flat=True):
        stored[user_id] += 1
    for user_id in sorted(expected.keys() | stored.keys()):
        if stored[user_id] != expected[user_id]:
            change = "removed" if stored[user_id] < expected[user_id] else "added"
            yield HistoryProblem(
                Authenticator._meta.db_table,
                f"of user {user_id}",
                "",
                f"A second factor was {change}; no event says so.",
            )
