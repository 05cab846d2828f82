"""Corrects typing errors and the received date of an application that was already saved."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.clashes import refuse_unique_clash
from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from accounts.versions import Versioned, VersionedQuerySet
from cases.application_cases import find_last_position, lock_open_cases_of_application
from cases.lifecycle import Status
from cases.models import (
    Application,
    Case,
    DisputedItem,
    DuplicateProposal,
    Event,
    URDecision,
)
from cases.models.restrictions import is_hidden
from cases.services import case_deadlines, duplicates
from deadlines.calendars import format_day
from deadlines.days import local_day
from directory.names import fold_number
from eligibility.impossible_dates import find_impossible_dates
from intake.policies import why_not_correct_intake, why_not_correct_received

from .receiving import ItemOnForm, fold_claim_number

# The fields that a clerk may correct, by the model that holds them. Parties have their own page.
CASE_FIELDS = (
    "claim_number",
    "claim_number_normal",
    "date_of_injury",
    "injury_last_day",
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

# A case in one of these stages competes with no other one for a UR decision.
_ENDED = [Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED]

# Why a UR decision has the same printed facts as another one, if a correction made them equal.
_EQUAL_BECAUSE = (
    "Corrected to the facts of a decision that only an ended case disputes, or a case that a "
    "person compared with this one."
)


class DecisionDisputed(NotAllowed):
    """Another case disputes the same UR decision, and no one has resolved how they are related.

    :ivar other: the other case, or ``None`` if it is hidden from the reader.
    :ivar pair: the ids of the case and of the other one.
    """

    def __init__(self, case: Case, other: Case, reader: User) -> None:
        self.pair = (case.pk, other.pk)
        self.other = None if is_hidden(other.pk, reader) else other
        super().__init__(
            f"{self.other or 'A restricted case'} disputes the same UR decision. Resolve the "
            "possible duplicate first. Then correct the claim number, the date or the reference."
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
    """Correct the date and time of receipt, and recalculate an active screening deadline.

    The event keeps the old and the new time, who corrected it and why. All open cases of the
    application have one date of receipt.

    :raises NotAllowed: not allowed for this user, no reason, nothing changed, or a date that is
        in the future or before the UR decision.
    :raises Stale: someone changed the case after the page was opened.
    """
    # Lock before checking: the eligibility decision could otherwise come in between.
    case, others = lock_open_cases_of_application(case_id)
    refuse_if(why_not_correct_received(by, case))
    case.refuse_if_stale(seen_version)
    for one in others:
        refuse_if(why_not_correct_received(by, one))
    refuse_if("" if why.strip() else "Enter the reason for the correction.")
    old, new_day = case.received_at, local_day(received_at)
    refuse_if("The received date is in the future. Check the stamp." if received_at > at else "")
    refuse_if("This is already the received date on file." if received_at == old else "")
    application = Application.objects.select_for_update(of=("self",)).get(cases=case)
    _refuse_earlier_receipt(case, application, new_day)
    # The application has its own copy of this time, and the two must not differ.
    application.received_at = received_at
    application.store(by=by, at=at, why=why, fields=["received_at"])
    for one in (case, *others):
        _store_receipt(one, received_at, why, by=by, at=at)
    return case


def _store_receipt(case: Case, received_at: datetime, why: str, *, by: User, at: datetime) -> None:
    """Store the date of receipt of a locked case, with its event and its screening deadline."""
    old, new_day = case.received_at, local_day(received_at)
    case.received_at, case.received_on = received_at, new_day
    case.store(by=by, at=at, why=why, fields=["received_at", "received_on"])
    Event.objects.create(
        case=case,
        kind=Event.Kind.RECEIVED_CORRECTED,
        happened_at=at,
        by=by,
        sentence=f"Received date corrected from {format_day(local_day(old))} "
        f"to {format_day(new_day)}."
        if old
        else f"Received date set to {format_day(new_day)}.",
        why=why,
        facts={"old": old.isoformat() if old else "", "new": received_at.isoformat()},
    )
    # Only an active deadline is recalculated. A satisfied one stays as it was.
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

    What the application says is corrected in all its open cases. None of them may have its
    eligibility decided, so that the cases of one application never differ.

    An item keeps its number, state and history, whatever the order in which items are sent. If
    another case disputes the same UR decision, the two are proposed as possible duplicates, also
    when the correction is refused: there must be a page on which a person can resolve them.

    :param values: new values by name, of ``CASE_FIELDS``, ``APPLICATION_FIELDS`` and
        ``UR_DECISION_FIELDS``.
    :param items: the values of each disputed item on file, by its id; all must be given.
    :param added: items that were not entered before; they follow those on file.
    :returns: the names of the changed fields; empty if nothing changed. The same correction sent
        again by the same person changes nothing and returns the same names.
    :raises DecisionDisputed: another open case disputes the same UR decision, unresolved.
    :raises NotAllowed: not allowed for this user, an item belongs to another case, or an item is
        missing.
    :raises Stale: someone changed the case after the page was opened.
    """
    try:
        return _correct_in_transaction(
            case_id, values, items, added, why, seen_version, by=by, at=at
        )
    except DecisionDisputed as refusal:
        _propose_pair(refusal.pair, by=by, at=at)
        raise


@transaction.atomic
def _correct_in_transaction(
    case_id: int,
    values: Mapping[str, Any],
    items: Mapping[int, ItemOnForm],
    added: Sequence[ItemOnForm],
    why: str,
    seen_version: int | None,
    *,
    by: User,
    at: datetime,
) -> list[str]:
    case, others = lock_open_cases_of_application(case_id)
    refuse_if(why_not_correct_intake(by, case))
    if _is_repeat(case, values, items, added, seen_version, by):
        event = case.events.filter(kind=Event.Kind.CHANGED, by=by).latest("pk")
        return list(event.facts)
    case.refuse_if_stale(seen_version)
    version, facts = case.version, dict[str, list[str]]()
    decision_id = case.ur_decision_id
    application = Application.objects.select_for_update(of=("self",)).get(cases=case)
    rows: list[tuple[Versioned, tuple[str, ...]]] = [
        (case, CASE_FIELDS),
        (application, APPLICATION_FIELDS),
    ]
    if _corrects_application(case, application, values):
        for one in others:
            refuse_if(why_not_correct_intake(by, one))
            rows.append((one, CASE_FIELDS))
    if case.ur_decision_id is not None:
        case.ur_decision = _find_decision_to_correct(case, others, values, facts, why, by=by, at=at)
        for one in others:
            one.ur_decision = case.ur_decision
        rows.append((case.ur_decision, UR_DECISION_FIELDS))
    # Keep the normalized copies, which searches and comparisons use, equal to the typed values.
    if "claim_number" in values:
        values = {**values, "claim_number_normal": fold_claim_number(text=values["claim_number"])}
    if "reference" in values:
        values = {**values, "reference_normal": fold_number(values["reference"])}
    _refuse_impossible_dates(case, application, values, at)
    moved = ["ur_decision"] if case.ur_decision_id != decision_id else []
    # Another clerk may save the same facts of a decision at this moment.
    with refuse_unique_clash(
        "Someone saved an application about the same UR decision at the same moment. Try again."
    ):
        for row, names in rows:
            new = {name: values[name] for name in names if name in values}
            also = moved if isinstance(row, Case) else ()
            _store_changes(row, new, facts, why, by, at, also=also)
    _record_in_others(case, others, facts, why, by=by, at=at)
    _correct_items(case, items, facts, why, by, at)
    _add_items(case, added, facts, why, by, at)
    if facts:
        if case.version == version:
            # Only other rows changed. A form that was opened before must not change them back.
            case.store(by=by, at=at, why=why or "Corrected", fields=[])
        Event.objects.create(
            case=case,
            kind=Event.Kind.CHANGED,
            happened_at=at,
            by=by,
            sentence=f"Corrected: {', '.join(facts)}.",
            why=why,
            facts=facts,
        )
        # Corrected values may have other search keys, and may reveal a possible duplicate.
        duplicates.propose_duplicates(case=case, by=by, at=at)
    return list(facts)


def _corrects_application(case: Case, application: Application, values: Mapping[str, Any]) -> bool:
    """Return whether a value changes that all cases of the application share."""
    rows = (
        (case, CASE_FIELDS),
        (application, APPLICATION_FIELDS),
        (case.ur_decision, UR_DECISION_FIELDS),
    )
    return any(
        getattr(row, name) != values[name]
        for row, names in rows
        if row is not None
        for name in names
        if name in values
    )


def _record_in_others(
    case: Case,
    others: Sequence[Case],
    facts: dict[str, list[str]],
    why: str,
    *,
    by: User,
    at: datetime,
) -> None:
    """Write what was corrected on the timelines of the other cases of the application."""
    for one in others if facts else ():
        # Forms of the other case that were opened before must not change this back.
        one.store(by=by, at=at, why=why or "Corrected", fields=[])
        Event.objects.create(
            case=one,
            kind=Event.Kind.CHANGED,
            happened_at=at,
            by=by,
            sentence=f"Corrected in {case.number}: {', '.join(facts)}.",
            why=why,
            facts=dict(facts),
        )


def _refuse_earlier_receipt(case: Case, application: Application, day: date) -> None:
    """Refuse a day of receipt before a date that the application itself states."""
    decision = case.ur_decision
    for name, stated in (
        ("The UR decision is dated", decision.decided_on if decision else None),
        ("The UR decision was served", decision.served_on if decision else None),
        ("The application was signed", application.signed_on),
    ):
        refuse_if(f"{name} after this day. Check both dates." if stated and stated > day else "")


def _refuse_impossible_dates(
    case: Case, application: Application, values: Mapping[str, Any], at: datetime
) -> None:
    """Refuse dates that would contradict each other after the correction."""
    decision = case.ur_decision
    stored = {
        "ur_decided": ("decided_on", decision),
        "served_on": ("served_on", decision),
        "requested_on": ("requested_on", decision),
        "signed_on": ("signed_on", application),
        "consent_on": ("consent_on", application),
        "designated_on": ("designated_on", application),
        "date_of_injury": ("date_of_injury", case),
        "injury_last_day": ("injury_last_day", case),
    }
    dates = {
        field: values[name] if name in values else getattr(row, name, None)
        for field, (name, row) in stored.items()
    }
    dates["received"] = case.received_on
    for impossible in find_impossible_dates(dates, today=local_day(at)):
        raise BadFact(impossible.field, impossible.sentence)


def _is_repeat(
    case: Case,
    values: Mapping[str, Any],
    items: Mapping[int, ItemOnForm],
    added: Sequence[ItemOnForm],
    seen_version: int | None,
    by: User,
) -> bool:
    """Return whether this person saved exactly this as the last change, such as by two clicks."""
    if seen_version != case.version - 1:
        return False
    last = case.history.order_by("-history_id").first()
    changed = case.events.filter(kind=Event.Kind.CHANGED, by=by, happened_at=last.history_date)
    if last.history_user_id != by.pk or not changed.exists():
        return False
    rows: list[tuple[Versioned, tuple[str, ...]]] = [(case, CASE_FIELDS)]
    if case.application is not None:
        rows.append((case.application, APPLICATION_FIELDS))
    if case.ur_decision is not None:
        rows.append((case.ur_decision, UR_DECISION_FIELDS))
    for row, names in rows:
        if any(getattr(row, name) != values[name] for name in names if name in values):
            return False
    on_file = list(case.items.order_by("position"))
    # Items that the first sending added have no id in the second.
    known = [item for item in on_file if item.pk in items]
    fresh = [item for item in on_file if item.pk not in items]
    sent = [items[item.pk] for item in known] + list(added)
    return len(fresh) == len(added) and all(
        getattr(row, name) == value
        for row, item in zip(known + fresh, sent, strict=True)
        for name, value in _item_columns(item).items()
    )


def _find_decision_to_correct(
    case: Case,
    others: Sequence[Case],
    values: Mapping[str, Any],
    facts: dict[str, list[str]],
    why: str,
    *,
    by: User,
    at: datetime,
) -> URDecision:
    """Return the UR decision whose values may be corrected for this case, locked.

    A case that ended keeps the decision as it was, so a shared one is copied for this case.

    :raises DecisionDisputed: another case that has not ended disputes the same decision, before or
        after the correction, and no one has resolved how the two are related.
    """
    decision = URDecision.objects.select_for_update(of=("self",)).get(cases=case)
    identity = {
        "claim_number_normal": fold_claim_number(
            text=values.get("claim_number", case.claim_number)
        ),
        "decided_on": values.get("decided_on", decision.decided_on),
        "reference_normal": fold_number(values.get("reference", decision.reference)),
    }
    if all(getattr(decision, name) == value for name, value in identity.items()):
        return decision
    equal = URDecision.objects.exclude(pk=decision.pk).filter(**identity)
    if not identity["claim_number_normal"]:
        # Forms without a claim number share the empty text, which proves nothing.
        equal = equal.none()
    # Cases that were split from each other dispute one decision together.
    together = [case.pk, *(one.pk for one in others)]
    sharing = Case.objects.exclude(pk__in=together).filter(
        Q(ur_decision=decision) | Q(ur_decision__in=equal)
    )
    for other in sharing.exclude(status__in=_ENDED).order_by("pk"):
        if not _find_pair(case.pk, other.pk).exclude(answer="").exists():
            raise DecisionDisputed(case, other, by)
    latest = equal.order_by("-running_number").values_list("running_number", flat=True).first()
    if latest is not None:
        decision.running_number, decision.different_because = latest + 1, _EQUAL_BECAUSE
    is_shared = decision.cases.exclude(pk__in=together).exists()
    if latest is None and not is_shared:
        return decision
    # Saved here with its new identity: neither a copy nor a row with a number of its own may have
    # the old one for a moment.
    if decision.decided_on != identity["decided_on"]:
        facts["decided on"] = [
            _format_value(decision.decided_on),
            _format_value(identity["decided_on"]),
        ]
    if is_shared:
        columns = {
            field.attname: getattr(decision, field.attname)
            for field in URDecision._meta.concrete_fields
            if field.name not in {"id", "version"}
        }
        decision = URDecision(**columns)
    for name, value in identity.items():
        setattr(decision, name, value)
    fields = None if is_shared else [*identity, "running_number", "different_because"]
    with refuse_unique_clash("Someone is correcting the same UR decision. Try again."):
        return decision.store(by=by, at=at, why=why or "Corrected", fields=fields)


def _find_pair(case_id: int, other_id: int) -> VersionedQuerySet:
    """The proposal about two cases, whichever of them is the later one."""
    pairs: VersionedQuerySet = DuplicateProposal.objects.filter(
        Q(case=case_id, other=other_id) | Q(case=other_id, other=case_id)
    )
    return pairs


@transaction.atomic
def _propose_pair(pair: tuple[int, int], *, by: User, at: datetime) -> None:
    """Propose two cases about one UR decision as possible duplicates, unless they are already."""
    cases = Case.objects.lock_all(pair)
    earlier, later = sorted(cases)
    if not _find_pair(earlier, later).exists():
        duplicates.propose_same_decision(case=cases[later], lead=cases[earlier], by=by, at=at)


def _store_changes(
    row: Versioned,
    values: dict[str, Any],
    facts: dict[str, list[str]],
    why: str,
    by: User,
    at: datetime,
    *,
    also: Sequence[str] = (),
) -> None:
    """Store the values that differ. ``also`` names fields that are set already."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed and not also:
        return
    for name, value in changed.items():
        if not name.endswith("_normal"):  # normalized copies are not worth mentioning
            facts[name.replace("_", " ")] = [
                _format_value(getattr(row, name)),
                _format_value(value),
            ]
        setattr(row, name, value)
    row.store(by=by, at=at, why=why or "Corrected", fields=[*changed, *also])


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
        # Clearing a row does not remove a disputed item. To withdraw one is an action with a
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
    for position, item in enumerate(added, start=find_last_position(case) + 1):
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
