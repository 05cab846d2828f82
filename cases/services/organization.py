"""Keeping who belongs to this organization and their affiliations, as dated facts."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, refuse
from cases import policies
from cases.models import MemberAffiliation, OrganizationMember
from directory.models import AffiliationRelation, Kin, TwoTimeFact
from directory.services import people
from directory.services.facts import lock_fact

Kind = OrganizationMember.Kind
KINDS: dict[str, type[TwoTimeFact]] = {"member": OrganizationMember, "conflict": MemberAffiliation}


@transaction.atomic
def record_member(
    *,
    kind: OrganizationMember.Kind | str,
    name: str = "",
    is_company: bool = False,
    user_id: int | None = None,
    title: str = "",
    share_percent: Decimal | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    source: str,
    by: User | None,
    at: datetime,
) -> OrganizationMember:
    """Record who belonged to the organization for a time.

    A company's printed name finds the row that is on file under it. A person's name proves
    nothing, so it always makes a new row; a party who is called the same is then a doubt.

    :param name: of the organization, owner or officer; a member of staff is called as they sign in.
    :param is_company: the owner is an organization.
    :param user_id: who signs in; a reviewer is tested as a reviewer and is no member of staff.
    :param share_percent: of this organization, above 0 to 100.
    :raises NotAllowed: wrong role, no one named, a share or days that cannot be, or no source.
    """
    refuse(policies.why_not_keep_own_organization(by))
    if kind not in Kind.values:
        refuse("Say what they are: the organization, an owner, an officer or staff.")
    _refuse_impossible(share_percent, valid_from, valid_to, source)
    row = OrganizationMember(kind=kind, title=title.strip(), share_percent=share_percent)
    if user_id is not None and kind != Kind.ITSELF and not is_company:
        row.user = User.objects.filter(pk=user_id, ever_reviewer=False).first()
        if row.user is None:
            raise BadFact("user", "Choose someone who signs in and is not a reviewer.")
    if kind == Kind.STAFF:
        if row.user is None:
            raise BadFact("user", "Choose who it is.")
        row.name = row.user.name
    elif not name.strip():
        raise BadFact("name", "Enter the name.")
    else:
        row.name = name.strip()[:300]
        if kind == Kind.ITSELF or (kind == Kind.OWNER and is_company):
            row.organization = people.find_or_store_organization(
                name=row.name, source=source, by=by, at=at
            )
        else:
            row.person = people.store_person(name=row.name, source=source, by=by, at=at)
    if kind == Kind.OFFICER and not row.title:
        raise BadFact("title", "Say what the officer is: director, manager, …")
    row.valid_from, row.valid_to, row.source = valid_from, valid_to, source.strip()[:200]
    row.recorded_at, row.recorded_by = at, by
    row.save(force_insert=True)
    return row


@transaction.atomic
def record_conflict(
    *,
    member_id: int,
    relation: AffiliationRelation | str,
    organization_name: str = "",
    person_name: str = "",
    kin: str = "",
    share_percent: Decimal | None = None,
    note: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
    source: str,
    by: User | None,
    at: datetime,
) -> MemberAffiliation:
    """Record an affiliation between someone of the organization and an organization or a person,
    for a time.

    A family affiliation names the relative, what the relative is tied to, or both.

    :raises NotAllowed: wrong role, no one named, or an affiliation that cannot be so.
    """
    refuse(policies.why_not_keep_own_organization(by))
    if relation not in AffiliationRelation.values:
        raise BadFact("relation", "Choose the relation.")
    if kin and (kin not in Kin.values or relation != AffiliationRelation.FAMILY):
        raise BadFact("kin", "Only a family affiliation has a relative. Check the relation.")
    if not organization_name.strip() and not person_name.strip():
        raise BadFact("organization_name", "Name the organization, the person, or both.")
    _refuse_impossible(share_percent, valid_from, valid_to, source)
    row = MemberAffiliation(
        member_id=member_id,
        relation=relation,
        kin=kin,
        share_percent=share_percent,
        note=note.strip()[:300],
        valid_from=valid_from,
        valid_to=valid_to,
        source=source.strip()[:200],
        recorded_at=at,
        recorded_by=by,
    )
    if organization_name.strip():
        row.organization = people.find_or_store_organization(
            name=organization_name.strip(), source=source, by=by, at=at
        )
    if person_name.strip():
        row.person = people.store_person(name=person_name.strip(), source=source, by=by, at=at)
    row.save(force_insert=True)
    return row


@transaction.atomic
def correct(
    *, kind: str, fact_id: int, changes: Mapping[str, Any], by: User | None, at: datetime
) -> TwoTimeFact:
    """Correct the days, the share or the source of a fact, or end it with its last day.

    Who it is stays: someone else is another fact.

    :param kind: one of ``KINDS``.
    :param changes: of ``valid_from``, ``valid_to``, ``share_percent`` and ``source``.
    :raises NotAllowed: wrong role, corrected already, or what cannot be so.
    """
    refuse(policies.why_not_keep_own_organization(by))
    old = lock_fact(KINDS[kind], fact_id)
    after = {
        name: changes.get(name, getattr(old, name))
        for name in ("valid_from", "valid_to", "share_percent", "source")
    }
    _refuse_impossible(
        after["share_percent"], after["valid_from"], after["valid_to"], after["source"]
    )
    return old.corrected(**after | {"source": after["source"].strip()[:200]}, by=by, at=at)


@transaction.atomic
def withdraw(*, kind: str, fact_id: int, reason: str, by: User | None, at: datetime) -> TwoTimeFact:
    """Say that a fact was never true. It stays readable as what was believed till now.

    :param kind: one of ``KINDS``.
    :raises NotAllowed: wrong role, no reason, or corrected already.
    """
    refuse(policies.why_not_keep_own_organization(by))
    refuse("" if reason.strip() else "Say why it was never true.")
    old = lock_fact(KINDS[kind], fact_id)
    return old.corrected(source=reason.strip()[:200], withdrawn=True, by=by, at=at)


def _refuse_impossible(
    share: Decimal | None, valid_from: date | None, valid_to: date | None, source: str
) -> None:
    if share is not None and not 0 < share <= 100:
        raise BadFact("share_percent", "A share lies above 0 and is 100 percent at most.")
    if valid_from and valid_to and valid_to < valid_from:
        raise BadFact("valid_to", "It ends before it begins. Check both days.")
    if not source.strip():
        raise BadFact("source", "Say where this is known from.")
