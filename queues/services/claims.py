"""Assign cases of a list to oneself or to another person, or skip them.

So no two people work on one case.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed, TakenByAnother, refuse_if
from accounts.roles import Role
from cases.lifecycle import NEXT_ROLE, QUEUES, Status
from cases.models import Case
from cases.models.case import CaseQuerySet
from cases.models.restrictions import hidden_cases, select_visible
from cases.passed_days import PassedDay, list_passed_days
from deadlines.calendars import format_day
from deadlines.days import format_time
from queues import policies
from queues.lead_time import StageDurations, explain_next_case
from queues.models import CaseSkip, WorkClaim, WorkClaimQuerySet
from queues.work_order import Sort, next_rows, sort_key_of, stage_durations_now

LEASE = timedelta(hours=4)  # half a working day, so that an absent clerk does not block a case
ASSIGNED_FOR = timedelta(days=1)  # whoever gets a case from another person may be away today
# Candidates per query. Usually the first one is free.
BATCH = 20
LONGEST_WHY = 200  # of the column
SKIPPED_FOR = timedelta(days=1)  # how long a skipped case comes last for the one who skipped it


def stages_for(*, user: User, queue: str = "") -> list[Status]:
    """Return the stages in which one of this person's roles acts next, in one list or in all."""
    lists = [QUEUES[queue]] if queue else QUEUES.values()
    roles = user.roles - {Role.REVIEWER}  # a case waits for one reviewer, not for the role
    return [stage for _, stages in lists for stage in stages if NEXT_ROLE[stage] in roles]


def preview_next_case(*, user: User, queue: str = "", at: datetime) -> Case | None:
    """Return the case that ``claim_next_case`` would assign, or ``None``. Changes nothing."""
    passed = _map_passed_days(user, at=at)
    return next(_free_cases(user, queue, stage_durations_now(), passed, at=at), None)


def explain_next_for(*, case: Case, user: User, at: datetime) -> str:
    """Explain in one sentence why this case is next for this person. At most six queries."""
    claim = _live_claim(case, at=at)
    if claim is not None:
        return f"Already assigned. {describe_claim(claim=claim, reader=user)}"
    passed = _map_passed_days(user, at=at)
    return _explain_case(case, stage_durations_now(), passed, at=at)


def list_own_claims(*, user: User, queue: str = "", at: datetime) -> WorkClaimQuerySet:
    """Return the cases assigned to this person now: expedited ones first, then by claim."""
    live = WorkClaim.objects.live(at=at).filter(by=user).select_related("case")
    live = live.exclude(case__in=hidden_cases(user))
    if queue:
        live = live.filter(queue=queue)
    return live.order_by("case__urgency", "claimed_at", "pk")


def describe_claim(*, claim: WorkClaim, reader: User) -> str:
    """Return who has a case: "Ada Clerk has had this since 9:42 AM PT."."""
    name = "You have" if claim.by_id == reader.pk else f"{name_actor(claim.by, reader=reader)} has"
    return f"{name} had this since {format_time(timezone.localtime(claim.claimed_at))}."


@transaction.atomic
def claim_next_case(*, queue: str = "", by: User, at: datetime) -> WorkClaim | None:
    """Assign the unassigned case with the least time to spare.

    Cases with a commitment of today or earlier, or with a hold past its planned end, come first,
    those that the person recorded before those of others. Of one day, expedited cases come first;
    cases without a due date come after all dated ones. A case that the person has already does not
    come up. Cases that they released or skipped lately come last for them, but not for others.
    Equal cases sort by id, so every case comes up. A case on hold comes up again on the planned end
    of the hold, whether or not someone ends it, and on its due date.

    :param queue: one list; empty for every list of the person's roles.
    :returns: ``None`` if no case is left.
    """
    stage_durations, passed = stage_durations_now(), _map_passed_days(by, at=at)
    for case in _free_cases(by, queue, stage_durations, passed, at=at):
        locked = _lock_if_free(case, passed, by=by, at=at)
        if locked is not None:
            why = _explain_case(locked, stage_durations, passed, at=at)
            return _store_claim(locked, why=why, by=by, at=at)
    return None


@transaction.atomic
def claim_case(*, case_id: int, by: User, at: datetime) -> WorkClaim:
    """Assign one case to this person; doing it again renews the time.

    :raises NotAllowed: another role acts next.
    :raises TakenByAnother: someone else has it.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_claim(by, case))
    live_claim = _live_claim(case, at=at)
    if live_claim is None:
        return _store_claim(case, by=by, at=at)
    if live_claim.by_id != by.pk:
        raise TakenByAnother(f"Case {case.number}: {describe_claim(claim=live_claim, reader=by)}")
    return _renew_claim(live_claim, at=at)


@transaction.atomic
def assign_case(*, case_id: int, person_id: int, by: User, at: datetime) -> WorkClaim:
    """Assign one case to another person for a day. A case that someone has is not taken away.

    :raises NotAllowed: wrong role, or the person cannot act next on the case or not open it.
    :raises TakenByAnother: the person, or someone else, has it already.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_assign_to_others(by, case))
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotAllowed("Choose a person.")
    name = name_actor(person, reader=by)
    # Not why: a restriction is no one’s business but of those who are cleared.
    if not Case.objects.visible_to(person).filter(pk=case.pk).exists():
        raise NotAllowed(f"{name} cannot open case {case.number}. Choose someone else.")
    if refusal := policies.why_not_receive_case(person, case):
        raise NotAllowed(f"Not for {name}: {refusal}")
    live_claim = _live_claim(case, at=at)
    if live_claim is not None:
        raise TakenByAnother(f"Case {case.number}: {describe_claim(claim=live_claim, reader=by)}")
    return _store_claim(case, by=person, assigned_by=by, until=at + ASSIGNED_FOR, at=at)


def list_assignees(*, case_ids: Sequence[int], reader: User) -> list[User]:
    """List the people whose role acts next on one of these cases, by name. Two queries."""
    cases = Case.objects.visible_to(reader).filter(pk__in=case_ids)
    roles = set(cases.order_by().values_list("next_role", flat=True)) - {Role.REVIEWER, ""}
    people = User.objects.filter(groups__name__in=roles, is_active=True)
    return list(people.distinct().order_by("name", "pk"))


@transaction.atomic
def release_case(*, case_id: int, by: User, at: datetime) -> WorkClaim:
    """Unassign a case.

    :raises NotAllowed: it is not assigned to this person.
    """
    case = Case.objects.lock(case_id)
    claim = _live_claim(case, at=at)
    if claim is None or claim.by_id != by.pk:
        raise NotAllowed(f"Case {case.number} is not assigned to you.")
    claim.released_at = at
    claim.save(update_fields=["released_at"])
    return claim


@transaction.atomic
def skip_case(*, case_id: int, reason: str, by: User, at: datetime) -> CaseSkip:
    """Skip a case with a reason, and unassign it if this person has it.

    Supervisors see the reason, so that no case is passed over without anyone knowing why.

    :raises NotAllowed: another role acts next, or no reason.
    :raises TakenByAnother: someone else has it.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_skip(by, case))
    refuse_if("" if reason.strip() else "Enter why you skip the case.")
    claim = _live_claim(case, at=at)
    if claim is not None and claim.by_id != by.pk:
        raise TakenByAnother(f"Case {case.number}: {describe_claim(claim=claim, reader=by)}")
    if claim is not None:
        claim.released_at = at
        claim.save(update_fields=["released_at"])
    skip = CaseSkip(
        case=case,
        by=by,
        queue=case.queue,
        status=case.status,
        reason=reason.strip()[:300],
        skipped_at=at,
    )
    return skip.store(by=by, at=at, why=reason)


def list_skips(*, reader: User, before: int | None = None, limit: int) -> list[CaseSkip]:
    """List the latest skips of open cases that are still in the same stage. One query.

    :param before: the id of the last skip of the page before.
    """
    rows = CaseSkip.objects.filter(case__is_open=True, case__status=F("status"))
    rows = select_visible(rows, reader, "case").select_related("case", "by").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[:limit])


def _map_passed_days(user: User, *, at: datetime) -> dict[int, PassedDay]:
    """Map cases to the first commitment or hold whose day has come, in the order of their turn."""
    passed: dict[int, PassedDay] = {}
    for one in list_passed_days(user, today=timezone.localdate(at)):
        passed.setdefault(one.case_id, one)
    return passed


def _free_cases(
    user: User,
    queue: str,
    stage_durations: StageDurations,
    passed: Mapping[int, PassedDay],
    *,
    at: datetime,
) -> Iterator[Case]:
    """Yield the cases that this person may take: a commitment is due, then by time to spare.

    The ones they released or skipped lately last.
    """
    stages = stages_for(user=user, queue=queue)
    if not stages:
        return
    claims = WorkClaim.objects.filter(case=OuterRef("pk"))
    # “Lately” is the length of one lease.
    skips = CaseSkip.objects.filter(case=OuterRef("pk"), status=OuterRef("status"))
    given_back = Exists(claims.filter(by=user, released_at__gt=at - LEASE)) | Exists(
        skips.filter(by=user, skipped_at__gt=at - SKIPPED_FOR)
    )
    visible = _open_cases(stages).visible_to(user).exclude(Exists(claims.live(at=at)))
    # A commitment counts while the case is on hold, too.
    committed = visible.exclude(given_back).filter(pk__in=list(passed))
    found = {case.pk: case for case in committed} if passed else {}
    yield from (found[pk] for pk in passed if pk in found)
    free = visible.to_work(on=timezone.localdate(at)).exclude(pk__in=list(found))
    for rows in (free.exclude(given_back), free.filter(given_back)):
        after = None
        while True:
            candidates = next_rows(
                rows,
                sort=Sort.SLACK,
                stages=stages,
                stage_durations=stage_durations,
                after=after,
                limit=BATCH,
            )
            yield from (case for case in candidates if user.pk not in case.barred_staff)
            if len(candidates) < BATCH:
                break
            after = sort_key_of(candidates[-1], sort=Sort.SLACK, stage_durations=stage_durations)


def _open_cases(stages: list[Status]) -> CaseQuerySet:
    queues = {slug for slug, (_, states) in QUEUES.items() if set(states) & set(stages)}
    rows: CaseQuerySet = Case.objects.filter(queue__in=queues, status__in=stages)
    return rows


def _lock_if_free(
    case: Case, passed: Mapping[int, PassedDay], *, by: User, at: datetime
) -> Case | None:
    """Lock the case; ``None`` if another transaction has it or it is no longer free."""
    # Only while the case is at the stage at which it was found.
    rows = Case.objects.visible_to(by).filter(pk=case.pk, status=case.status)
    if case.pk not in passed:
        rows = rows.to_work(on=timezone.localdate(at))
    # Do not wait for a colleague who is taking this case; try the next one.
    locked = rows.lock_first(skip_locked=True)
    # Check again under the lock: another person's action may have been committed meanwhile.
    if locked is None or by.pk in locked.barred_staff or _live_claim(locked, at=at) is not None:
        return None
    return locked


def _live_claim(case: Case, *, at: datetime) -> WorkClaim | None:
    return WorkClaim.objects.live(at=at).filter(case=case).select_related("by").first()


def _explain_case(
    case: Case, stage_durations: StageDurations, passed: Mapping[int, PassedDay], *, at: datetime
) -> str:
    if case.pk in passed:
        one = passed[case.pk]
        return f"Due {format_day(one.day)}. {one.sentence}"[:LONGEST_WHY]
    return explain_next_case(
        case.due_on,
        case.status,
        stage_durations,
        today=timezone.localdate(at),
        has_due_date=bool(case.due_deadline_kind),
    )


def _store_claim(
    case: Case,
    *,
    why: str = "",
    assigned_by: User | None = None,
    until: datetime | None = None,
    by: User,
    at: datetime,
) -> WorkClaim:
    """Store the claim of a locked case; an expired claim of it is ended first."""
    for ended in WorkClaim.objects.filter(case=case, released_at__isnull=True):
        # A claim that expired has ended then, not now.
        ended.released_at = min(ended.until, at)
        ended.save(update_fields=["released_at"])
    return WorkClaim.objects.create(
        case=case,
        by=by,
        queue=case.queue,
        claimed_at=at,
        until=until or at + LEASE,
        why=why,
        assigned_by=assigned_by,
    )


def _renew_claim(claim: WorkClaim, *, at: datetime) -> WorkClaim:
    # A renewal never makes a claim shorter.
    claim.until = max(claim.until, at + LEASE)
    claim.save(update_fields=["until"])
    return claim
