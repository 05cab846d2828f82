"""Changes to the disputed items of an accepted case: one person proposes, another decides.

The determination answers the items, so after acceptance nobody changes them alone. The second
person sees the values before and after. Both stay on record, with the reason of a refusal.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import StaleForm, refuse_if
from cases import policies
from cases.application_cases import find_last_position
from cases.consolidated_items import CONSOLIDATED, find_deciding_case, list_decided_items
from cases.models import Case, CaseLink, DisputedItem, Event, ItemChange, TreatmentCategory
from deadlines.calendars import format_day

from . import drafting, endings

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
_MATCHED_BY = ("category", "body_part", "is_experimental")  # a reviewer is chosen by these
_YES_OR_NO = {True: "Yes", False: "No", None: ""}


class ProposalOutdated(StaleForm):
    """The item changed after the proposal; the message says what to do."""


@dataclass(frozen=True)
class ItemValues:
    """The fields of an item that two people may change."""

    title: str
    category_id: int | None = None
    body_part: str = ""
    side: str = ""
    level: str = ""
    requested_quantity: Decimal | None = None
    unit: str = ""
    service_from: date | None = None
    service_to: date | None = None
    is_experimental: bool | None = None  # as the UR decision states it; None: not stated


@dataclass(frozen=True)
class Difference:
    """One field before and after the change, as text."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@transaction.atomic
def propose_item_change(
    *, item_id: int, facts: ItemValues, seen_version: int | None, why: str, by: User, at: datetime
) -> ItemChange:
    """Propose new values for an item.

    :param seen_version: the version of the item that the page showed.
    :raises NotAllowed: wrong role or state, an open proposal, nothing changed, or no reason.
    :raises Stale: the item changed since the page was loaded.
    """
    case, item = _lock_item(item_id)
    refuse_if(policies.why_not_propose_item_change(by, case, item))
    # The proposer must have seen the values that the proposal would replace.
    item.refuse_if_stale(seen_version)
    _refuse_incomplete(facts, why)
    before, after = _to_stored_facts(_facts_of(item)), _to_stored_facts(facts)
    refuse_if("" if before != after else "Nothing was changed.")
    # A new category or body part may require another specialty than the reviewer’s.
    if any(before[name] != after[name] for name in _MATCHED_BY):
        refuse_if(policies.why_not_change_matching(case))
    return _store_proposal(case, ItemChange.Kind.CHANGE, item, before, after, why, by=by, at=at)


@transaction.atomic
def propose_item(
    *, case_id: int, facts: ItemValues, why: str, by: User, at: datetime
) -> ItemChange:
    """Propose an additional disputed item.

    :raises NotAllowed: wrong role or state, no title, or no reason.
    """
    case = _lock_with_lead(case_id)
    refuse_if(policies.why_not_add_item(by, case))
    _refuse_incomplete(facts, why)
    return _store_proposal(
        case, ItemChange.Kind.ADD, None, {}, _to_stored_facts(facts), why, by=by, at=at
    )


@transaction.atomic
def propose_item_withdrawal(
    *, item_id: int, seen_version: int | None, why: str, by: User, at: datetime
) -> ItemChange:
    """Propose to withdraw an item. The other items continue.

    :raises NotAllowed: wrong role or state, an open proposal, or no reason.
    :raises Stale: the item changed since the page was loaded.
    """
    case, item = _lock_item(item_id)
    refuse_if(policies.why_not_propose_item_change(by, case, item))
    item.refuse_if_stale(seen_version)
    refuse_if("" if why.strip() else "Enter why.")
    before = _to_stored_facts(_facts_of(item))
    return _store_proposal(case, ItemChange.Kind.WITHDRAW, item, before, {}, why, by=by, at=at)


@transaction.atomic
def accept_item_change(*, change_id: int, by: User, at: datetime) -> ItemChange:
    """Accept a proposed change as a second person, and change the item.

    Withdrawing the last pending item withdraws the case.

    :raises NotAllowed: same person, wrong role, already decided, or wrong state of the case.
    :raises ProposalOutdated: the item changed after the proposal.
    """
    change, case, item = _lock_change(change_id)
    refuse_if(policies.why_not_decide_item_change(by, change))
    # The case may have moved on since the proposal.
    refuse_if(policies.why_not_change_items(case))
    # Before the change, because withdrawing the last item ends a consolidated case.
    deciding = find_deciding_case(case)
    # The second person decides about the values on the page, so they must be current.
    if item is not None and (_differs_from_proposal(item, change) or not _is_pending(item)):
        raise ProposalOutdated(
            f"Item {item.position} has changed since this was proposed. "
            "Refuse the proposal and ask for a new one."
        )
    if change.kind == ItemChange.Kind.ADD:
        # A reviewer may have been chosen after the proposal, without regard to this item.
        refuse_if(_why_not_matched(case, change))
        item = change.item = _add_proposed_item(case, change, by=by, at=at)
    elif change.kind == ItemChange.Kind.CHANGE:
        assert item is not None  # noqa: S101 - the database holds it
        refuse_if(_why_not_matched(case, change))
        _apply_proposed_change(item, change, by=by, at=at)
    assert item is not None  # noqa: S101 - the database holds it
    _store_decision(change, ItemChange.State.ACCEPTED, "", by=by, at=at)
    event = _record_item_event(
        case, Event.Kind.ITEM_CHANGED, _describe_result(change, item), change, by=by, at=at
    )
    # Last, because ending the last pending item ends the case.
    if change.kind == ItemChange.Kind.WITHDRAW:
        _withdraw_proposed_item(case, item, change, by=by, at=at)
    else:
        # A new version of the case, so that pages opened before this change are refused.
        case.store(by=by, at=at, why=change.why, fields=[])
    if deciding.pk != case.pk:
        deciding.store(by=by, at=at, why=f"Item changed in {case.number}", fields=[])
    # The notices list the treatments. A person decides whether the correction is sent.
    remaining = list_decided_items(deciding).filter(ending=DisputedItem.Ending.PENDING)
    if _changes_list(change) and remaining.exists():
        drafting.propose_letter(event=event, about=deciding, by=by, at=at)
    return change


@transaction.atomic
def refuse_item_change(*, change_id: int, reason: str, by: User, at: datetime) -> ItemChange:
    """Refuse a proposed change, with the reason. The item does not change.

    :raises NotAllowed: same person, wrong role, already decided, or no reason.
    """
    # Unlike accepting, this is allowed in every state, so that no proposal stays open.
    change, case, _ = _lock_change(change_id)
    refuse_if(policies.why_not_decide_item_change(by, change))
    refuse_if("" if reason.strip() else "Enter why the change is refused.")
    _store_decision(change, ItemChange.State.REFUSED, reason.strip()[:500], by=by, at=at)
    _record_item_event(
        case,
        Event.Kind.ITEM_CHANGE_REFUSED,
        f"Refused: {_describe_proposal(change)}.",
        change,
        why=change.decided_because,
        by=by,
        at=at,
    )
    return change


def list_item_differences(change: ItemChange) -> list[Difference]:
    """List every field before and after, including unchanged ones. No queries."""
    return [
        Difference(
            label,
            _format_stored_field(change.before, name),
            _format_stored_field(change.after, name),
        )
        for name, label in _LABELS.items()
        if _format_stored_field(change.before, name) or _format_stored_field(change.after, name)
    ]


def _lock_item(item_id: int) -> tuple[Case, DisputedItem]:
    """Lock the case of an item, then read the item."""
    # The case is locked, not the item, so that all changes of its items wait for each other.
    case_id = DisputedItem.objects.values_list("case_id", flat=True).get(pk=item_id)
    case = _lock_with_lead(case_id)
    return case, DisputedItem.objects.select_related("category").get(pk=item_id)


def _lock_change(change_id: int) -> tuple[ItemChange, Case, DisputedItem | None]:
    """Lock the case of a change, then read the change and its item."""
    case_id = ItemChange.objects.values_list("case_id", flat=True).get(pk=change_id)
    case = _lock_with_lead(case_id)
    change: ItemChange = ItemChange.objects.get(pk=change_id)
    item = DisputedItem.objects.get(pk=change.item_id) if change.item_id else None
    return change, case, item


def _lock_with_lead(case_id: int) -> Case:
    """Lock a case, after the lead of its consolidation, whose stage decides what may change."""
    # The lead first, as in the services of consolidation.
    links = CaseLink.objects.filter(kind=CONSOLIDATED, ended_at=None, case=case_id)
    Case.objects.filter(pk__in=links.values("other")).lock_first()
    return Case.objects.lock(case_id)


def _is_pending(item: DisputedItem) -> bool:
    return item.ending == DisputedItem.Ending.PENDING


def _refuse_incomplete(facts: ItemValues, why: str) -> None:
    """Refuse a proposal whose values are missing or inconsistent."""
    refuse_if("" if facts.title.strip() else "Enter the disputed treatment.")
    if facts.service_to and (facts.service_from is None or facts.service_to < facts.service_from):
        refuse_if("The last day of service is before the first. Check both dates.")
    if facts.requested_quantity is not None and facts.requested_quantity <= 0:
        refuse_if("The quantity must be more than 0.")
    refuse_if("" if why.strip() else "Enter why.")


def _why_not_matched(case: Case, change: ItemChange) -> str:
    """Check the matching fields again: a reviewer may have been chosen after the proposal."""
    if any(change.before.get(name) != change.after.get(name) for name in _MATCHED_BY):
        return policies.why_not_change_matching(case)
    return ""


def _differs_from_proposal(item: DisputedItem, change: ItemChange) -> bool:
    """Return whether a field that two people change is not as it was when this was proposed.

    Fields and not versions are compared, because other work, such as entering what the UR decision
    cites, stores a new version of the item too.
    """
    now = _to_stored_facts(_facts_of(item))
    return any(_read_key(now, name) != _read_key(change.before, name) for name in _LABELS)


def _read_key(stored: Mapping[str, Any], name: str) -> Any:
    """Return a stored value for comparison; of a category its id, because it may be renamed."""
    value = stored.get(name)
    return value["id"] if name == "category" and value else value


def _changes_list(change: ItemChange) -> bool:
    """Return whether the treatments as listed in letters change: a title, or which items."""
    return change.before.get("title") != change.after.get("title")


def _facts_of(item: DisputedItem) -> ItemValues:
    return ItemValues(**{name: getattr(item, name) for name in ItemValues.__dataclass_fields__})


def _to_stored_facts(facts: ItemValues) -> dict[str, Any]:
    """Convert facts to stored values: text, and the category with its present name."""
    values = asdict(facts)
    category_id = values.pop("category_id")
    categories = TreatmentCategory.objects.select_related("parent")
    category = categories.filter(pk=category_id).first() if category_id else None
    quantity = values["requested_quantity"]
    return {
        **values,
        "title": facts.title.strip(),
        # With the name, so that the proposal stays readable if the category is renamed.
        "category": {"id": category.pk, "name": category.full_name} if category else None,
        # 30 and 30.00 must not count as a change.
        "requested_quantity": f"{quantity.normalize():f}" if quantity is not None else None,
        "service_from": facts.service_from.isoformat() if facts.service_from else None,
        "service_to": facts.service_to.isoformat() if facts.service_to else None,
    }


def _read_stored_facts(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the stored values of a change to fields of an item."""
    quantity, category = stored["requested_quantity"], stored["category"]
    return {
        **{name: stored[name] for name in ("title", "body_part", "side", "level", "unit")},
        "category_id": category["id"] if category else None,
        "is_experimental": stored.get("is_experimental"),  # older changes lack it
        "requested_quantity": Decimal(quantity) if quantity is not None else None,
        **{
            name: date.fromisoformat(stored[name]) if stored[name] else None
            for name in ("service_from", "service_to")
        },
    }


def _format_stored_field(stored: Mapping[str, Any], name: str) -> str:
    """Format one stored field for the page."""
    value = stored.get(name)
    # Before the test for empty values, because False is an answer here.
    if name == "is_experimental":
        return _YES_OR_NO[value]
    if not value:
        return ""
    if name == "category":
        return str(value["name"])
    if name == "side":
        return DisputedItem.Side(value).label
    if name in {"service_from", "service_to"}:
        return f"{format_day(date.fromisoformat(value))}"
    return str(value)


def _store_proposal(
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
    """Store a proposal and its event."""
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
    _record_item_event(
        case,
        Event.Kind.ITEM_CHANGE_ASKED,
        f"Proposed: {_describe_proposal(change)}.",
        change,
        by=by,
        at=at,
    )
    return change


def _add_proposed_item(case: Case, change: ItemChange, *, by: User, at: datetime) -> DisputedItem:
    """Add the proposed item after the last one."""
    # Ended items keep their positions, by which letters name them.
    position = find_last_position(case) + 1
    return DisputedItem(case=case, position=position, **_read_stored_facts(change.after)).store(
        by=by, at=at, why=change.why
    )


def _apply_proposed_change(
    item: DisputedItem, change: ItemChange, *, by: User, at: datetime
) -> None:
    """Store the changed fields of an item."""
    changed = [
        name
        for name, value in _read_stored_facts(change.after).items()
        if getattr(item, name) != value
    ]
    for name in changed:
        setattr(item, name, _read_stored_facts(change.after)[name])
    item.store(by=by, at=at, why=change.why, fields=changed)


def _withdraw_proposed_item(
    case: Case, item: DisputedItem, change: ItemChange, *, by: User, at: datetime
) -> None:
    """Withdraw an item, or the case if no other item is pending."""
    others = case.items.filter(ending=DisputedItem.Ending.PENDING).exclude(pk=item.pk)
    if not others.exists():
        endings.withdraw_case(case_id=case.pk, reason=change.why[:300], by=by, at=at)
        return
    endings.end_item(
        item=item, ending=DisputedItem.Ending.WITHDRAWN, reason=change.why, by=by, at=at
    )
    case.store(by=by, at=at, why=change.why, fields=[])


def _store_decision(
    change: ItemChange, state: ItemChange.State, reason: str, *, by: User, at: datetime
) -> None:
    """Store the decision about a proposal."""
    change.state, change.decided_by, change.decided_at = state, by, at
    change.decided_because = reason
    change.store(
        by=by,
        at=at,
        why=reason,
        fields=["item", "state", "decided_by", "decided_at", "decided_because"],
    )


def _describe_proposal(change: ItemChange) -> str:
    """Describe a proposal, as part of a sentence."""
    if change.kind == ItemChange.Kind.ADD:
        return f"add item “{change.after['title']}”"
    assert change.item is not None  # noqa: S101 - the database holds it
    if change.kind == ItemChange.Kind.WITHDRAW:
        return f"withdraw item {change.item.position} “{change.before['title']}”"
    changed = [one.label.lower() for one in list_item_differences(change) if one.differs]
    return f"change item {change.item.position} ({', '.join(changed)})"


def _describe_result(change: ItemChange, item: DisputedItem) -> str:
    """Describe an accepted change."""
    if change.kind == ItemChange.Kind.ADD:
        return f"Item {item.position} “{item.title}” added, as proposed."
    if change.kind == ItemChange.Kind.WITHDRAW:
        return f"Item {item.position} withdrawn, as proposed."
    return f"Item {item.position} changed, as proposed."


def _record_item_event(
    case: Case,
    kind: Event.Kind,
    sentence: str,
    change: ItemChange,
    *,
    why: str = "",
    by: User,
    at: datetime,
) -> Event:
    """Write the event of a proposal or decision."""
    changes = [
        [one.label, one.before, one.after] for one in list_item_differences(change) if one.differs
    ]
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
            # A withdrawal changes no value, although “after” is empty.
            "changes": [] if change.kind == ItemChange.Kind.WITHDRAW else changes,
        },
    )
