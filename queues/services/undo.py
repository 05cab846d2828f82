"""Take back the last action on a case, whichever app did it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accounts.models import User
from cases.models import UndoableAct
from cases.services import endings
from correspondence.services import case_letters, notices
from determinations.services import quality, sending
from eligibility.services import screening
from reviewers.services import assignment

_SERVICES: dict[str, Callable[..., Any]] = {
    UndoableAct.Kind.FOUND_ELIGIBLE: screening.undo_eligible_decision,
    UndoableAct.Kind.OFFERED: assignment.undo_assign_reviewer,
    UndoableAct.Kind.QA_APPROVED: quality.undo_approve_review,
    UndoableAct.Kind.CLOSED: endings.undo_close_case,
    UndoableAct.Kind.LETTER_APPROVED: case_letters.undo_approve_letter,
    UndoableAct.Kind.NOTICES_SENT: notices.take_back_notices_sent,
    UndoableAct.Kind.LETTER_SENT: case_letters.take_back_letter_sent,
    UndoableAct.Kind.DETERMINATION_SENT: sending.take_back_determination_sent,
}


def undo_act(*, act_id: int, by: User, at: datetime) -> UndoableAct:
    """Undo an action by the service of its app, or record a mark as sent as made in error.

    :raises NotAllowed: another person did it, the time has passed, or it is undone already.
    :raises FollowedBySomething: something was done on the case since.
    """
    act: UndoableAct = UndoableAct.objects.get(pk=act_id)
    _SERVICES[act.kind](act_id=act.pk, by=by, at=at)
    return act
