"""Queries whose SQL is compiled once in a process and run again with other values.

Django compiles a query each time it runs, which takes several times as long as a small statement
itself. A ``KeptQuery`` is built once from an ordinary queryset, in which a ``Slot`` or a
``ListSlot`` stands wherever a value differs from run to run.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import QuerySet, Value


class Slot(Value):
    """The place of one value, named as it is given to ``KeptQuery.fetch``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        # The slot itself is the parameter, and each run puts a value in its place.
        return "%s", [self]


class ListSlot(Slot):
    """The place of any number of whole numbers or texts, for a lookup with ``__in``."""

    def __init__(self, name: str, *, of_texts: bool = False) -> None:
        super().__init__(name)
        self.of_texts = of_texts

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        # One parameter, so that the SQL is the same for every length of the list.
        if connection.vendor == "postgresql":
            return (_TEXTS if self.of_texts else _NUMBERS), [self]
        return "(SELECT value FROM json_each(%s))", [self]


# Django writes a lookup as IN. For an array PostgreSQL can use an index, for a subquery it rarely
# does, so ``KeptQuery`` puts ANY in the place of these.
_NUMBERS, _TEXTS = "(kept_numbers %s)", "(kept_texts %s)"
_ARRAYS = {f"IN {_NUMBERS}": "= ANY(%s::bigint[])", f"IN {_TEXTS}": "= ANY(%s::text[])"}

_serial = itertools.count(1)
# The statements that each connection to PostgreSQL has prepared.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@dataclass(frozen=True)
class _Compiled:
    """A query as one kind of database runs it.

    :ivar prepare: the statement that prepares it on a connection; only on PostgreSQL.
    """

    sql: str
    params: Sequence[Any]  # values and slots
    compiler: Any
    converters: Any
    prepare: str = ""


class KeptQuery:
    """A query that is compiled at its first run, separately for each kind of database.

    PostgreSQL also keeps its plan, for as long as the connection lasts.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        """Keep the function that builds the queryset, which has to end in ``values_list``."""
        self._build = build
        self._name = f"kept_{next(_serial)}"
        self._compiled: dict[tuple[str, bool], _Compiled] = {}

    def fetch(self, **values: Any) -> list[Any]:
        """Run the query and return its rows. One query.

        :param values: the value of each slot: a date, a moment, a number, a text or, for a
            ``ListSlot``, a collection.
        """
        # A pooler that gives each transaction another server process loses what was prepared.
        can_prepare = connection.vendor == "postgresql" and not connection.settings_dict.get(
            "DISABLE_SERVER_SIDE_CURSORS"
        )
        key = (connection.vendor, can_prepare)
        kept = self._compiled.get(key)
        if kept is None:
            kept = self._compiled[key] = self._compile(values, can_prepare=can_prepare)
        adapted = {name: _adapt_value(value) for name, value in values.items()}
        with connection.cursor() as cursor:
            if kept.prepare:
                self._prepare_once(cursor, kept)
            cursor.execute(
                kept.sql,
                [adapted[one.name] if isinstance(one, Slot) else one for one in kept.params],
            )
            rows = cursor.fetchall()
        if not kept.converters:
            return rows
        # As Django reads them: SQLite has no dates, decimals or JSON of its own.
        return list(kept.compiler.apply_converters(rows, kept.converters))

    def _compile(self, values: Mapping[str, Any], *, can_prepare: bool) -> _Compiled:
        compiler = self._build().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select])
        for subquery, array in _ARRAYS.items():
            sql = sql.replace(subquery, array)
        if not can_prepare:
            return _Compiled(sql, params, compiler, converters)
        slots: dict[str, Slot] = {}
        first, *rest = sql.replace("%%", "%").split("%s")
        parts = [first]
        for param, text in zip(params, rest, strict=True):
            if isinstance(param, Slot):
                slots.setdefault(param.name, param)
                parts.append(f"${list(slots).index(param.name) + 1}")
            else:
                # In the statement itself, so that the plan is made for it.
                with connection.cursor() as cursor:
                    parts.append(cursor.mogrify("%s", [param]))
            parts.append(text)
        types = [_name_type(slot, values[name]) for name, slot in slots.items()]
        run = ", ".join(f"%s::{type_}" for type_ in types)
        declared = f"({', '.join(types)})" if types else ""
        return _Compiled(
            f"EXECUTE {self._name} ({run})" if run else f"EXECUTE {self._name}",
            list(slots.values()),
            compiler,
            converters,
            f"PREPARE {self._name} {declared} AS {''.join(parts)}",
        )

    def _prepare_once(self, cursor: Any, kept: _Compiled) -> None:
        prepared = _prepared.setdefault(connection.connection, set())
        if self._name not in prepared:
            cursor.execute(kept.prepare)
            prepared.add(self._name)


def _name_type(slot: Slot, value: Any) -> str:
    """Return the type of a slot on PostgreSQL."""
    if isinstance(slot, ListSlot):
        return "text[]" if slot.of_texts else "bigint[]"
    if isinstance(value, datetime):
        return "timestamptz"
    if isinstance(value, date):
        return "date"
    return "bigint" if isinstance(value, int) else "text"


def _adapt_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))
    return value
