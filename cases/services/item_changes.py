"""Changing the disputed items of an accepted case: one person proposes, another decides.

What stands in an item is what the determination answers, so after acceptance no one changes it
alone. The second person sees before and after side by side; both stay on file, and so does the
reason of a refusal.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.refusals import StaleForm, refuse
from cases import policies
from cases.models import Case, DisputedItem, Event, ItemChange, TreatmentCategory

from . import endings

_LABELS = {
    "title": "Disputed treatment",
    "category": "Category",
    "body_part": "Body part",
    "side": "Side",
    "level": "Level",
    "requested_quantity": "Quantity",
    "unit": "Unit",
    "service_from": "Service from",
    "service_to": "Service to",
    "is_experimental": "Experimental",
}
_MATCHED_BY = ("category", "body_part", "is_experimental")
_SAID = {True: "Yes", False: "No", None: ""}


class ProposalOutdated(StaleForm):
    """The item changed after the change was proposed; the message says what to do."""


@dataclass(frozen=True)
class ItemFacts:
    """What an item says, as far as two people may change it."""

    title: str
    category_id: int | None = None
    body_part: str = ""
    side: str = ""
    level: str = ""
    requested_quantity: Decimal | None = None
    unit: str = ""
    service_from: date | None = None
    service_to: date | None = None
    is_experimental: bool | None = None  # as the UR decision calls it; None: it does not say


@dataclass(frozen=True)
class Difference:
    """One field before and after, in words."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@transaction.atomic
def propose_change(
    *, item_id: int, facts: ItemFacts, seen_version: int | None, why: str, by: User, at: datetime
) -> ItemChange:
    """Propose that an item says something else.

    :param seen_version: the version of the item that the page showed.
    :raises NotAllowed: wrong role or state, an open proposal, nothing changed, or no reason.
    :raises Stale: the item changed since the page was loaded.
    """
    case, item = _lock_item(item_id)
    refuse(policies.why_not_propose_item_change(by, case, item))
    item.refuse_if_stale(seen_version)
    _refuse_incomplete(facts, why)
    before, after = _stored(_facts_of(item)), _stored(facts)
    refuse("" if before != after else "Nothing was changed.")
    if any(before[name] != after[name] for name in _MATCHED_BY):
        refuse(policies.why_not_match_anew(case))
    return _propose(case, ItemChange.Kind.CHANGE, item, before, after, why, by=by, at=at)


@transaction.atomic
def propose_item(*, case_id: int, facts: ItemFacts, why: str, by: User, at: datetime) -> ItemChange:
    """Propose one more disputed item.

    :raises NotAllowed: wrong role or state, no words, or no reason.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_add_item(by, case))
    _refuse_incomplete(facts, why)
    return _propose(case, ItemChange.Kind.ADD, None, {}, _stored(facts), why, by=by, at=at)


@transaction.atomic
def propose_withdrawal(
    *, item_id: int, seen_version: int | None, why: str, by: User, at: datetime
) -> ItemChange:
    """Propose that an item is withdrawn; the other items go on.

    :raises NotAllowed: wrong role or state, an open proposal, or no reason.
    :raises Stale: the item changed since the page was loaded.
    """
    case, item = _lock_item(item_id)
    refuse(policies.why_not_propose_item_change(by, case, item))
    item.refuse_if_stale(seen_version)
    refuse("" if why.strip() else "Say why.")
    before = _stored(_facts_of(item))
    return _propose(case, ItemChange.Kind.WITHDRAW, item, before, {}, why, by=by, at=at)


@transaction.atomic
def accept_change(*, change_id: int, by: User, at: datetime) -> ItemChange:
    """Agree, as a second person: the item changes now, with both people on file.

    When the last pending item is withdrawn, the case is.

    :raises NotAllowed: the proposer themself, wrong role, decided already, or the case moved on.
    :raises ProposalOutdated: the item is no longer what the proposer changed.
    """
    change, case, item = _lock_change(change_id)
    refuse(policies.why_not_decide_item_change(by, change))
    refuse(policies.why_not_change_items(case))
    if item is not None and (item.version != change.item_version or not _is_pending(item)):
        raise ProposalOutdated(
            f"Item {item.position} has changed since this was proposed. "
            "Refuse the proposal, and let it be made again on what stands now."
        )
    if change.kind == ItemChange.Kind.ADD:
        refuse(_why_not_matched(case, change))
        item = change.item = _add(case, change, by=by, at=at)
    elif change.kind == ItemChange.Kind.CHANGE:
        assert item is not None  # noqa: S101 - the database holds it
        refuse(_why_not_matched(case, change))
        _apply(item, change, by=by, at=at)
    assert item is not None  # noqa: S101 - the database holds it
    _settle(change, ItemChange.State.ACCEPTED, "", by=by, at=at)
    _record(case, Event.Kind.ITEM_CHANGED, _done(change, item), change, by=by, at=at)
    if change.kind == ItemChange.Kind.WITHDRAW:
        _withdraw(case, item, change, by=by, at=at)
    else:
        # Whoever has the case open has not seen these items.
        case.store(by=by, at=at, why=change.why, fields=[])
    return change


@transaction.atomic
def refuse_change(*, change_id: int, because: str, by: User, at: datetime) -> ItemChange:
    """Say no, with the reason; nothing changes but the proposal.

    :raises NotAllowed: the proposer themself, wrong role, decided already, or no reason.
    """
    change, case, _ = _lock_change(change_id)
    refuse(policies.why_not_decide_item_change(by, change))
    refuse("" if because.strip() else "Say why the change is refused.")
    _settle(change, ItemChange.State.REFUSED, because.strip()[:500], by=by, at=at)
    _record(
        case,
        Event.Kind.ITEM_CHANGE_REFUSED,
        f"Refused: {_wanted(change)}.",
        change,
        why=change.decided_because,
        by=by,
        at=at,
    )
    return change


def differences(change: ItemChange) -> list[Difference]:
    """Every field before and after, for the page: also those that stay. No queries."""
    return [
        Difference(label, _words(change.before, name), _words(change.after, name))
        for name, label in _LABELS.items()
        if _words(change.before, name) or _words(change.after, name)
    ]


def _lock_item(item_id: int) -> tuple[Case, DisputedItem]:
    case_id = DisputedItem.objects.values_list("case_id", flat=True).get(pk=item_id)
    case = Case.objects.lock(case_id)
    return case, DisputedItem.objects.select_related("category").get(pk=item_id)


def _lock_change(change_id: int) -> tuple[ItemChange, Case, DisputedItem | None]:
    case_id = ItemChange.objects.values_list("case_id", flat=True).get(pk=change_id)
    case = Case.objects.lock(case_id)
    change: ItemChange = ItemChange.objects.get(pk=change_id)
    item = DisputedItem.objects.get(pk=change.item_id) if change.item_id else None
    return change, case, item


def _is_pending(item: DisputedItem) -> bool:
    return item.ending == DisputedItem.Ending.PENDING


def _refuse_incomplete(facts: ItemFacts, why: str) -> None:
    refuse("" if facts.title.strip() else "Say which treatment is in dispute.")
    if facts.service_to and (facts.service_from is None or facts.service_to < facts.service_from):
        refuse("The last day of service comes before the first. Check both.")
    if facts.requested_quantity is not None and facts.requested_quantity <= 0:
        refuse("The quantity has to be more than nothing.")
    refuse("" if why.strip() else "Say why.")


def _why_not_matched(case: Case, change: ItemChange) -> str:
    """The reviewer may have been chosen after the change was proposed."""
    if any(change.before.get(name) != change.after.get(name) for name in _MATCHED_BY):
        return policies.why_not_match_anew(case)
    return ""


def _facts_of(item: DisputedItem) -> ItemFacts:
    return ItemFacts(**{name: getattr(item, name) for name in ItemFacts.__dataclass_fields__})


def _stored(facts: ItemFacts) -> dict[str, Any]:
    """The facts as a change keeps them: texts, and the category with its name of today."""
    said = asdict(facts)
    category_id = said.pop("category_id")
    category = TreatmentCategory.objects.filter(pk=category_id).first() if category_id else None
    quantity = said["requested_quantity"]
    return {
        **said,
        "title": facts.title.strip(),
        "category": {"id": category.pk, "name": category.name} if category else None,
        "requested_quantity": f"{quantity.normalize():f}" if quantity is not None else None,
        "service_from": facts.service_from.isoformat() if facts.service_from else None,
        "service_to": facts.service_to.isoformat() if facts.service_to else None,
    }


def _read(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A change's facts as fields of an item."""
    quantity, category = stored["requested_quantity"], stored["category"]
    return {
        **{name: stored[name] for name in ("title", "body_part", "side", "level", "unit")},
        "category_id": category["id"] if category else None,
        "is_experimental": stored.get("is_experimental"),  # older changes do not speak of it
        "requested_quantity": Decimal(quantity) if quantity is not None else None,
        **{
            name: date.fromisoformat(stored[name]) if stored[name] else None
            for name in ("service_from", "service_to")
        },
    }


def _words(stored: Mapping[str, Any], name: str) -> str:
    value = stored.get(name)
    if name == "is_experimental":
        return _SAID[value]
    if not value:
        return ""
    if name == "category":
        return str(value["name"])
    if name == "side":
        return DisputedItem.Side(value).label
    if name in {"service_from", "service_to"}:
        return f"{date.fromisoformat(value):%m/%d/%Y}"
    return str(value)


def _propose(
    case: Case,
    kind: ItemChange.Kind,
    item: DisputedItem | None,
    before: dict[str, Any],
    after: dict[str, Any],
    why: str,
    *,
    by: User,
    at: datetime,
) -> ItemChange:
    change = ItemChange(
        case=case,
        kind=kind,
        item=item,
        item_version=item.version if item else None,
        before=before,
        after=after,
        why=why.strip()[:500],
        proposed_by=by,
        proposed_at=at,
    ).store(by=by, at=at, why=why)
    _record(
        case, Event.Kind.ITEM_CHANGE_ASKED, f"Proposed: {_wanted(change)}.", change, by=by, at=at
    )
    return change


def _add(case: Case, change: ItemChange, *, by: User, at: datetime) -> DisputedItem:
    last = case.items.aggregate(last=Max("position"))["last"] or 0
    return DisputedItem(case=case, position=last + 1, **_read(change.after)).store(
        by=by, at=at, why=change.why
    )


def _apply(item: DisputedItem, change: ItemChange, *, by: User, at: datetime) -> None:
    changed = [name for name, value in _read(change.after).items() if getattr(item, name) != value]
    for name in changed:
        setattr(item, name, _read(change.after)[name])
    item.store(by=by, at=at, why=change.why, fields=changed)


def _withdraw(
    case: Case, item: DisputedItem, change: ItemChange, *, by: User, at: datetime
) -> None:
    others = case.items.filter(ending=DisputedItem.Ending.PENDING).exclude(pk=item.pk)
    if not others.exists():
        endings.withdraw(case_id=case.pk, reason=change.why[:300], by=by, at=at)
        return
    endings.end_item(
        item=item, ending=DisputedItem.Ending.WITHDRAWN, reason=change.why, by=by, at=at
    )
    case.store(by=by, at=at, why=change.why, fields=[])


def _settle(
    change: ItemChange, state: ItemChange.State, because: str, *, by: User, at: datetime
) -> None:
    change.state, change.decided_by, change.decided_at = state, by, at
    change.decided_because = because
    change.store(
        by=by,
        at=at,
        why=because,
        fields=["item", "state", "decided_by", "decided_at", "decided_because"],
    )


def _wanted(change: ItemChange) -> str:
    if change.kind == ItemChange.Kind.ADD:
        return f"one more item, “{change.after['title']}”"
    assert change.item is not None  # noqa: S101 - the database holds it
    if change.kind == ItemChange.Kind.WITHDRAW:
        return f"item {change.item.position} withdrawn, “{change.before['title']}”"
    changed = [one.label.lower() for one in differences(change) if one.differs]
    return f"item {change.item.position} changed in {', '.join(changed)}"


def _done(change: ItemChange, item: DisputedItem) -> str:
    if change.kind == ItemChange.Kind.ADD:
        return f"Item {item.position} added, “{item.title}”, as proposed."
    if change.kind == ItemChange.Kind.WITHDRAW:
        return f"Item {item.position} withdrawn, as proposed."
    return f"Item {item.position} changed, as proposed."


def _record(
    case: Case,
    kind: Event.Kind,
    sentence: str,
    change: ItemChange,
    *,
    why: str = "",
    by: User,
    at: datetime,
) -> Event:
    changes = [[one.label, one.before, one.after] for one in differences(change) if one.differs]
    return Event.objects.create(
        case=case,
        kind=kind,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why or change.why,
        facts={
            "item_change": change.pk,
            "item": change.item_id,
            "proposed_by": change.proposed_by_id,
            "changes": [] if change.kind == ItemChange.Kind.WITHDRAW else changes,
        },
    )
