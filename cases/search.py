"""Search for cases by case number, claim number, or the injured worker's name, by indexes alone.

Each part reads at most ``MOST_FOUND`` rows, and the newest ones first of a name that is frequent.
The page of a search for "Garcia" among a million cases says that there are more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import User
from directory.names import NameQuery, fold_number, read_name_query

from .models.restrictions import HIDDEN_CASES
from .name_index import IDS_IN_RANGE, PAIRS, list_pairs

MOST_FOUND = 200
LONGEST_NUMBER = 60  # characters of a claim number; a longer text is none
LAST_CHARACTER = "\U0010ffff"  # sorts after everything that begins with a text

_CLAIM = "claim_number_normal"
_SHORTEST_BARE = 4  # digits of a claim number without its zeros
# Years of case numbers, from the first one of the program.
_YEARS = [f"{year:02d}" for year in range(13, 61)]
_SHORT_NUMBER = re.compile(r"(?:(?:CM)?(\d\d)-)?(\d{1,7})", re.ASCII)

_NAMED = (
    "p.role = 'EMPLOYEE' AND NOT p.withdrawn "  # noqa: S608 - ours
    "AND NOT EXISTS (SELECT 1 FROM cases_party c WHERE c.corrects_id = p.id) "
    f"AND p.case_id NOT IN ({HIDDEN_CASES})"
)


@dataclass(frozen=True)
class FoundCases:
    """The ids of the cases that a search found.

    :ivar has_more: more cases match than were read.
    """

    ids: frozenset[int] = frozenset()
    has_more: bool = False

    def __or__(self, other: "FoundCases") -> "FoundCases":
        return FoundCases(self.ids | other.ids, self.has_more or other.has_more)


def search_cases(text: str, user: User) -> FoundCases:
    """Find cases by the beginning of a number, or by words of the injured worker's name.

    Restricted cases for which the person has no clearance are neither found nor counted.
    """
    number, claim, name = text.strip().upper(), fold_number(text), read_name_query(text)
    parts = [
        *_match_number("number", number, user),
        *_match_short_number(number, user),
        *(part for one in _list_claims(claim) for part in _match_number(_CLAIM, one, user)),
        *_match_name(name, user),
    ]
    if not parts:
        return FoundCases()
    # One statement, whose parts each have their own limit.
    statement = " UNION ALL ".join(
        f"SELECT * FROM ({part}) AS part"  # noqa: S608 - ours
        for part, _ in parts
    )
    rows = _read_rows(statement, [value for _, values in parts for value in values])
    by_part: dict[str, list[tuple[int, int]]] = {}
    newest = 0
    for part, case_id, row_id in rows:
        if part == "newest":
            newest = row_id
        else:
            by_part.setdefault(part, []).append((case_id, row_id))
    found = FoundCases()
    for part, pairs in by_part.items():
        has_more = len(pairs) > MOST_FOUND
        if part == "name" and has_more and connection.vendor == "postgresql":
            pairs = _find_newest_names(name, user, [row_id for _, row_id in pairs], newest)
        found |= FoundCases(frozenset(case_id for case_id, _ in pairs[:MOST_FOUND]), has_more)
    return found


def _match_number(column: str, beginning: str, user: User) -> Iterator[tuple[str, list[Any]]]:
    """Yield the statement for cases whose number begins with a text, highest numbers first.

    A range, because SQLite uses no index for LIKE. PostgreSQL has an index for the order of bytes,
    whatever the language of the database.
    """
    if not beginning or len(beginning) > LONGEST_NUMBER:
        return
    first, last, order = (
        ("~>=~", "~<~", "USING ~>~") if connection.vendor == "postgresql" else (">=", "<", "DESC")
    )
    zeros = len(beginning) - len(beginning.lstrip("0"))
    yield (
        # A part for each number of zeros, as each is counted by itself.
        f"SELECT '{column} {zeros}' AS part, id, id AS row_id "  # noqa: S608 - ours
        "FROM cases_case "
        f"WHERE {column} {first} %s AND {column} {last} %s "
        f"AND id NOT IN ({HIDDEN_CASES}) ORDER BY {column} {order} LIMIT {MOST_FOUND + 1}",
        [beginning, beginning + LAST_CHARACTER, user.pk],
    )


def _match_short_number(number: str, user: User) -> Iterator[tuple[str, list[Any]]]:
    """Yield the statement for cases by a number as people say it: 14, 26-14 or CM26-14."""
    match = _SHORT_NUMBER.fullmatch(number)
    if match is None:
        return
    year, serial = match.groups()
    numbers = [f"CM{one}-{serial:0>7}" for one in ([year] if year else _YEARS)]
    yield (
        "SELECT 'short number' AS part, id, id AS row_id FROM cases_case "  # noqa: S608 - ours
        f"WHERE number IN ({', '.join(['%s'] * len(numbers))}) "
        f"AND id NOT IN ({HIDDEN_CASES}) ORDER BY id DESC LIMIT {MOST_FOUND + 1}",
        [*numbers, user.pk],
    )


def _list_claims(claim: str) -> list[str]:
    """List a claim number with and without the zeros at its beginning, which many leave out."""
    bare = claim.lstrip("0")
    # A few digits begin too many numbers.
    if len(bare) < _SHORTEST_BARE or not bare[0].isdigit():
        return [claim]
    return list(dict.fromkeys([claim, *(f"{'0' * zeros}{bare}" for zeros in range(4))]))


def _match_name(name: NameQuery, user: User) -> Iterator[tuple[str, list[Any]]]:
    """Yield the statement for cases whose injured worker has a name with all of these parts."""
    if not name.indexed:
        return
    if connection.vendor == "postgresql":
        statement, params = _match_trigrams(name, user)
        yield f"{statement} LIMIT {MOST_FOUND + 1}", params
        # Where the newest rows are, if the name turns out to be frequent.
        yield "SELECT 'newest' AS part, NULL::bigint, max(id) AS row_id FROM cases_party", []
        return
    rest = "".join(" AND instr(p.name_search, %s) > 0" for _ in name.rest)
    # The full-text index returns its rows by id, so it stops after the newest ones.
    yield (
        "SELECT 'name' AS part, p.case_id, p.id AS row_id "  # noqa: S608 - ours
        "FROM cases_party_name JOIN cases_party p ON p.id = cases_party_name.rowid "
        f"WHERE cases_party_name MATCH %s{rest} AND {_NAMED} "
        f"ORDER BY cases_party_name.rowid DESC LIMIT {MOST_FOUND + 1}",
        [" AND ".join(f'"{part}"' for part in name.indexed), *name.rest, user.pk],
    )


def _match_trigrams(name: NameQuery, user: User) -> tuple[str, list[Any]]:
    # Two words are found by what they have together: each of them alone may be frequent.
    pairs = list_pairs(name.indexed) if not name.indexed[0].startswith(" ") else []
    values: list[Any] = [pairs] if pairs else [f"%{part}%" for part in name.indexed]
    if pairs:
        indexed = f" AND {PAIRS}(p.name_search) @> %s::text[]"
    else:
        indexed = "".join(" AND p.name_search LIKE %s" for _ in name.indexed)
    rest = (*name.indexed, *name.rest) if pairs else name.rest
    # A condition that the index should not answer must not look as if it could.
    compared = "".join(" AND strpos(p.name_search, %s) > 0" for _ in rest)
    statement = (
        "SELECT 'name' AS part, p.case_id, p.id AS row_id FROM cases_party p "  # noqa: S608 - ours
        f"WHERE {_NAMED}{indexed}{compared}"
    )
    return statement, [user.pk, *values, *rest]


def _find_newest_names(
    name: NameQuery, user: User, found: list[int], newest: int
) -> list[tuple[int, int]]:
    """Find the newest rows of a frequent name on PostgreSQL.

    The index of trigrams knows no order, but it holds the range of ids of each row too. So it is
    asked for the newest ranges, and for more of them until enough rows are found.

    :param found: the ids of as many rows as were asked for, whichever came first.
    :param newest: the highest id of all rows.
    """
    statement, params = _match_trigrams(name, user)
    statement += (
        f" AND (p.id / {IDS_IN_RANGE}) >= %s::bigint ORDER BY p.id DESC LIMIT {MOST_FOUND + 1}"
    )
    rows: list[Any] = []
    for lowest in _list_first_ranges(found, newest):
        rows = _read_rows(statement, [*params, lowest])
        if len(rows) > MOST_FOUND:
            break
    return [(case_id, row_id) for _, case_id, row_id in rows]


def _list_first_ranges(found: list[int], newest: int) -> Iterator[int]:
    """Yield ever lower ranges of ids from which on to look for the newest rows; at last all.

    The first one begins so that half as many ids again are read as those among which as many rows
    were found already.
    """
    width = (max(found) - min(found)) * 3 // 2 + IDS_IN_RANGE
    while width < newest:
        yield (newest - width) // IDS_IN_RANGE
        width *= 3
    yield 0


def _read_rows(statement: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[Any] = cursor.fetchall()
        return rows
