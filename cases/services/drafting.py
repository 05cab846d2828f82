"""Draft letters, made after an action or at the request of a person.

Missing facts are reported when someone views the draft (``correspondence.composition``). So no
action fails because its letter cannot be written yet.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.models import Case, CaseLetter, Event, Priority
from letters.kinds import LetterKind

# The letter that follows an action.
_AFTER = {
    Event.Kind.RECEIVED: LetterKind.ACKNOWLEDGMENT,
    Event.Kind.INFO_ASKED: LetterKind.INFORMATION_REQUEST,
    Event.Kind.FOUND_INELIGIBLE: LetterKind.INELIGIBILITY,
    Event.Kind.DEFERRED: LetterKind.DEFERRAL,
    Event.Kind.CONVERTED: LetterKind.EXPEDITED,
    Event.Kind.ITEM_CHANGED: LetterKind.CORRECTED_NOTICE,
    Event.Kind.SPLIT: LetterKind.CORRECTED_NOTICE,
    Event.Kind.WITHDRAWN: LetterKind.CLOSURE,
    Event.Kind.TERMINATED: LetterKind.CLOSURE,
}


@transaction.atomic
def propose_letter(
    *,
    event: Event,
    points: Sequence[str] = (),
    about: Case | None = None,
    by: User | None,
    at: datetime,
) -> CaseLetter | None:
    """Draft the letter that follows an action, in its transaction. A person decides about sending.

    :param points: requested or missing facts, one text each.
    :param about: the case of the letter, if not that of the event: the lead of a consolidation,
        whose notices name the items of all its cases.
    :returns: the draft, or ``None`` if the action needs no letter.
    """
    kind = _AFTER.get(Event.Kind(event.kind))
    # The action holds this lock already; the call returns the row as the action stored it.
    case = Case.objects.lock(about.pk if about else event.case_id)
    if event.kind == Event.Kind.FOUND_ELIGIBLE and _is_partly_refused(case):
        kind = LetterKind.INELIGIBILITY  # some items are ineligible, the others continue
    # Only a conversion to expedited review must be announced (8 CCR 9792.10.4(c)).
    if event.kind == Event.Kind.CONVERTED and case.priority != Priority.EXPEDITED:
        kind = None
    # Before the notices exist, they will name the items as changed.
    if kind == LetterKind.CORRECTED_NOTICE and not case.notices.filter(round=case.round).exists():
        kind = None
    if kind is None:
        return None
    return _store_letter_draft(case, kind, event.sentence, points, event, None, by=by, at=at)


def propose_letters_of_new_cases(*, events: Sequence[Event], by: User | None, at: datetime) -> None:
    """Draft the letter that follows an action for cases that were stored in this transaction.

    As ``propose_letter``, in two statements. Each event is of another case, which has no letters
    yet.
    """
    CaseLetter.objects.bulk_store(
        [
            _build_letter_draft(
                event.case, _AFTER[Event.Kind(event.kind)], 1, event.sentence, (), event, None, at
            )
            for event in events
        ],
        by=by,
        at=at,
        why=[event.sentence[:100] for event in events],
    )


@transaction.atomic
def draft_letter(
    *,
    case_id: int,
    kind: str,
    reason: str = "",
    points: Sequence[str] = (),
    by: User | None,
    at: datetime,
) -> CaseLetter:
    """Draft a letter, or update the open draft of the same kind.

    :param kind: one of ``LetterKind``.
    :param reason: the reason, shown with the draft.
    :param points: requested or missing facts, one text each.
    :raises NotAllowed: wrong role, or a case that was loaded from a published letter.
    """
    case = Case.objects.lock(case_id)
    # The system drafts only after actions, which have checked the role.
    refuse_if(policies.why_not_draft_letter(by, case) if by is not None else "")
    return _store_letter_draft(case, LetterKind(kind), reason, points, None, by, by=by, at=at)


def _is_partly_refused(case: Case) -> bool:
    """Return whether the latest eligibility decision found some items ineligible. Queries."""
    # By the reverse relation, because this app may not import eligibility.
    latest = case.eligibility_decisions.order_by("-attempt").first()
    return latest is not None and bool(latest.refusals())


def _store_letter_draft(
    case: Case,
    kind: LetterKind,
    reason: str,
    points: Sequence[str],
    event: Event | None,
    drafted_by: User | None,
    *,
    by: User | None,
    at: datetime,
) -> CaseLetter:
    """Store a draft, or update the open draft of the same kind."""
    # One open draft per kind, so that the parties get one letter with the latest points.
    waiting = CaseLetter.objects.filter(case=case, kind=kind, state=CaseLetter.State.DRAFT).first()
    if waiting is not None:
        waiting.reason, waiting.points = reason[:500] or waiting.reason, list(points)
        waiting.caused_by = event or waiting.caused_by
        changed = ["reason", "points", "caused_by"]
        return waiting.store(by=by, at=at, why="Drafted again", fields=changed)
    # Letters are never deleted and the case is locked, so a count is enough.
    number = case.case_letters.filter(kind=kind).count() + 1
    draft = _build_letter_draft(case, kind, number, reason, points, event, drafted_by, at)
    return draft.store(by=by, at=at, why=reason[:100])


def _build_letter_draft(
    case: Case,
    kind: LetterKind,
    number: int,
    reason: str,
    points: Sequence[str],
    event: Event | None,
    drafted_by: User | None,
    at: datetime,
) -> CaseLetter:
    return CaseLetter(
        case=case,
        kind=kind,
        number=number,
        reason=reason[:500],
        caused_by=event,
        points=list(points),
        drafted_at=at,
        drafted_by=drafted_by,
    )
