"""Corrects typing errors and the received date of an application that was already saved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from accounts.versions import Versioned
from cases.models import Application, Case, DisputedItem, Event, URDecision
from cases.services import case_deadlines
from deadlines.days import local_day
from directory.names import fold_number
from intake.policies import why_not_correct_intake, why_not_correct_received

from .receiving import ItemOnForm, fold_claim_number

# The fields that a clerk may correct, by the model that holds them. Parties have their own page.
CASE_FIELDS = (
    "claim_number",
    "claim_number_normal",
    "date_of_injury",
    "diagnosis",
    "sex",
    "eams_number",
    "wcis_number",
)
APPLICATION_FIELDS = (
    "channel",
    "signed_by",
    "signed_on",
    "consent_on",
    "designated_on",
    "ur_decision_attached",
    "copy_certified",
)
UR_DECISION_FIELDS = (
    "claim_number_normal",
    "decided_on",
    "reference",
    "reference_normal",
    "ur_type",
    "served_on",
    "service_method",
    "requested_on",
    "liability_disputed",
    "liability_reason",
    "denied_for_missing_information",
)


@transaction.atomic
def correct_received_date(
    *,
    case_id: int,
    received_at: datetime,
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> Case:
    """Correct the date and time of receipt; a running screening deadline is counted again.

    The event keeps the old and the new time, who corrected it and why.

    :raises NotAllowed: not allowed for this user, no reason, nothing changed, or a date that is
        in the future or before the UR decision.
    :raises Stale: someone changed the case after the page was opened.
    """
    # Lock before checking: the eligibility decision could otherwise come in between.
    case: Case = Case.objects.lock(case_id)
    refuse_if(why_not_correct_received(by, case))
    case.refuse_if_stale(seen_version)
    refuse_if("" if why.strip() else "Enter the reason for the correction.")
    old, new_day = case.received_at, local_day(received_at)
    refuse_if("The received date is in the future. Check the stamp." if received_at > at else "")
    refuse_if("This is already the received date on file." if received_at == old else "")
    decided_on = case.ur_decision.decided_on if case.ur_decision else None
    if decided_on and decided_on > new_day:
        raise NotAllowed("The UR decision is dated after this day. Check both dates.")
    paper = Application.objects.select_for_update().get(case=case)
    case.received_at, case.received_on = received_at, new_day
    case.store(by=by, at=at, why=why, fields=["received_at", "received_on"])
    # The application has its own copy of this time, and the two must not differ.
    paper.received_at = received_at
    paper.store(by=by, at=at, why=why, fields=["received_at"])
    Event.objects.create(
        case=case,
        kind=Event.Kind.RECEIVED_CORRECTED,
        happened_at=at,
        by=by,
        sentence=f"Received date corrected to {new_day:%m/%d/%Y} from {local_day(old):%m/%d/%Y}."
        if old
        else f"Received date set to {new_day:%m/%d/%Y}.",
        why=why,
        facts={"old": old.isoformat() if old else "", "new": received_at.isoformat()},
    )
    # A deadline that is already satisfied stays as it was; only a running one is counted again.
    running = case.deadlines.filter(
        deadline_kind=case_deadlines.SCREENING,
        round=case.round,
        met_at__isnull=True,
        replaced_at__isnull=True,
    )
    if running.exists():
        given = {"received": new_day.isoformat()}
        case_deadlines.start_deadline(
            case=case, deadline_kind=case_deadlines.SCREENING, given=given, by=by, at=at
        )
    return case


@transaction.atomic
def correct_application(
    *,
    case_id: int,
    values: Mapping[str, Any],
    items: Mapping[int, ItemOnForm],
    added: Sequence[ItemOnForm] = (),
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> list[str]:
    """Correct typing errors before eligibility is decided; every version is kept.

    An item keeps its number, state and history, whatever the order in which items are sent.

    :param values: new values by name, of ``CASE_FIELDS``, ``APPLICATION_FIELDS`` and
        ``UR_DECISION_FIELDS``.
    :param items: the values of each disputed item on file, by its id; all must be given.
    :param added: items that were not entered before; they follow those on file.
    :returns: the names of the changed fields; empty if nothing changed.
    :raises NotAllowed: not allowed for this user, another case disputes the same UR decision, an
        item belongs to another case, or an item is missing.
    :raises Stale: someone changed the case after the page was opened.
    """
    case: Case = Case.objects.lock(case_id)
    refuse_if(why_not_correct_intake(by, case))
    case.refuse_if_stale(seen_version)
    facts: dict[str, list[str]] = {}
    paper = Application.objects.select_for_update().get(case=case)
    rows: list[tuple[Versioned, tuple[str, ...]]] = [
        (case, CASE_FIELDS),
        (paper, APPLICATION_FIELDS),
    ]
    if case.ur_decision_id is not None:
        decision = URDecision.objects.select_for_update().get(pk=case.ur_decision_id)
        _refuse_shared_decision(case, decision, values)
        rows.append((decision, UR_DECISION_FIELDS))
    # Keep the normalized copies, which searches and comparisons use, equal to the typed values.
    if "claim_number" in values:
        values = {**values, "claim_number_normal": fold_claim_number(text=values["claim_number"])}
    if "reference" in values:
        values = {**values, "reference_normal": fold_number(values["reference"])}
    for row, names in rows:
        new = {name: values[name] for name in names if name in values}
        _store_changes(row, new, facts, why, by, at)
    _correct_items(case, items, facts, why, by, at)
    _add_items(case, added, facts, why, by, at)
    if facts:
        Event.objects.create(
            case=case,
            kind=Event.Kind.CHANGED,
            happened_at=at,
            by=by,
            sentence=f"Corrected: {', '.join(facts)}.",
            why=why,
            facts=facts,
        )
    return list(facts)


def _refuse_shared_decision(case: Case, decision: URDecision, values: Mapping[str, Any]) -> None:
    """Refuse to change which UR decision is disputed while another case disputes the same one.

    Such a pair has to be resolved as a possible duplicate first.
    """
    identity = {
        "claim_number_normal": fold_claim_number(
            text=values.get("claim_number", case.claim_number)
        ),
        "decided_on": values.get("decided_on", decision.decided_on),
        "reference_normal": fold_number(values.get("reference", decision.reference)),
    }
    if all(getattr(decision, name) == value for name, value in identity.items()):
        return
    other = decision.cases.exclude(pk=case.pk).first()
    same = URDecision.objects.filter(**identity).exclude(pk=decision.pk).first()
    # Forms without a claim number share the empty text, which proves nothing.
    if same is not None and identity["claim_number_normal"]:
        other = other or same.cases.first()
    if other is not None:
        raise NotAllowed(
            f"{other.number} disputes the same UR decision. Resolve the possible duplicate first. "
            "Then correct the claim number, the date or the reference."
        )


def _store_changes(
    row: Versioned,
    values: dict[str, Any],
    facts: dict[str, list[str]],
    why: str,
    by: User,
    at: datetime,
) -> None:
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        if not name.endswith("_normal"):  # normalized copies are not worth mentioning
            facts[name.replace("_", " ")] = [
                _format_value(getattr(row, name)),
                _format_value(value),
            ]
        setattr(row, name, value)
    row.store(by=by, at=at, why=why or "Corrected", fields=list(changed))


def _correct_items(
    case: Case,
    items: Mapping[int, ItemOnForm],
    facts: dict[str, list[str]],
    why: str,
    by: User,
    at: datetime,
) -> None:
    rows = {row.pk: row for row in case.items.order_by("position")}
    if set(items) - set(rows):
        raise NotAllowed("One of these treatments belongs to another case. Reload the page.")
    for row in rows.values():
        # A disputed item cannot vanish by clearing a row: to withdraw it is an action with a
        # reason.
        if row.pk not in items:
            raise NotAllowed(
                f"Treatment {row.position}, “{row.title}”, was cleared. To remove a treatment, "
                "withdraw it on the page of the case."
            )
        values = _item_columns(items[row.pk])
        changed = [name for name in values if getattr(row, name) != values[name]]
        if changed:
            facts[f"treatment {row.position}"] = [row.title, values["title"]]
            for name in changed:
                setattr(row, name, values[name])
            row.store(by=by, at=at, why=why or "Corrected", fields=changed)


def _add_items(
    case: Case,
    added: Sequence[ItemOnForm],
    facts: dict[str, list[str]],
    why: str,
    by: User,
    at: datetime,
) -> None:
    # Positions are never used twice, so count from the highest one.
    last = case.items.aggregate(last=Max("position"))["last"] or 0
    for position, item in enumerate(added, start=last + 1):
        DisputedItem(case=case, position=position, **_item_columns(item)).store(
            by=by, at=at, why=why or "Corrected"
        )
        facts[f"treatment {position}"] = ["", item.title]


def _item_columns(item: ItemOnForm) -> dict[str, Any]:
    return {
        "title": item.title,
        "category_id": item.category_id,
        "requested_quantity": item.quantity,
        "unit": item.unit,
        "body_part": item.body_part,
    }


def _format_value(value: Any) -> str:
    return "" if value is None else str(value)
