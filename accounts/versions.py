"""Models that keep every version of their rows, and the only way to save them.

``django-simple-history`` stores a version when a row is saved, but not for ``QuerySet.update``,
``bulk_create`` or ``bulk_update``. Civil Code 56.101(b)(1) requires a system with medical records
to record *any* change, with who and when. So a ``Versioned`` row is saved by ``store`` (or
``bulk_store``), which takes the person and the moment, and every other way is refused.
"""

import json
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.db import connection, models, transaction
from simple_history.models import HistoricalRecords

from .refusals import StaleForm

if TYPE_CHECKING:
    from .models import User

# Separate for each thread and task, so that one that saves does not let others bypass this.
_door_open: ContextVar[bool] = ContextVar("versions_door_open", default=False)


class BypassesHistory(RuntimeError):
    """A row was about to be saved without a version. Use ``store`` or ``bulk_store``."""


class Stale(StaleForm):
    """Someone else changed the row after the page was loaded."""

    def __init__(self, row: "Versioned") -> None:
        self.row = row
        super().__init__(
            "Someone else changed this after you opened it. What you typed is kept below. "
            "Compare it with the current version, then save again."
        )


class VersionedQuerySet(models.QuerySet[Any]):
    """A queryset that reads freely and refuses to write, except by ``bulk_store``."""

    def update(self, **fields: Any) -> NoReturn:
        raise BypassesHistory(f"{self.model.__name__} rows keep versions: load, change, store.")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        if not _door_open.get():
            raise BypassesHistory(f"{self.model.__name__} rows keep versions: use bulk_store.")
        return super().bulk_create(objs, *args, **options)

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        raise BypassesHistory(f"{self.model.__name__} rows keep versions: load, change, store.")

    def delete(self) -> NoReturn:
        raise BypassesHistory(f"{self.model.__name__} rows are never deleted: end them instead.")

    def bulk_store(
        self,
        rows: Sequence[Any],
        *,
        by: "User | None",
        at: datetime,
        why: str | Sequence[str] = "",
    ) -> None:
        """Insert new rows with their first versions, in two statements for many rows.

        :param why: the reason of all rows, or one for each.
        """
        if not rows:
            return
        for row in rows:
            row.version = 1
        with transaction.atomic(savepoint=False):
            opened = _door_open.set(True)
            try:
                self.model._default_manager.bulk_create(rows)
            finally:
                _door_open.reset(opened)
            _copy_to_history(rows, "+", by=by, at=at, why=why)

    def bulk_store_changes(
        self,
        rows: Sequence[Any],
        *,
        fields: Sequence[str],
        by: "User | None",
        at: datetime,
        why: str = "",
    ) -> None:
        """Save some fields of stored rows and a new version of each, in two statements.

        The caller has locked the rows or stored them in this transaction.
        """
        if not rows:
            return
        values: dict[str, Any] = {"version": models.F("version") + 1}
        for name in fields:
            keys_of: dict[Any, list[Any]] = {}
            for row in rows:
                keys_of.setdefault(getattr(row, name), []).append(row.pk)
            # Mostly all rows get the same value, or few have different ones.
            values[name] = (
                next(iter(keys_of))
                if len(keys_of) == 1
                else models.Case(
                    *(
                        models.When(pk__in=keys, then=models.Value(value))
                        for value, keys in keys_of.items()
                    ),
                    output_field=self.model._meta.get_field(name),
                )
            )
        stored: models.QuerySet[Any] = models.QuerySet(self.model)
        stored = stored.filter(pk__in=[row.pk for row in rows])
        with transaction.atomic(savepoint=False):
            stored.update(**values)
            for row in rows:
                row.version += 1
            _copy_to_history(rows, "~", by=by, at=at, why=why)


def _copy_to_history(
    rows: Sequence[Any],
    history_type: str,
    *,
    by: "User | None",
    at: datetime,
    why: str | Sequence[str],
) -> None:
    """Copy stored rows into their history, in one statement. The rows do not travel again.

    :param why: the reason of all rows, or one for each.
    """
    model = type(rows[0])
    history = model.history.model
    columns = ", ".join(f'"{field.column}"' for field in history.tracked_fields)
    key = f'"{model._meta.pk.column}"'
    ids = [row.pk for row in rows]
    reasons = [why] * len(ids) if isinstance(why, str) else list(why)
    if connection.vendor == "postgresql":
        key_type = model._meta.pk.rel_db_type(connection)
        given = f"unnest(%s::{key_type}[], %s::text[]) AS given (key_given, why_given)"
        values: list[Any] = [ids, reasons]
    else:
        given = (
            "(SELECT json_extract(value, '$[0]') AS key_given, "
            "json_extract(value, '$[1]') AS why_given FROM json_each(%s)) AS given"
        )
        values = [json.dumps(list(zip(ids, reasons, strict=True)))]
    added = '"history_date", "history_type", "history_user_id", "history_change_reason"'
    target, source = (f'"{one._meta.db_table}"' for one in (history, model))
    statement = (
        f"INSERT INTO {target} ({columns}, {added}) "  # noqa: S608 - the names of our models
        f"SELECT {columns}, %s, %s, %s, why_given FROM {given} "
        f"JOIN {source} ON {key} = key_given ORDER BY {key}"
    )
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(statement, [moment, history_type, by.pk if by else None, *values])


class Versioned(models.Model):
    """Base of models that keep every version: who, when, why, and all fields."""

    version = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[Any] = VersionedQuerySet.as_manager()
    history = HistoricalRecords(
        inherit=True,
        history_change_reason_field=models.TextField(blank=True, default=""),
    )

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **options: Any) -> None:
        if not _door_open.get():
            raise BypassesHistory(f"{type(self).__name__} rows keep versions: call store.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise BypassesHistory(f"{type(self).__name__} rows are never deleted: end them instead.")

    def store(
        self,
        *,
        by: "User | None",
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save the row and a new version of it.

        :param by: the person who acts; ``None`` is the system.
        :param at: the moment of the action, passed in by the view, task or command.
        :param fields: the fields that changed; all if ``None``.
        """
        self.version += 1
        self._history_user, self._history_date, self._change_reason = by, at, why
        opened = _door_open.set(True)
        try:
            self.save(
                # A new row must never overwrite a stored one with the same key.
                force_insert=self._state.adding,
                update_fields=None if fields is None else [*fields, "version"],
            )
        finally:
            _door_open.reset(opened)
            del self._history_user, self._history_date, self._change_reason
        return self

    def restore_version(
        self,
        number: int,
        *,
        by: "User | None",
        at: datetime,
        why: str,
        keep: Iterable[str] = (),
    ) -> Self:
        """Give the locked row the values of one of its earlier versions, as a new version.

        Nothing is stored if the values are the same.

        :param number: the earlier version.
        :param keep: the fields that keep their present values.
        """
        earlier = self.history.filter(version=number).latest("history_id")
        kept = {"version", self._meta.pk.name, *keep}
        changed = [
            field
            for field in type(self).history.model.tracked_fields
            if field.name not in kept
            and getattr(earlier, field.attname) != getattr(self, field.attname)
        ]
        if not changed:
            return self
        for field in changed:
            setattr(self, field.attname, getattr(earlier, field.attname))
        return self.store(by=by, at=at, why=why, fields=[field.name for field in changed])

    def refuse_if_stale(self, seen: int | None) -> None:
        """Refuse if the page showed an older version. Call it on a locked row.

        :raises Stale: someone saved a newer version in between.
        """
        if seen is not None and seen != self.version:
            raise Stale(self)
