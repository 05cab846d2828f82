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
    Event.Kind.WITHDRAWN: LetterKind.CLOSURE,
    Event.Kind.TERMINATED: LetterKind.CLOSURE,
}


@transaction.atomic
def propose_letter(
    *, event: Event, points: Sequence[str] = (), by: User | None, at: datetime
) -> CaseLetter | None:
    """Draft the letter that follows an action, in its transaction. A person decides about sending.

    :param points: requested or missing facts, one text each.
    :returns: the draft, or ``None`` if the action needs no letter.
    """
    kind = _AFTER.get(Event.Kind(event.kind))
    # The action holds this lock already; the call returns the row as the action stored it.
    case = Case.objects.lock(event.case_id)
    if event.kind == Event.Kind.FOUND_ELIGIBLE and _is_partly_refused(case):
        kind = LetterKind.INELIGIBILITY  # some items are ineligible, the others continue
    # Only a conversion to expedited review must be announced (8 CCR 9792.10.4(c)).
    if event.kind == Event.Kind.CONVERTED and case.priority != Priority.EXPEDITED:
        kind = None
    if kind is None:
        return None
    return _store_letter_draft(case, kind, event.sentence, points, event, None, by=by, at=at)


@transaction.atomic
def draft_letter(
    *,
    case_id: int,
    kind: str,
    because: str = "",
    points: Sequence[str] = (),
    by: User | None,
    at: datetime,
) -> CaseLetter:
    """Draft a letter, or update the open draft of the same kind.

    :param kind: one of ``LetterKind``.
    :param because: the reason, shown with the draft.
    :param points: requested or missing facts, one text each.
    :raises NotAllowed: wrong role, or a case that was loaded from a published letter.
    """
    case = Case.objects.lock(case_id)
    # The system drafts only after actions, which have checked the role.
    refuse_if(policies.why_not_draft_letter(by, case) if by is not None else "")
    return _store_letter_draft(case, LetterKind(kind), because, points, None, by, by=by, at=at)


def _is_partly_refused(case: Case) -> bool:
    """Whether the latest eligibility decision found some items ineligible. Queries."""
    # By the reverse relation, because this app may not import eligibility.
    latest = case.eligibility_decisions.order_by("-attempt").first()
    return latest is not None and bool(latest.refusals())


def _store_letter_draft(
    case: Case,
    kind: LetterKind,
    because: str,
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
        waiting.because, waiting.points = because[:500] or waiting.because, list(points)
        waiting.caused_by = event or waiting.caused_by
        changed = ["because", "points", "caused_by"]
        return waiting.store(by=by, at=at, why="Drafted again", fields=changed)
    return CaseLetter(
        case=case,
        kind=kind,
        # Letters are never deleted and the case is locked, so a count is enough.
        number=case.case_letters.filter(kind=kind).count() + 1,
        because=because[:500],
        caused_by=event,
        points=list(points),
        drafted_at=at,
        drafted_by=drafted_by,
    ).store(by=by, at=at, why=because[:100])
