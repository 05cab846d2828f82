"""Repairs of what the nightly run names. Each is recorded with its reason."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from accounts.versions import Versioned
from cases.models import Case, CaseKey
from cases.services.case_deadlines import recompute_deadlines
from cases.services.restrictions import end_clearances_of_barred_staff
from letters.models import Letter
from letters.services import requeue_stuck_letter
from maintenance import derived, states
from maintenance.findings import Found
from maintenance.models import Repair
from maintenance.policies import why_not_repair
from queues.models import WorkClaim


@dataclass(frozen=True)
class Change:
    """One change of a repair."""

    table: str
    row: str
    column: str
    sentence: str


def repair(*, command: str, reason: str, apply: bool, by: User, at: datetime) -> list[Change]:
    """Run one repair, and record it if it changed something.

    Every change has a transaction of its own with its record, so that a long repair locks no case
    for long.

    :param apply: store the changes; otherwise only list them.
    :raises NotAllowed: wrong role, no reason, or there is no such repair.
    """
    refuse_if(why_not_repair(by))
    refuse_if("" if reason.strip() else "Enter why the repair is made.")
    if command not in REPAIRS:
        raise NotAllowed("There is no such repair.")
    find, change_row = REPAIRS[command]
    changes = []
    for found in find(at):
        change = Change(found.table, found.row, found.column, found.sentence)
        if apply:
            with transaction.atomic():
                if not change_row(found, reason.strip(), by, at):
                    continue
                Repair.objects.create(
                    command=command,
                    reason=reason.strip()[:500],
                    by=by,
                    happened_at=at,
                    changes=[[found.table, found.row, found.column]],
                )
        changes.append(change)
    return changes


def _no_tick() -> None:
    """Do nothing: a command holds no lease."""


# --- due dates ----------------------------------------------------------------------------------


def _find_due_dates(at: datetime) -> Iterator[Found]:
    numbers = set()
    for found in derived.compare_deadlines(_no_tick):
        # One recalculation covers all deadlines of a case.
        if found.reference not in numbers:
            numbers.add(found.reference)
            yield found
    yield from derived.compare_due_dates(_no_tick)


def _repair_due_date(found: Found, reason: str, by: User, at: datetime) -> bool:
    case = Case.objects.lock(Case.objects.values_list("pk", flat=True).get(number=found.reference))
    if found.table == Case._meta.db_table:
        # A person decides which deadline leads.
        if not found.values or _has_changed(case, found.seen_case_version, by, at):
            return False
        due: dict[str, Any] = {"due_on": case.due_on, "due_at": case.due_at} | dict(found.values)
        case.set_due(due["due_on"], case.due_deadline_kind, due_at=due["due_at"], by=by, at=at)
        return True
    return bool(recompute_deadlines(case=case, why=reason, by=by, at=at))


# --- derived fields -----------------------------------------------------------------------------


def _find_derived_fields(at: datetime) -> Iterator[Found]:
    for found in derived.compare_derived_values(_no_tick):
        # Dates have a repair of their own; a person has to decide about a finding without a value.
        if found.values and found.column not in {"due_on", "due_at", "due_deadline_kind"}:
            yield found


def _repair_derived_field(found: Found, reason: str, by: User, at: datetime) -> bool:
    if found.table == CaseKey._meta.db_table:
        keys = [CaseKey(case_id=int(found.row), key=key) for key in found.values["key"]]
        CaseKey.objects.bulk_create(keys, ignore_conflicts=True)
        return True
    model = next(one for one in apps.get_models() if one._meta.db_table == found.table)
    # Names are append-only and frozen letters cannot change: a person has to look at those.
    if issubclass(model, Versioned):
        if found.reference:
            case_id = Case.objects.values_list("pk", flat=True).get(number=found.reference)
            if _has_changed(Case.objects.lock(case_id), found.seen_case_version, by, at):
                return False
        row = model._default_manager.select_for_update().get(pk=found.row)
        if _has_changed(row, found.seen_version, by, at):
            return False
        for name, value in found.values.items():
            setattr(row, name, value)
        row.store(by=by, at=at, why=reason, fields=list(found.values))
        if isinstance(row, Case) and "barred_staff" in found.values:
            end_clearances_of_barred_staff(case=row, by=by, at=at)
        return True
    if model is User:
        User.objects.filter(pk=found.row).update(**found.values)
        return True
    return False


def _has_changed(row: Any, seen_version: int | None, by: User, at: datetime) -> bool:
    """Whether someone changed a row since it was compared: the derived value may be outdated.

    The next run compares it again. Versions that this run stored, for other columns, do not count.
    """
    if seen_version is None or row.version == seen_version:
        return False
    later = row.history.filter(version__gt=seen_version)
    return bool(later.exclude(history_user=by, history_date=at).exists())


# --- letters and claims -------------------------------------------------------------------------


def _find_stuck_letters(at: datetime) -> Iterator[Found]:
    for found in states.find_letter_problems(at, _no_tick):
        if found.code == "letter_stuck" and not Letter.objects.get(pk=found.row).is_failed:
            yield found


def _requeue_letter(found: Found, reason: str, by: User, at: datetime) -> bool:
    return requeue_stuck_letter(letter_id=found.row, why=reason, by=by, at=at)


def _find_orphan_claims(at: datetime) -> Iterator[Found]:
    yield from states.find_orphan_claims(at, _no_tick)


def _close_claim(found: Found, reason: str, by: User, at: datetime) -> bool:
    claim = WorkClaim.objects.select_for_update().get(pk=found.row)
    if claim.released_at is not None:
        return False
    # The claim ended when it expired; the repair only writes that down.
    claim.released_at = claim.until
    claim.save(update_fields=["released_at"])
    return True


Find = Callable[[datetime], Iterator[Found]]
ChangeRow = Callable[[Found, str, User, datetime], bool]

REPAIRS: dict[str, tuple[Find, ChangeRow]] = {
    "repair_due_dates": (_find_due_dates, _repair_due_date),
    "repair_derived_fields": (_find_derived_fields, _repair_derived_field),
    "requeue_letter": (_find_stuck_letters, _requeue_letter),
    "close_orphan_claims": (_find_orphan_claims, _close_claim),
}
