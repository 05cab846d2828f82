"""Records the sources that the UR decision cites for each disputed item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import AdministratorCitation, Case, DisputedItem, Event
from eligibility import policies
from guidelines.citations import Citation


@dataclass(frozen=True)
class AdministratorCitations:
    """The sources that the claims administrator cited for one item.

    :ivar nothing: a person has stated that no source is cited.
    """

    citations: Sequence[Citation] = ()
    nothing: bool = False


@transaction.atomic
def record_administrator_citations(
    *,
    item_id: int,
    cited: AdministratorCitations,
    seen_version: int | None = None,
    by: User | None,
    at: datetime,
) -> DisputedItem:
    """Record the sources that the UR decision cites for an item, replacing earlier entries.

    The letter prints them, so a person has to state explicitly that no source is cited. Replaced
    entries stay in the history.

    :param seen_version: the version of the item that the page showed.
    :raises NotAllowed: wrong role, the case is decided, or neither a source nor "nothing".
    :raises Stale: someone else changed the item in between.
    """
    case_id = DisputedItem.objects.values_list("case_id", flat=True).get(pk=item_id)
    case = Case.objects.lock(case_id)
    # Read after locking the case, so that the version compared below is the current one.
    item = DisputedItem.objects.get(pk=item_id)
    if by is not None:
        refuse_if(policies.why_not_record_citations(by, case))
    item.refuse_if_stale(seen_version)
    if bool(cited.citations) == cited.nothing:
        refuse_if("Enter at least one source, or select that the UR decision cites no source.")
    for old in item.administrator_citations.filter(removed_at__isnull=True):
        old.removed_at = at
        old.store(by=by, at=at, why="Replaced", fields=["removed_at"])
    AdministratorCitation.objects.bulk_store(
        [
            AdministratorCitation(
                item=item,
                position=position,
                source=one.source,
                mtus=one.mtus,
                chapter_topic=one.chapter,
                edition=one.edition,
                edition_suffix=one.edition_suffix,
                sections=list(one.sections),
                pages=one.pages,
                as_printed=one.as_printed,
            )
            for position, one in enumerate(cited.citations, start=1)
        ],
        by=by,
        at=at,
    )
    item.administrator_cites_nothing = cited.nothing
    item.store(by=by, at=at, fields=["administrator_cites_nothing"])
    count = len(cited.citations)
    count_words = "no source" if cited.nothing else f"{count} source{'' if count == 1 else 's'}"
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence=f"Item {item.position}: the UR decision cites {count_words}.",
    )
    return item


def find_stated_citations(item: DisputedItem) -> AdministratorCitations | None:
    """Find the recorded sources of an item; ``None`` if nothing was recorded yet.

    Makes one query unless the citations are prefetched.
    """
    # Filtered in Python, because a filter in the query would ignore prefetched rows.
    rows = [row for row in item.administrator_citations.all() if row.removed_at is None]
    if not rows and not item.administrator_cites_nothing:
        return None
    ordered = sorted(rows, key=lambda row: row.position)
    return AdministratorCitations([row.citation() for row in ordered], not rows)
