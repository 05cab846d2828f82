"""The index of the injured workers' names, as a migration operation.

On PostgreSQL it is an index of trigrams (groups of three letters) and of ranges of ids, so that of
a frequent name only the newest rows are read. The extensions ``pg_trgm`` and ``btree_gin`` are
trusted since PostgreSQL 13: the owner of the database may create them without being a superuser.

Two frequent words that few people have together would have the database compare two long lists.
So the index also holds each pair of trigrams of a name, of which such words have rare ones.

On SQLite it is a full-text table of trigrams beside the table of parties, filled by a trigger. Rows
of parties are never changed or removed, so a trigger for new rows keeps it in step.

``statements`` is also read by ``accounts.guards``, which reports a missing trigger.
"""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

from django.db.migrations.operations.base import Operation

EXTENSIONS = ("pg_trgm", "btree_gin")
TABLE = "cases_party"
INDEX = "cases_party_name"  # on SQLite the name of the full-text table
IDS_IN_RANGE = 4096
PAIRS = "cases_name_pairs"  # the function that lists the pairs of trigrams of a name

_CREATE_PAIRS = f"""
CREATE FUNCTION {PAIRS}(name_search text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    trigrams text[] := '{{}}';
    pairs text[] := '{{}}';
    one text;
    other text;
BEGIN
    FOR place IN 1 .. length(name_search) - 2 LOOP
        one := substr(name_search, place, 3);
        CONTINUE WHEN strpos(one, ' ') > 0;
        FOREACH other IN ARRAY trigrams LOOP
            IF one < other COLLATE "C" THEN
                pairs := pairs || (one || other);
            ELSIF other < one COLLATE "C" THEN
                pairs := pairs || (other || one);
            END IF;
        END LOOP;
        trigrams := trigrams || one;
    END LOOP;
    RETURN pairs;
END $$"""


def list_pairs(words: Sequence[str]) -> list[str]:
    """List pairs of trigrams that a name with all of these words has, as the function writes them.

    The first and last trigrams of the words, which are enough to tell names apart. Empty if the
    words have no two different ones.
    """
    found: set[str] = set()
    for one, other in combinations(words, 2):
        for pair in product((one[:3], one[-3:]), (other[:3], other[-3:])):
            first, second = sorted(pair)
            if first != second:
                found.add(first + second)
    return sorted(found)


class IndexEmployeeNames(Operation):
    """Index the names of injured workers for searches by any part of a name."""

    reversible = True
    elidable = False

    def statements(self, vendor: str) -> list[str]:
        """Return the statements that create the index."""
        if vendor == "postgresql":
            return [
                *(f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS),
                _CREATE_PAIRS.strip(),
                # Without the list of rows that wait for the index, which each search would read.
                f"CREATE INDEX {INDEX} ON {TABLE} "
                f"USING gin (name_search gin_trgm_ops, {PAIRS}(name_search), "
                f"(id / {IDS_IN_RANGE})) "
                "WITH (fastupdate = off) WHERE role = 'EMPLOYEE'",
            ]
        return [
            # The text itself stays in the table of parties.
            f"CREATE VIRTUAL TABLE {INDEX} USING fts5(name_search, content='{TABLE}', "
            "content_rowid='id', tokenize='trigram')",
            f"INSERT INTO {INDEX} (rowid, name_search) "  # noqa: S608 - ours
            f"SELECT id, name_search FROM {TABLE} WHERE role = 'EMPLOYEE'",
            f"CREATE TRIGGER {INDEX}_added "  # noqa: S608 - ours
            f"AFTER INSERT ON {TABLE} WHEN NEW.role = 'EMPLOYEE' "
            f"BEGIN INSERT INTO {INDEX} (rowid, name_search) "
            "VALUES (NEW.id, NEW.name_search); END",
        ]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Do nothing: the index is not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for statement in self.statements(schema_editor.connection.vendor):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            # The extensions stay, because others may use them.
            drops = [f"DROP INDEX {INDEX}", f"DROP FUNCTION {PAIRS}(text)"]
        else:
            drops = [f"DROP TRIGGER {INDEX}_added", f"DROP TABLE {INDEX}"]
        for statement in drops:
            schema_editor.execute(statement)

    def describe(self) -> str:
        return "Index the names of injured workers"
