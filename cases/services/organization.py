"""Members of this organization and their affiliations, recorded as dated facts."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, refuse_if
from cases import policies
from cases.models import MemberAffiliation, OrganizationMember
from directory.models import AffiliationRelation, Kin, TwoTimeFact
from directory.services import people
from directory.services.facts import lock_fact

Kind = OrganizationMember.Kind
KINDS: dict[str, type[TwoTimeFact]] = {
    "member": OrganizationMember,
    "affiliation": MemberAffiliation,
}


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
    """Record a member of the organization for a period.

    A company is matched by name to the company on file. A person always gets a new row, because a
    name does not identify a person; a party with the same name is then a possible affiliation.

    :param name: of the organization, owner or officer; staff members use the name of their user.
    :param is_company: the owner is an organization.
    :param user_id: the user account; reviewers are checked as reviewers and are not staff members.
    :param share_percent: share of this organization, above 0 and up to 100.
    :raises NotAllowed: wrong role, no name, an impossible share or period, or no source.
    """
    refuse_if(policies.why_not_keep_own_organization(by))
    if kind not in Kind.values:
        refuse_if("Choose the kind: the organization, an owner, an officer or staff.")
    _refuse_impossible(share_percent, valid_from, valid_to, source)
    row = OrganizationMember(kind=kind, title=title.strip(), share_percent=share_percent)
    if user_id is not None and kind != Kind.ITSELF and not is_company:
        # Former reviewers are refused too, because their names stay hidden.
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
        raise BadFact("title", "Enter the office: director, manager, …")
    row.valid_from, row.valid_to, row.source = valid_from, valid_to, source.strip()[:200]
    row.recorded_at, row.recorded_by = at, by
    # Insert only: the database refuses changes to these rows.
    row.save(force_insert=True)
    return row


@transaction.atomic
def record_member_affiliation(
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
    """Record an affiliation of a member with an organization or a person, for a period.

    A family affiliation names the relative, the organization of the relative, or both.

    :raises NotAllowed: wrong role, no name, or inconsistent values.
    """
    refuse_if(policies.why_not_keep_own_organization(by))
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
def correct_member_fact(
    *, kind: str, fact_id: int, changes: Mapping[str, Any], by: User | None, at: datetime
) -> TwoTimeFact:
    """Correct the period, share or source of a fact, or end it with its last day.

    The person or company does not change: that would be another fact.

    :param kind: one of ``KINDS``.
    :param changes: of ``valid_from``, ``valid_to``, ``share_percent`` and ``source``.
    :raises NotAllowed: wrong role, already corrected, or inconsistent values.
    """
    refuse_if(policies.why_not_keep_own_organization(by))
    # Two corrections of one row would break its chain.
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
def withdraw_member_fact(
    *, kind: str, fact_id: int, reason: str, by: User | None, at: datetime
) -> TwoTimeFact:
    """Withdraw a fact that was never true. It stays in the history.

    :param kind: one of ``KINDS``.
    :raises NotAllowed: wrong role, no reason, or already corrected.
    """
    refuse_if(policies.why_not_keep_own_organization(by))
    refuse_if("" if reason.strip() else "Enter why it was never true.")
    old = lock_fact(KINDS[kind], fact_id)
    return old.corrected(source=reason.strip()[:200], withdrawn=True, by=by, at=at)


def _refuse_impossible(
    share: Decimal | None, valid_from: date | None, valid_to: date | None, source: str
) -> None:
    """Refuse a share, period or source that cannot be right."""
    if share is not None and not 0 < share <= 100:
        raise BadFact("share_percent", "A share must be above 0 and at most 100 percent.")
    if valid_from and valid_to and valid_to < valid_from:
        raise BadFact("valid_to", "The last day is before the first day. Check both dates.")
    if not source.strip():
        raise BadFact("source", "Enter the source of this information.")
