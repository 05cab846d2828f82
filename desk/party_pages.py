"""The page of an injured worker or other person, and of an organization: cases, letters, calls.

Only the cases that the reader may see count. A person or organization that is known only from
hidden cases has no page for that reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from cases.case_rows import TITLES, list_column
from cases.models import Case, Party, PartyRole, PhoneCall
from cases.models.case import CaseQuerySet
from cases.models.restrictions import select_visible
from cases.search import MOST_FOUND
from directory.models import Organization, Person
from letters.models import Service
from queues.work_order import Key

from . import queues

PAGE = 50
LETTERS_SHOWN = 25
CALLS_SHOWN = 25
MOST_ENTRIES = 20  # duplicate entries of one person or organization


@dataclass(frozen=True)
class CasePage:
    """Some of the cases of a party, and the key of those that follow; empty on the last page."""

    cases: Sequence[Case]
    next_key: str


@dataclass(frozen=True)
class PartyPage:
    """Who a party is, and its rows on the cases that the reader may see."""

    reader: User
    parties: Any  # the rows of the party on visible cases, superseded ones included
    newest: Party  # the present row of its newest case: name, address, telephone
    roles: list[str]
    also_known_as: list[str]

    @property
    def cases(self) -> CaseQuerySet:
        """The cases that the reader may see. Cases of very many parties are found by their own."""
        rows: CaseQuerySet = Case.objects.visible_to(self.reader)
        current = self.parties.current()
        few = list(current.order_by().values_list("case", flat=True).distinct()[: MOST_FOUND + 1])
        if len(few) <= MOST_FOUND:
            return rows.filter(pk__in=few)
        return rows.filter(Exists(current.filter(case=OuterRef("pk"))))


def find_party_page(entry: Person | Organization, reader: User) -> PartyPage | None:
    """Load who a person or organization is on the cases that the reader may see.

    Four queries. ``None`` if it is on none of them.
    """
    holder = "person" if isinstance(entry, Person) else "organization"
    ids = _list_entries(entry)
    parties = select_visible(Party.objects.filter(**{f"{holder}__in": ids}), reader)
    newest = parties.current().select_related("case").order_by("-pk").first()
    if newest is None:
        return None
    roles = set(parties.current().order_by().values_list("role", flat=True).distinct())
    names = dict.fromkeys(
        parties.current().order_by("-pk").values_list("name", flat=True)[:MOST_FOUND]
    )
    return PartyPage(
        reader,
        parties,
        newest,
        [str(role.label) for role in PartyRole if role in roles],
        [name for name in names if name != newest.name],
    )


def _list_entries(entry: Any) -> set[int]:
    """List the ids of an entry and of its duplicate entries. One query for each direction."""
    same = entry.merged_into.current().values_list("same_as_id", flat=True)[:MOST_ENTRIES]
    holder = "person_id" if isinstance(entry, Person) else "organization_id"
    others = entry.merged_from.current().values_list(holder, flat=True)[:MOST_ENTRIES]
    return {entry.pk, *same, *others}


def load_open_cases(page: PartyPage, *, after: str = "") -> CasePage:
    """Load the open cases, most urgent first. At most two queries.

    :raises ValueError: the key is malformed.
    """
    rows = _with_columns(page.cases.filter(is_open=True)).order_by("list_day", "urgency", "pk")
    if after:
        key = Key.read(after)
        rows = rows.after(key.day, key.urgency, key.pk)
    cases = list(rows[: PAGE + 1])
    last = cases[PAGE - 1] if len(cases) > PAGE else None
    return CasePage(cases[:PAGE], str(Key(last.list_day, last.urgency, last.pk)) if last else "")


def load_closed_cases(page: PartyPage, *, before: int | None = None) -> CasePage:
    """Load the closed cases, newest first. At most two queries."""
    rows = _with_columns(page.cases.filter(is_open=False)).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    cases = list(rows[: PAGE + 1])
    return CasePage(cases[:PAGE], str(cases[PAGE - 1].pk) if len(cases) > PAGE else "")


def load_letters(page: PartyPage, cases: Sequence[Case]) -> list[Service]:
    """Load the newest letters to the party about these cases. One query."""
    if not cases:
        return []
    ids = page.parties.filter(case__in=[case.pk for case in cases]).values("pk")
    rows = Service.objects.filter(
        Q(letter__reference__in=[case.number for case in cases]), recipient_id__in=ids
    )
    return list(rows.select_related("letter").order_by("-planned_on", "-pk")[:LETTERS_SHOWN])


def load_calls(page: PartyPage) -> list[PhoneCall]:
    """Load the newest calls with the party about cases that the reader may see. One query."""
    calls = select_visible(PhoneCall.objects.filter(correction__isnull=True), page.reader)
    # Of a corrected call only the correction.
    rows = calls.filter(party__in=page.parties.values("pk")).order_by("-called_at", "-pk")
    return list(rows.select_related("case", "party", "commitment", "recorded_by")[:CALLS_SHOWN])


def _with_columns(rows: CaseQuerySet) -> CaseQuerySet:
    return rows.only(*queues.COLUMNS_OF_CASE, "closed_at", "date_of_injury").annotate(
        titles_json=list_column(**TITLES), worker_name=queues.party_name(PartyRole.EMPLOYEE)
    )
