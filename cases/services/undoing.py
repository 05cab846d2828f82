"""Take back an action just after it was done, if nothing followed on the case.

An action that can be undone calls ``remember_rows`` before it changes anything and ``offer_undo``
at its end, in its transaction. The app of the action has a service that takes it back: it locks the
act here, ends its own rows, and calls ``restore_rows`` and ``record_undone``. Nothing is deleted:
restored rows get a new version, and rows that the action added end.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from accounts.clashes import refuse_unique_clash
from accounts.models import User
from accounts.refusals import StaleForm, refuse_if
from cases import policies
from cases.lifecycle import Status
from cases.models import Case, CaseLetter, CaseLink, Deadline, DisputedItem, Event, UndoableAct
from deadlines.days import local_day, start_of_day

Kind = UndoableAct.Kind
Rows = dict[str, dict[str, int]]

UNDO_FOR = timedelta(seconds=10)
# What an action may add or change besides the case. A letter is added as a draft.
_ROWS: dict[str, Any] = {
    "letters": CaseLetter,
    "links": CaseLink,
    "items": DisputedItem,
    "deadlines": Deadline,
}
# Who records a mark as sent in error undoes no letter that was approved since.
_ROWS_OF_SENDING = ("deadlines",)
# What others write during the day without building on what was sent.
_NO_CONSEQUENCE = frozenset({Event.Kind.NOTE, Event.Kind.CASE_LETTER})
_UNDONE = "Undone"
_IN_ERROR = "Recorded in error"
_STAGE_FIELDS = ("status", "is_open", "next_role", "queue", "closed_at", "list_day", "urgency")


class FollowedBySomething(StaleForm):
    """Something was done on the case since; the action can no longer be taken back."""

    def __init__(self) -> None:
        super().__init__(
            "Something was done on this case since, so this can no longer be taken back. "
            "Open the case to see what happened."
        )


def remember_rows(*, cases: Sequence[Case], kind: Kind) -> Rows:
    """Return the versions of the rows of locked cases that an action may change. Five queries."""
    ids = [case.pk for case in cases]
    names = _ROWS_OF_SENDING if kind in UndoableAct.SENT else tuple(_ROWS)
    rows = {name: _read_versions(_ROWS[name].objects.filter(case__in=ids)) for name in names}
    return {"cases": _read_versions(Case.objects.filter(pk__in=ids)), **rows}


def offer_undo(
    *,
    case: Case,
    kind: Kind,
    rows_before: Rows | None = None,
    subject_id: int = 0,
    by: User,
    at: datetime,
) -> UndoableAct:
    """Record, at the end of an action on a locked case, that it can be taken back.

    For ten seconds; what was recorded as sent, until the end of the day in Pacific time.

    :param rows_before: what ``remember_rows`` returned; ``None`` if the action changes no stage.
    """
    is_sent_mark = kind in UndoableAct.SENT
    until = start_of_day(local_day(at) + timedelta(days=1)) if is_sent_mark else at + UNDO_FOR
    rows_after: Rows = {}
    if rows_before is not None:
        cases = list(Case.objects.filter(pk__in=rows_before["cases"]))
        rows_after = remember_rows(cases=cases, kind=kind)
    return UndoableAct(
        case=case,
        kind=kind,
        subject_id=subject_id,
        done_at=at,
        done_by=by,
        until=until,
        last_event=case.events.order_by("-pk").first(),
        rows_before=rows_before or {},
        rows_after=rows_after,
    ).store(by=by, at=at)


def find_undo(*, case: Case, by: User, at: datetime) -> UndoableAct | None:
    """Find the action that this person just did on a case and can still undo. One query."""
    acts = case.undoable_acts.filter(
        done_by=by, done_at__lte=at, until__gt=at, undone_at__isnull=True
    )
    found: UndoableAct | None = acts.order_by("-pk").first()
    return found


def list_sent_marks(*, case: Case, reader: User, at: datetime) -> list[UndoableAct]:
    """List what was marked as sent today and this person may record as an error. One query."""
    acts = case.undoable_acts.filter(
        kind__in=UndoableAct.SENT, until__gt=at, undone_at__isnull=True
    )
    found = list(acts.select_related("done_by", "last_event").order_by("-pk"))
    for act in found:
        act.case = case
    return [act for act in found if not policies.why_not_undo(reader, act, at=at)]


def lock_undoable_act(*, act_id: int, kind: Kind, by: User, at: datetime) -> UndoableAct:
    """Lock the case of an action, and return the action if this person may take it back now.

    :raises NotAllowed: another person did it, the time has passed, or it is undone already.
    :raises FollowedBySomething: something was done on the case since.
    """
    case_id = UndoableAct.objects.values_list("case_id", flat=True).get(pk=act_id)
    case = Case.objects.lock(case_id)
    # Read after locking the case, because someone may have undone it meanwhile.
    act: UndoableAct = UndoableAct.objects.get(pk=act_id, kind=kind)
    act.case = case
    refuse_if(policies.why_not_undo(by, act, at=at))
    # The action on one letter is not disturbed by what happens elsewhere on the case.
    if act.rows_before:
        _refuse_if_followed(act)
    return act


def restore_rows(*, act: UndoableAct, by: User, at: datetime) -> None:
    """Restore the rows of a locked case as they were before the action, and its stage.

    Deadlines, links and draft letters that the action added end.

    :raises TakenByAnother: another case was opened for the same UR decision meanwhile.
    """
    why = _IN_ERROR if act.is_sent_mark else _UNDONE
    case_ids = [int(pk) for pk in act.rows_before["cases"]]
    # The case of the act is locked already; consolidated cases follow their lead.
    cases = Case.objects.lock_all(case_ids) | {act.case_id: act.case}
    for name, before in act.rows_before.items():
        if name == "cases":
            continue
        rows = list(_ROWS[name].objects.filter(case__in=case_ids).order_by("pk"))
        # First the added ones: only one live deadline or draft of a kind is allowed.
        for row in rows:
            if str(row.pk) not in before:
                _end_added_row(row, why, by=by, at=at)
        for row in rows:
            number = before.get(str(row.pk))
            if number is not None and number != row.version:
                row.restore_version(number, by=by, at=at, why=why)
    for pk in case_ids:
        _restore_case(cases[pk], act.rows_before["cases"][str(pk)], why, by=by, at=at)


def record_undone(*, act: UndoableAct, by: User, at: datetime) -> Event:
    """Record on the act and on the timeline that it was taken back, by whom and when."""
    act.undone_at, act.undone_by = at, by
    why = _IN_ERROR if act.is_sent_mark else _UNDONE
    act.store(by=by, at=at, why=why, fields=["undone_at", "undone_by"])
    what = act.get_kind_display()
    # A case may have several letters, so the event of this one names it.
    if act.last_event is not None and not act.rows_before:
        what = act.last_event.sentence.rstrip(".")
    others = Case.objects.filter(pk__in=act.rows_before.get("cases", {})).exclude(pk=act.case_id)
    first, *_ = [
        Event.objects.create(
            case=case,
            kind=Event.Kind.UNDONE,
            happened_at=at,
            by=by,
            sentence=f"{why}: {what[0].lower()}{what[1:]}.",
            facts={"act": act.pk},
            caused_by=act.last_event,
        )
        for case in (act.case, *others.order_by("pk"))
    ]
    return first


def _read_versions(rows: Any) -> dict[str, int]:
    return {str(pk): version for pk, version in rows.values_list("pk", "version")}


def _refuse_if_followed(act: UndoableAct) -> None:
    cases = list(Case.objects.filter(pk__in=act.rows_after["cases"]))
    if remember_rows(cases=cases, kind=Kind(act.kind)) != act.rows_after:
        raise FollowedBySomething
    later = act.case.events.filter(pk__gt=act.last_event_id or 0)
    if act.is_sent_mark:
        later = later.exclude(kind__in=_NO_CONSEQUENCE)
    if later.exists():
        raise FollowedBySomething


def _end_added_row(row: Any, why: str, *, by: User, at: datetime) -> None:
    """End a row that the action added; it stays on record."""
    fields: Iterable[str]
    if isinstance(row, CaseLetter):
        row.state, row.discarded_because = CaseLetter.State.DISCARDED, CaseLetter.Discarded.UNDONE
        row.discarded_at, row.discarded_by = at, by
        fields = ["state", "discarded_because", "discarded_at", "discarded_by"]
    elif isinstance(row, CaseLink):
        row.ended_at, fields = at, ["ended_at"]
    else:
        row.replaced_at, fields = at, ["replaced_at"]
    row.store(by=by, at=at, why=why, fields=fields)


def _restore_case(case: Case, version: int, why: str, *, by: User, at: datetime) -> None:
    earlier = case.history.filter(version=version).latest("history_id")
    case.restore_version(version, by=by, at=at, why=why, keep=_STAGE_FIELDS)
    if case.status != earlier.status:
        with refuse_unique_clash(
            f"Another case was opened for the UR decision of {case.number}, so this can no longer "
            "be taken back."
        ):
            case.move_back_to(Status(earlier.status), by=by, at=at, why=why)
    else:
        # The new version makes forms of pages stale that were opened before.
        case.store(by=by, at=at, why=why, fields=[])
