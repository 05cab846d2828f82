"""Unassign cases from people who can no longer work on them, with a notice to a manager too."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.roles import Role
from cases.models import Case
from cases.models.restrictions import is_hidden
from notices.services import add_notice
from queues.models import WorkClaim

MANAGERS = (Role.SUPERVISOR, Role.DIRECTOR)


def release_lost_claims(*, at: datetime) -> int:
    """Unassign every case whose holder lost the right to work on it; return the number.

    They have left, lost the role that acts next, are barred by a conflict of interest, or are not
    cleared for a case that is restricted now. Each gets one notice, and so do the managers who may
    open the case.
    """
    live = WorkClaim.objects.live(at=at).select_related("by", "case").order_by("pk")
    return sum(_release_if_lost(claim.pk, claim.case_id, at=at) for claim in list(live))


@transaction.atomic
def _release_if_lost(claim_id: int, case_id: int, *, at: datetime) -> bool:
    case = Case.objects.lock(case_id)
    claim = WorkClaim.objects.live(at=at).filter(pk=claim_id).select_related("by").first()
    if claim is None or not _has_lost_access(claim.by, case):
        return False
    claim.released_at = at
    claim.save(update_fields=["released_at"])
    key = f"claim {claim.pk}"
    # The holder gets no link: the page would refuse them.
    add_notice(
        to=claim.by,
        kind="ACCESS_LOST",
        reference=case.number,
        key=key,
        path="",
        by=None,
        at=at,
    )
    managers = User.objects.filter(is_active=True, groups__name__in=MANAGERS).distinct()
    for manager in managers.exclude(pk=claim.by_id).order_by("pk"):
        if manager.pk not in case.barred_staff and not is_hidden(case.pk, manager):
            add_notice(
                to=manager,
                kind="HOLDER_LOST",
                reference=case.number,
                key=key,
                path=case.get_absolute_url(),
                by=None,
                at=at,
            )
    return True


def _has_lost_access(holder: User, case: Case) -> bool:
    return (
        not holder.is_active
        or case.next_role not in holder.roles
        or holder.pk in case.barred_staff
        or is_hidden(case.pk, holder)
    )
