"""Restrict a case to cleared people, lift the restriction, and keep the list of cleared people."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from cases import policies
from cases.models import Case, CaseClearance, CaseRestriction, Event
from cases.models.restrictions import restricted_now, select_joint_restrictions
from cases.related_cases import find_ids_of_worker, find_linked_ids, list_related_cases


@transaction.atomic
def restrict_case(
    *,
    case_id: int,
    ground: str,
    reason: str,
    cleared: Collection[int] = (),
    related: Collection[int] = (),
    by: User,
    at: datetime,
) -> CaseRestriction:
    """Restrict a case and related cases: only cleared people find them from now on.

    Linked cases name each other, so they are restricted together, with the same cleared people.
    The person who restricts them is cleared, and so are the people in ``cleared``. An assigned
    reviewer keeps access to their own review.

    :param ground: a value of ``CaseRestriction.Ground``.
    :param cleared: ids of users to clear at once.
    :param related: ids of the related cases to restrict as well, as the person has confirmed them;
        see ``list_related_cases``. All linked ones are needed.
    :raises NotAllowed: wrong role, already restricted, no reason, a linked case that was not
        confirmed, or a person who may not be cleared.
    """
    cases = _lock_with_related(case_id, related)
    case = cases[case_id]
    refuse_if(policies.why_not_restrict(by))
    if ground not in CaseRestriction.Ground.values:
        raise BadFact("ground", "Choose why the case is restricted.")
    if not reason.strip():
        raise BadFact("reason", "Enter a reason.")
    if restricted_now().filter(case=case).exists():
        raise NotAllowed(f"Case {case.number} is already restricted.")
    _refuse_other_related(case, related)
    root = _restrict(case, None, ground, reason, by=by, at=at)
    people = list(User.objects.filter(pk__in=[*cleared, by.pk]).order_by("pk"))
    for person in people:
        _clear(case, person, reason, by=by, at=at)
    for other in cases.values():
        if other.pk != case.pk:
            _join(other, root, people, reason, by=by, at=at)
    return root


@transaction.atomic
def restrict_related_cases(
    *, case_id: int, related: Collection[int], reason: str, by: User, at: datetime
) -> list[CaseRestriction]:
    """Restrict more cases together with a restricted one, such as a later case of the worker.

    :param related: ids of the cases, as the person has confirmed them. All linked ones are needed.
    :raises NotAllowed: wrong role, not restricted, no clearance, no reason, or a linked case that
        was not confirmed.
    """
    cases = _lock_with_related(case_id, related)
    case = cases.pop(case_id)
    refuse_if(policies.why_not_keep_clearances(by, case))
    refuse_if("" if reason.strip() else "Enter a reason.")
    refuse_if("" if cases else "Choose at least one case.")
    _refuse_other_related(case, related)
    for other in cases.values():
        # Someone with an affiliation to a party of one of them could not keep the common list.
        refuse_if(policies.why_not_clear(by, other))
    return [_join_restriction_of(case, other, reason, by=by, at=at) for other in cases.values()]


def spread_restriction(*, case: Case, other: Case, by: User, at: datetime) -> None:
    """Restrict the second of two cases that were just linked, if one of them is restricted.

    Call it in the transaction that links them. The cases linked to the second one follow.
    """
    restricted_ids = set(
        restricted_now().filter(case__in=[case, other]).values_list("case_id", flat=True)
    )
    if len(restricted_ids) != 1:
        return  # neither is, or each has its own people
    restricted, joining = (case, other) if case.pk in restricted_ids else (other, case)
    cases: dict[int, Case] = {}
    # Someone may link another case until these are locked, so look again after each lock.
    while (linked := find_linked_ids(joining.pk) | {joining.pk}) - cases.keys():
        cases = Case.objects.lock_all(linked)
    hidden = set(restricted_now().filter(case__in=linked).values_list("case_id", flat=True))
    reason = "Linked to a restricted case."
    for one in (case for pk, case in cases.items() if pk not in hidden):
        _join_restriction_of(restricted, one, reason, by=by, at=at)


@transaction.atomic
def lift_restriction(*, case_id: int, reason: str, by: User, at: datetime) -> CaseRestriction:
    """Lift the restriction of a case and of all cases restricted with it; clearances end with it.

    :raises NotAllowed: wrong role, not restricted, no clearance, or no reason.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_keep_clearances(by, case))
    refuse_if("" if reason.strip() else "Enter a reason.")
    own: CaseRestriction = restricted_now().get(case=case)
    rows = list(select_joint_restrictions(own))
    cases = Case.objects.lock_all(row.case_id for row in rows)
    for row in rows:
        row.ended_at, row.ended_by, row.ended_because = at, by, reason.strip()
        row.store(by=by, at=at, why=reason)
        one = cases[row.case_id]
        for clearance in one.clearances.filter(ended_at__isnull=True).order_by("pk"):
            _end(clearance, "The restriction was lifted.", by=by, at=at)
        _write_event(
            one, Event.Kind.RESTRICTION_LIFTED, "The restriction is lifted.", reason, by=by, at=at
        )
    own.refresh_from_db()
    return own


@transaction.atomic
def clear_person(
    *, case_id: int, user_id: int, reason: str, by: User, at: datetime
) -> CaseClearance:
    """Clear one person for a restricted case and all cases restricted with it.

    :raises NotAllowed: wrong role, no clearance of one's own, no reason, or a person who cannot be
        cleared or already is.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_keep_clearances(by, case))
    refuse_if("" if reason.strip() else "Enter a reason.")
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise BadFact("person", "Choose a person.")
    if case.clearances.filter(user=person, ended_at__isnull=True).exists():
        raise BadFact("person", "This person is already cleared for this case.")
    return _clear_for_all(case, person, reason, by=by, at=at)


@transaction.atomic
def restore_clearance(
    *, case_id: int, user_id: int, reason: str, by: User | None, at: datetime
) -> CaseClearance:
    """Clear a medical director or supervisor for a case whose list nobody can keep anymore.

    For a command of the operator: everyone who kept the list has left or lost the role.

    :raises NotAllowed: not restricted, someone can still keep the list, no reason, or the person
        could not keep it either.
    """
    case = Case.objects.lock(case_id)
    refuse_if("" if reason.strip() else "Enter a reason.")
    refuse_if(
        ""
        if restricted_now().filter(case=case).exists()
        else f"Case {case.number} is not restricted."
    )
    refuse_if(
        "Someone who is cleared can still clear others for this case."
        if policies.list_keepers(case)
        else ""
    )
    person = User.objects.get(pk=user_id)
    refuse_if(policies.why_not_restrict(person))
    # A person who is cleared already may have an affiliation that became known later.
    for one in _lock_joint_cases(case):
        refuse_if(policies.why_not_clear(person, one))
    return _clear_for_all(case, person, reason, by=by, at=at)


@transaction.atomic
def end_clearance(*, clearance_id: int, reason: str, by: User, at: datetime) -> CaseClearance:
    """End the clearance of one person, for all cases restricted together.

    :raises NotAllowed: wrong role, no clearance of one's own, no reason, already ended, or the last
        person who could keep the list.
    """
    case_id = CaseClearance.objects.values_list("case_id", flat=True).get(pk=clearance_id)
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_keep_clearances(by, case))
    refuse_if("" if reason.strip() else "Enter a reason.")
    own = CaseClearance.objects.select_related("user").get(pk=clearance_id)
    refuse_if("This clearance has ended." if own.ended_at else "")
    refuse_if(policies.why_not_end_clearance(own))
    joint = CaseClearance.objects.filter(
        user=own.user, ended_at__isnull=True, case__in=_lock_joint_cases(case)
    )
    for clearance in joint.select_related("case", "user").order_by("case_id"):
        _end(clearance, reason, by=by, at=at)
        _write_event(
            clearance.case,
            Event.Kind.CLEARANCE_ENDED,
            f"The clearance of {clearance.user} has ended.",
            reason,
            by=by,
            at=at,
        )
    own.refresh_from_db()
    return own


def end_clearances_of_barred_staff(*, case: Case, by: User | None, at: datetime) -> None:
    """End the clearances of people who are barred from a locked case. One query if there are none.

    Nobody with an affiliation to a party is cleared, so nobody stays cleared either. Other cases
    restricted with this one stay open to them. If nobody can keep the list now, the nightly run
    says so, and the operator runs ``restore_clearance``.
    """
    rows = case.clearances.filter(user__in=case.barred_staff, ended_at__isnull=True)
    for clearance in rows.order_by("pk"):
        _end(
            clearance,
            "A conflict check found that this person has, or may have, an affiliation with a "
            "party.",
            by=by,
            at=at,
        )
        # Without the name: once the restriction is lifted, everyone on the case reads it.
        _write_event(
            case,
            Event.Kind.CLEARANCE_ENDED,
            "A clearance has ended because of a conflict check.",
            "",
            by=by,
            at=at,
        )


def _lock_with_related(case_id: int, related: Collection[int]) -> dict[int, Case]:
    """Lock a case with the related cases that are not restricted yet, by id."""
    restricted = restricted_now().filter(case__in=related).values_list("case_id", flat=True)
    return Case.objects.lock_all({case_id, *related} - (set(restricted) - {case_id}))


def _refuse_other_related(case: Case, related: Collection[int]) -> None:
    """Refuse if a linked case was not confirmed, or a confirmed case is not related."""
    offered = {one.case.pk: one for one in list_related_cases(case)}
    missing = [one for pk, one in offered.items() if one.is_linked and pk not in set(related)]
    if missing:
        numbers = ", ".join(one.case.number for one in missing)
        raise BadFact(
            "related",
            f"Linked cases are restricted together. Check the list and select {numbers} as well.",
        )
    known = find_linked_ids(case.pk) | find_ids_of_worker(case.pk)
    if set(related) - known:
        raise BadFact("related", "Choose cases that are related to this one.")


def _restrict(
    case: Case,
    root: CaseRestriction | None,
    ground: str,
    reason: str,
    *,
    by: User,
    at: datetime,
) -> CaseRestriction:
    row = CaseRestriction(
        case=case, root=root, ground=ground, reason=reason.strip(), begun_at=at, begun_by=by
    ).store(by=by, at=at, why=reason)
    together = f", together with {root.case.number}" if root else ""
    _write_event(
        case,
        Event.Kind.RESTRICTED,
        f"The case is restricted{together}: {row.get_ground_display().lower()}.",
        reason,
        by=by,
        at=at,
    )
    return row


def _join(
    case: Case,
    root: CaseRestriction,
    people: Collection[User],
    reason: str,
    *,
    by: User,
    at: datetime,
) -> CaseRestriction:
    """Restrict a case together with another one, and clear the same people for it."""
    row = _restrict(case, root, root.ground, reason, by=by, at=at)
    for person in people:
        _clear(case, person, reason, by=by, at=at)
    return row


def _join_restriction_of(
    restricted: Case, case: Case, reason: str, *, by: User, at: datetime
) -> CaseRestriction:
    own = restricted_now().select_related("root__case", "case").get(case=restricted)
    cleared = restricted.clearances.filter(ended_at__isnull=True).select_related("user")
    # Someone with an affiliation to a party of the other case cannot be cleared for it.
    people = [
        one.user for one in cleared.order_by("pk") if not policies.why_not_clear(one.user, case)
    ]
    return _join(case, own.root or own, people, reason, by=by, at=at)


def _lock_joint_cases(case: Case) -> list[Case]:
    """Lock all cases that were restricted together with a case, including itself."""
    own: CaseRestriction = restricted_now().get(case=case)
    ids = select_joint_restrictions(own).values_list("case_id", flat=True)
    return list(Case.objects.lock_all(ids).values())


def _clear_for_all(
    case: Case, person: User, reason: str, *, by: User | None, at: datetime
) -> CaseClearance:
    """Clear a person for all cases that were restricted together; return the row of one case."""
    joint = _lock_joint_cases(case)
    for one in joint:
        if not one.clearances.filter(user=person, ended_at__isnull=True).exists():
            _clear(one, person, reason, by=by, at=at)
    return case.clearances.get(user=person, ended_at__isnull=True)


def _clear(
    case: Case, person: User, reason: str, *, by: User | None, at: datetime
) -> CaseClearance:
    refuse_if(policies.why_not_clear(person, case))
    row = CaseClearance(
        case=case, user=person, reason=reason.strip(), cleared_at=at, cleared_by=by
    ).store(by=by, at=at, why=reason)
    _write_event(
        case, Event.Kind.CLEARED, f"{person} is cleared for this case.", reason, by=by, at=at
    )
    return row


def _end(clearance: CaseClearance, reason: str, *, by: User | None, at: datetime) -> None:
    clearance.ended_at, clearance.ended_by, clearance.ended_because = at, by, reason.strip()
    clearance.store(by=by, at=at, why=reason)


def _write_event(
    case: Case, kind: Event.Kind, sentence: str, reason: str, *, by: User | None, at: datetime
) -> None:
    Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=reason.strip()
    )
