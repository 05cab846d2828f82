"""Assign cases of a list to oneself, so that no two people work on one case."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed, TakenByAnother, refuse_if
from accounts.roles import Role
from cases.lifecycle import NEXT_ROLE, QUEUES, Status
from cases.models import Case
from cases.models.case import CaseQuerySet
from deadlines.days import format_time
from queues import policies
from queues.lead_time import Paces, explain_next_case
from queues.models import WorkClaim, WorkClaimQuerySet
from queues.work_order import Sort, next_rows, sort_key_of, stage_durations_now

LEASE = timedelta(hours=4)  # half a working day, so that an absent clerk does not block a case
# Candidates per query. Usually the first one is free.
BATCH = 20


def stages_for(*, user: User, queue: str = "") -> list[Status]:
    """The stages in which one of this person's roles acts next, in one list or in all."""
    lists = [QUEUES[queue]] if queue else QUEUES.values()
    roles = user.roles - {Role.REVIEWER}  # a case waits for one reviewer, not for the role
    return [stage for _, stages in lists for stage in stages if NEXT_ROLE[stage] in roles]


def preview_next_case(*, user: User, queue: str = "", at: datetime) -> Case | None:
    """The case that ``claim_next_case`` would assign, or ``None``. Changes nothing."""
    own = list_own_claims(user=user, queue=queue, at=at).first()
    return own.case if own else next(_free_cases(user, queue, stage_durations_now(), at=at), None)


def explain_next_for(*, case: Case, user: User, at: datetime) -> str:
    """Explain in one sentence why this case is next for this person. Two queries."""
    held = _live_claim(case, at=at)
    if held is not None:
        return f"Already assigned. {describe_claim(claim=held, reader=user)}"
    return _explain_case(case, stage_durations_now(), at=at)


def list_own_claims(*, user: User, queue: str = "", at: datetime) -> WorkClaimQuerySet:
    """The cases that are assigned to this person now, the oldest claim first."""
    found = WorkClaim.objects.live(at=at).filter(by=user).select_related("case")
    if queue:
        found = found.filter(queue=queue)
    return found.order_by("claimed_at", "pk")


def describe_claim(*, claim: WorkClaim, reader: User) -> str:
    """Who has a case: "Ada Clerk has had this since 9:42 AM PT."."""
    name = "You have" if claim.by_id == reader.pk else f"{name_actor(claim.by, reader=reader)} has"
    return f"{name} had this since {format_time(timezone.localtime(claim.claimed_at))}."


@transaction.atomic
def claim_next_case(*, queue: str = "", by: User, at: datetime) -> WorkClaim | None:
    """Assign the unassigned case with the least time to spare, or renew the one already held.

    A person who holds a case of the list gets that case again. Cases that the person released
    lately come last for them, but not for others. Equal cases sort by id, so every case comes up.
    A case on hold comes up again on the planned end of the hold, whether or not someone ends it,
    and on its due date.

    :param queue: one list; empty for every list of the person's roles.
    :returns: ``None`` if no case is left.
    """
    own = list_own_claims(user=by, queue=queue, at=at).first()
    if own is not None:
        # Lock the case, then read the claim again: it may have ended since the query above.
        in_hand = _live_claim(Case.objects.lock(own.case_id), at=at)
        if in_hand is not None and in_hand.by_id == by.pk:
            return _renew_claim(in_hand, at=at)
    stage_durations = stage_durations_now()
    for case in _free_cases(by, queue, stage_durations, at=at):
        locked = _lock_if_free(case, by=by, at=at)
        if locked is not None:
            return _store_claim(
                locked, why=_explain_case(locked, stage_durations, at=at), by=by, at=at
            )
    return None


@transaction.atomic
def claim_case(*, case_id: int, by: User, at: datetime) -> WorkClaim:
    """Assign one case to this person; doing it again renews the time.

    :raises NotAllowed: another role acts next.
    :raises TakenByAnother: someone else has it.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_claim(by, case))
    held = _live_claim(case, at=at)
    if held is None:
        return _store_claim(case, by=by, at=at)
    if held.by_id != by.pk:
        raise TakenByAnother(f"Case {case.number}: {describe_claim(claim=held, reader=by)}")
    return _renew_claim(held, at=at)


@transaction.atomic
def release_case(*, case_id: int, by: User, at: datetime) -> WorkClaim:
    """Unassign a case.

    :raises NotAllowed: it is not assigned to this person.
    """
    case = Case.objects.lock(case_id)
    held = _live_claim(case, at=at)
    if held is None or held.by_id != by.pk:
        raise NotAllowed(f"Case {case.number} is not assigned to you.")
    held.released_at = at
    held.save(update_fields=["released_at"])
    return held


def _free_cases(user: User, queue: str, stage_durations: Paces, *, at: datetime) -> Iterator[Case]:
    """The cases that this person may take, by time to spare; the ones they released lately last."""
    stages = stages_for(user=user, queue=queue)
    if not stages:
        return
    claims = WorkClaim.objects.filter(case=OuterRef("pk"))
    # “Lately” is the length of one lease.
    given_back = Exists(claims.filter(by=user, released_at__gt=at - LEASE))
    to_work = _open_cases(stages).to_work(on=timezone.localdate(at))
    free = to_work.exclude(Exists(claims.live(at=at)))
    for rows in (free.exclude(given_back), free.filter(given_back)):
        after = None
        while True:
            found = next_rows(
                rows,
                sort=Sort.SLACK,
                stages=stages,
                stage_durations=stage_durations,
                after=after,
                limit=BATCH,
            )
            yield from (case for case in found if user.pk not in case.barred_staff)
            if len(found) < BATCH:
                break
            after = sort_key_of(found[-1], sort=Sort.SLACK, stage_durations=stage_durations)


def _open_cases(stages: list[Status]) -> CaseQuerySet:
    queues = {slug for slug, (_, states) in QUEUES.items() if set(states) & set(stages)}
    rows: CaseQuerySet = Case.objects.filter(queue__in=queues, status__in=stages)
    return rows


def _lock_if_free(case: Case, *, by: User, at: datetime) -> Case | None:
    """Lock the case; ``None`` if another transaction has it or it is no longer free."""
    # Only while the case is at the stage at which it was found.
    rows = Case.objects.filter(pk=case.pk, status=case.status)
    # Do not wait for a colleague who is taking this case; try the next one.
    locked = rows.to_work(on=timezone.localdate(at)).lock_first(skip_locked=True)
    # Check again under the lock: another person's action may have been committed meanwhile.
    if locked is None or by.pk in locked.barred_staff or _live_claim(locked, at=at) is not None:
        return None
    return locked


def _live_claim(case: Case, *, at: datetime) -> WorkClaim | None:
    return WorkClaim.objects.live(at=at).filter(case=case).select_related("by").first()


def _explain_case(case: Case, stage_durations: Paces, *, at: datetime) -> str:
    return explain_next_case(
        case.due_on,
        case.status,
        stage_durations,
        today=timezone.localdate(at),
        has_due_date=bool(case.due_deadline_kind),
    )


def _store_claim(case: Case, *, why: str = "", by: User, at: datetime) -> WorkClaim:
    """Store the claim of a locked case; an expired claim of it is ended first."""
    for ended in WorkClaim.objects.filter(case=case, released_at__isnull=True):
        # A claim that expired has ended then, not now.
        ended.released_at = min(ended.until, at)
        ended.save(update_fields=["released_at"])
    return WorkClaim.objects.create(
        case=case, by=by, queue=case.queue, claimed_at=at, until=at + LEASE, why=why
    )


def _renew_claim(claim: WorkClaim, *, at: datetime) -> WorkClaim:
    # A renewal never makes a claim shorter.
    claim.until = max(claim.until, at + LEASE)
    claim.save(update_fields=["until"])
    return claim
