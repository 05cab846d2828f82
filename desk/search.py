"""What the search finds: cases, people, organizations, letters, treatments, reviewers, pages.

Each group reads a limited number of rows, by an index or among the newest ones, and is left out for
a person who may not open what it finds. Restricted cases are neither found nor counted, and what is
known only from them is not found either. Staff are never found.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Model, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.models import User
from cases.case_rows import TITLES, list_column, read_list_column
from cases.lifecycle import Status
from cases.models import Case, CaseLetter, DisputedItem, Party, PartyRole
from cases.models.restrictions import HIDDEN_CASES, select_visible
from cases.search import FoundCases, search_cases
from directory.models import OrganizationName, PersonName
from directory.names import fold_name, fold_organization, read_name_query
from letters.kinds import CASE_LETTERS, LetterKind
from letters.models import Letter
from reviewers.models import Reviewer

from . import places, queues
from .places import CaseAction, MayOpen
from .templatetags.page_tags import format_day, format_injury

CASES_SHOWN = 10  # the newest first
SHOWN = 5  # of every other group
PLACES_SHOWN = 8
SHORTEST = 2  # characters; a single letter matches too much to be of use
SHORTEST_WORD = 3  # of a name of a person or organization that an index finds
# Names and rows among which a group looks. More of them than anyone reads, and few to read.
MOST_NAMES = 2000
NEWEST_READ = 20_000


@dataclass(frozen=True)
class Hit:
    """One thing found: its kind, name, address, and what tells it from others.

    :ivar is_number: the label is a case number.
    :ivar name: of a case, the injured worker.
    :ivar titles: of a case, the disputed treatment.
    :ivar case: the case itself, for its tags.
    """

    kind: str
    label: str
    url: str
    detail: str = ""
    is_number: bool = False
    name: str = ""
    titles: str = ""
    case: Case | None = None


@dataclass(frozen=True)
class Group:
    """What was found of one sort.

    :ivar left_out: more that match, not shown.
    :ivar has_more: there may be still more, because only a part was read.
    """

    heading: str
    hits: Sequence[Hit]
    left_out: int = 0
    has_more: bool = False


def search_everything(
    text: str, user: User, may_open: MayOpen, *, number: str = ""
) -> tuple[list[Group], FoundCases, list[Case]]:
    """Find what a person may open, by groups without empty ones. At most eleven queries.

    :param number: of the case whose page the person looks at; actions then lead to it.
    :returns: the groups; all cases found; the cases shown, whose group is the first one.
    """
    found, cases = FoundCases(), list[Case]()
    groups: list[Group] = []
    if len(text) < SHORTEST:
        return groups, found, cases
    if may_open("desk:case"):
        found, cases = find_cases(text, user)
        groups += [
            group_cases(found, cases),
            _find_workers(text, found, user),
            _find_other_people(text, user),
            _find_organizations(text, user),
        ]
    if may_open("correspondence:letter"):
        groups.append(_find_letters(text, user))
    if may_open("desk:case"):
        groups.append(_find_treatments(text, user))
    if may_open("reviewers:reviewer"):
        groups.append(_find_reviewers(text))
    groups += [_find_places(text, may_open), _find_actions(text, may_open, number)]
    return [group for group in groups if group.hits], found, cases


def find_cases(text: str, user: User) -> tuple[FoundCases, list[Case]]:
    """Find cases by number, claim or name, and load the newest of them. Two queries."""
    found = search_cases(text, user)
    rows = Case.objects.visible_to(user).filter(pk__in=found.ids)
    rows = rows.annotate(
        worker_name=queues.party_name(PartyRole.EMPLOYEE), titles_json=list_column(**TITLES)
    )
    return found, list(rows.order_by("-pk")[:CASES_SHOWN])


def group_cases(found: FoundCases, cases: Sequence[Any], action: CaseAction | None = None) -> Group:
    """Return the group of the cases that ``find_cases`` found.

    :param action: lead to the page of this action instead of the case.
    """
    hits = [
        Hit(
            "Case",
            case.number,
            reverse(action.url_name if action else "desk:case", args=[case.number]),
            _describe_case(case),
            is_number=True,
            name=case.worker_name or "",
            titles="; ".join(title for (title,) in read_list_column(case, "titles_json")),
            case=case,
        )
        for case in cases
    ]
    return Group("Cases", hits, len(found.ids) - len(cases), found.has_more)


def _describe_case(case: Case) -> str:
    injured = format_injury(case)
    parts = [
        f"injured {injured}" if injured else "",
        f"claim {case.claim_number}" if case.claim_number else "",
    ]
    return ", ".join(part for part in parts if part)


def _find_workers(text: str, found: FoundCases, user: User) -> Group:
    """Find injured workers by name, among the parties of the cases found. One query."""
    query = read_name_query(text)
    words = [*query.indexed, *query.rest]
    if not words or not found.ids:
        return Group("Injured workers", [])
    rows = select_visible(Party.objects.current(), user).filter(
        case__in=found.ids, role=PartyRole.EMPLOYEE, person__isnull=False
    )
    by_person: dict[int, list[str]] = {}
    for person_id, name, folded in rows.order_by("-pk").values_list(
        "person_id", "name", "name_search"
    ):
        # Cases found by a number or a claim have workers with any name.
        if all(word in folded for word in words):
            by_person.setdefault(person_id, []).append(name)
    hits = [
        Hit(
            "Injured worker",
            names[0],
            reverse("desk:person", args=[person_id]),
            f"{len(names)} case{'' if len(names) == 1 else 's'}",
        )
        for person_id, names in list(by_person.items())[:SHOWN]
    ]
    return Group("Injured workers", hits, len(by_person) - len(hits), found.has_more)


def _find_other_people(text: str, user: User) -> Group:
    """Find physicians, attorneys and representatives by words of their names. Two queries."""
    return _group_parties("Other people", PersonName, "person", fold_name(text).split(), user)


def _find_organizations(text: str, user: User) -> Group:
    """Find parties that are organizations by words of their names. Two queries."""
    words = fold_organization(text).split()
    return _group_parties("Organizations", OrganizationName, "organization", words, user)


def _group_parties(
    heading: str,
    names: type[PersonName | OrganizationName],
    holder: str,
    words: Sequence[str],
    user: User,
) -> Group:
    parties, more = _find_parties(names, holder, words, user)
    hits = [
        Hit(
            party.get_role_display(),
            party.name,
            reverse(f"desk:{holder}", args=[getattr(party, f"{holder}_id")]),
            party.specialty or party.contact,
        )
        for party in parties
    ]
    return Group(heading, hits, has_more=more)


def _find_parties(
    names: type[PersonName | OrganizationName], holder: str, words: Sequence[str], user: User
) -> tuple[list[Party], bool]:
    """Find people or organizations by their names, each with one of its roles on a visible case.

    Injured workers are left out: the index of their names has found them.

    :returns: the parties, and whether there may be more.
    """
    if not any(len(word) >= SHORTEST_WORD for word in words):
        return [], False
    table = names._meta.db_table
    like = " AND ".join("normal LIKE %s" for _ in words)
    statement = (
        # The names are read first, by their index and not more than a few. Then one role of each
        # is looked up, so that an administrator with very many cases costs as little as another.
        f"SELECT party FROM (SELECT (SELECT p.id FROM cases_party p "  # noqa: S608 - ours
        f"WHERE p.{holder}_id = n.{holder}_id AND p.role <> 'EMPLOYEE' AND NOT p.withdrawn "
        "AND NOT EXISTS (SELECT 1 FROM cases_party c WHERE c.corrects_id = p.id) "
        f"AND p.case_id NOT IN ({HIDDEN_CASES}) LIMIT 1) AS party "
        f"FROM (SELECT DISTINCT {holder}_id FROM (SELECT {holder}_id FROM {table} "
        f"WHERE {like} AND NOT withdrawn LIMIT {MOST_NAMES}) AS first_names) AS n) AS found "
        f"WHERE party IS NOT NULL LIMIT {SHOWN + 1}"
    )
    with connection.cursor() as cursor:
        # A folded name has letters and digits only, so nothing in it is a sign of LIKE.
        cursor.execute(statement, [user.pk, *(f"%{word}%" for word in words)])
        ids = [pk for (pk,) in cursor.fetchall()]
    rows = select_visible(Party.objects.filter(pk__in=ids), user).order_by("name", "pk")
    return list(rows[:SHOWN]), len(ids) > SHOWN


def _find_letters(text: str, user: User) -> Group:
    """Find letters by their kind, of a case if its number or a name is typed too.

    At most five queries; none if no word is of a kind of letters.
    """
    kinds, rest = _read_letter_kinds(text)
    if not kinds:
        return Group("Letters", [])
    rows = select_visible(CaseLetter.objects.filter(kind__in=kinds), user)
    rows = rows.exclude(state=CaseLetter.State.DISCARDED).select_related("case")
    if rest:
        found, cases = find_cases(rest, user)
        if not found.ids:
            return Group("Letters", [])
        rows = rows.filter(case__in=cases)
        others = list(_list_other_letters(kinds, cases))
    else:
        rows = rows.filter(pk__gt=_before_newest(CaseLetter))
        others = []
    hits = [
        Hit(
            one.get_kind_display(),
            one.case.number,
            one.get_absolute_url(),
            f"{one.get_state_display().lower()}, {format_day(_day_of(one))}",
            is_number=True,
        )
        for one in rows.order_by("-pk")[: SHOWN + 1]
    ]
    hits = [*others, *hits]
    return Group("Letters", hits[:SHOWN], has_more=len(hits) > SHOWN)


def _read_letter_kinds(text: str) -> tuple[list[LetterKind], str]:
    """Read which kinds of letters are meant, and the rest of the text: a number or a name."""
    words, kinds, rest = re.split(r"\s+", text.strip()), list(LetterKind), []
    for word in words:
        meant = [kind for kind in kinds if places.matches_label(word, kind.label, "letter noarfi")]
        if len(fold_name(word)) >= SHORTEST_WORD and meant:
            kinds = meant
        else:
            rest.append(word)
    return (kinds if len(rest) < len(words) else []), " ".join(rest)


def _list_other_letters(kinds: Sequence[LetterKind], cases: Sequence[Case]) -> Iterator[Hit]:
    """Yield the notices and determinations of cases, newest first. At most one query."""
    kinds = [kind for kind in kinds if kind not in CASE_LETTERS]
    if not kinds:
        return
    letters = Letter.objects.filter(kind__in=kinds, reference__in=[case.number for case in cases])
    for letter in letters.order_by("-created_at", "pk")[: SHOWN + 1]:
        yield Hit(
            str(LetterKind(letter.kind).label),
            letter.reference,
            reverse("desk:letters", args=[letter.reference]),
            f"{letter.get_state_display().lower()}, {format_day(letter.created_at)}",
            is_number=True,
        )


def _day_of(letter: CaseLetter) -> date | datetime:
    return letter.sent_on or letter.drafted_at


def _before_newest(model: type[Model]) -> Coalesce:
    """The id before the newest rows of a table, which are all that a search reads."""
    last = model._default_manager.order_by("-pk").values("pk")[NEWEST_READ : NEWEST_READ + 1]
    return Coalesce(Subquery(last), 0)


def _find_treatments(text: str, user: User) -> Group:
    """Find disputed treatments by their words, among the newest. One query."""
    words = [word for word in text.split() if len(word) >= SHORTEST_WORD]
    if not words:
        return Group("Treatments", [])
    rows = select_visible(
        DisputedItem.objects.filter(pk__gt=_before_newest(DisputedItem)), user
    ).select_related("case")
    for word in words:
        rows = rows.filter(title__icontains=word)
    found = list(rows.order_by("-pk")[: SHOWN + 1])
    hits = [
        Hit(
            "Treatment",
            item.title,
            f"{item.case.get_absolute_url()}#items",
            f"{item.case.number}, {Status(item.case.status).label.lower()}",
        )
        for item in found[:SHOWN]
    ]
    return Group("Treatments", hits, has_more=len(found) > SHOWN)


def _find_reviewers(text: str) -> Group:
    """Find reviewers by name or code. One query; the panel is a small table."""
    rows = Reviewer.objects.all()
    for word in text.split():
        rows = rows.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(code__iexact=word)
        )
    found = list(rows.order_by("code")[: SHOWN + 1])
    hits = [
        Hit("Reviewer", one.full_name, reverse("reviewers:reviewer", args=[one.code]), one.code)
        for one in found[:SHOWN]
    ]
    return Group("Reviewers", hits, has_more=len(found) > SHOWN)


def _find_places(text: str, may_open: MayOpen) -> Group:
    """Find pages by their names in the menu. No queries."""
    sections: Iterable[tuple[str, Iterable[places.Place]]] = [
        *places.PLACES.items(),
        ("Other pages", places.OTHER_PLACES),
    ]
    hits = [
        Hit("Page", place.label, address, section)
        for section, listed in sections
        for place in listed
        if places.matches_label(text, place.label, place.also)
        if (address := places.find_open_address(place, may_open))
    ]
    return Group("Pages", hits[:PLACES_SHOWN], has_more=len(hits) > PLACES_SHOWN)


def _find_actions(text: str, may_open: MayOpen, number: str) -> Group:
    """Find actions on a case: on the case at hand, or with a search for its case. No queries."""
    hits = []
    for action in places.CASE_ACTIONS:
        if places.matches_label(text, action.label, action.also) and may_open(action.url_name):
            url = (
                reverse(action.url_name, args=[number])
                if number
                else f"{reverse('desk:jump')}?action={action.slug}"
            )
            hits.append(Hit("Action", action.label, url, number or "choose the case"))
    return Group("Actions", hits[:PLACES_SHOWN], has_more=len(hits) > PLACES_SHOWN)
