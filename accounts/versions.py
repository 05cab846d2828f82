"""Models that keep every version of their rows, and the only way to save them.

``django-simple-history`` stores a version when a row is saved, but not for ``QuerySet.update``,
``bulk_create`` or ``bulk_update``. Civil Code 56.101(b)(1) requires a system with medical records
to record *any* change, with who and when. So a ``Versioned`` row is saved by ``store`` (or
``bulk_store``), which takes the person and the moment, and every other way is refused.
"""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from django.db import models
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_create_with_history

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
        self, rows: Sequence[Any], *, by: "User | None", at: datetime, why: str = ""
    ) -> None:
        """Insert new rows with their first versions, in a few statements."""
        for row in rows:
            row.version = 1
        opened = _door_open.set(True)
        try:
            bulk_create_with_history(
                rows,
                self.model,
                default_user=by,
                default_date=at,
                default_change_reason=why,
            )
        finally:
            _door_open.reset(opened)


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

    def refuse_if_stale(self, seen: int | None) -> None:
        """Refuse if the page showed an older version. Call it on a locked row.

        :raises Stale: someone saved a newer version in between.
        """
        if seen is not None and seen != self.version:
            raise Stale(self)
