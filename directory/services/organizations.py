"""Record owners, officers and duplicate entries of organizations, which the conflict check uses."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from directory import policies
from directory.models import (
    Organization,
    OrganizationOfficer,
    OrganizationParent,
    SameOrganization,
    TwoTimeFact,
)

from . import people
from .facts import lock_fact

KINDS: dict[str, type[TwoTimeFact]] = {
    "parent": OrganizationParent,
    "officer": OrganizationOfficer,
    "same": SameOrganization,
}


@transaction.atomic
def record_parent(
    *,
    child_id: int,
    parent_name: str,
    share_percent: Decimal | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    source: str,
    by: User | None,
    at: datetime,
) -> OrganizationParent:
    """Record that one organization owns or controls another, for a time.

    :param parent_name: used to find the owner; a new organization is stored if there is none.
    :param share_percent: of the child, 0 to 100; ``None`` for control without a known share.
    :raises NotAllowed: wrong role, its own owner, an end before the beginning, or no source.
    """
    _refuse_bad_fact(by, valid_from, valid_to, source)
    refuse_if("" if parent_name.strip() else "Enter the owner’s name.")
    if share_percent is not None and not 0 < share_percent <= 100:
        refuse_if("A share is between 0 and 100 percent.")
    parent = people.find_or_store_organization(
        name=parent_name.strip(), source=source, by=by, at=at
    )
    # Known only after the look-up; a refusal also undoes the owner that was just stored.
    refuse_if("An organization cannot own itself." if parent.pk == child_id else "")
    return OrganizationParent.objects.create(
        child_id=child_id,
        parent=parent,
        share_percent=share_percent,
        valid_from=valid_from,
        valid_to=valid_to,
        source=source.strip(),
        recorded_at=at,
        recorded_by=by,
    )


@transaction.atomic
def record_officer(
    *,
    organization_id: int,
    person_name: str,
    title: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
    source: str,
    by: User | None,
    at: datetime,
) -> OrganizationOfficer:
    """Record an officer, director or manager of an organization.

    A name alone does not identify a person, so a new person is always stored.

    :raises NotAllowed: wrong role, no name or title, an end before the beginning, or no source.
    """
    _refuse_bad_fact(by, valid_from, valid_to, source)
    refuse_if("" if person_name.strip() else "Enter the officer’s name.")
    refuse_if("" if title.strip() else "Enter the title: director, manager, …")
    person = people.store_person(name=person_name.strip(), source=source, by=by, at=at)
    return OrganizationOfficer.objects.create(
        organization_id=organization_id,
        person=person,
        title=title.strip(),
        valid_from=valid_from,
        valid_to=valid_to,
        source=source.strip(),
        recorded_at=at,
        recorded_by=by,
    )


@transaction.atomic
def record_same_organization(
    *,
    organization_id: int,
    same_as_name: str,
    reason: str,
    by: User | None,
    at: datetime,
) -> SameOrganization:
    """Record that two entries are the same organization.

    Both entries stay, and affiliations with either count for both.

    :raises NotAllowed: wrong role, no reason, no such organization, or the same entry.
    """
    refuse_if(policies.why_not_keep_organizations(by))
    refuse_if("" if reason.strip() else "Say how you know that they are the same.")
    other = people.find_organization(same_as_name)
    if other is None:
        raise NotAllowed(f"No organization is on file as “{same_as_name.strip()}”.")
    refuse_if("That is this entry itself." if other.pk == organization_id else "")
    return SameOrganization.objects.create(
        organization_id=organization_id,
        same_as=other,
        reason=reason.strip()[:300],
        recorded_at=at,
        recorded_by=by,
        # What tells that two entries are the same is also the source of the fact.
        source=reason.strip()[:200],
    )


@transaction.atomic
def withdraw_organization_fact(
    *, kind: str, fact_id: int, reason: str, by: User | None, at: datetime
) -> TwoTimeFact:
    """Withdraw a fact that was recorded in error. It stays readable in the history.

    :param kind: one of ``KINDS``.
    :raises NotAllowed: wrong role, no reason, or it has been corrected.
    """
    refuse_if(policies.why_not_keep_organizations(by))
    refuse_if("" if reason.strip() else "Enter a reason.")
    old = lock_fact(KINDS[kind], fact_id)
    return old.corrected(source=reason.strip()[:200], withdrawn=True, by=by, at=at)


def list_organization_names(organization: Organization) -> list[str]:
    """Return the current names of an organization, the newest first. One query."""
    rows = organization.names.current().order_by("-recorded_at", "-pk")
    return list(dict.fromkeys(rows.values_list("printed", flat=True)))


def _refuse_bad_fact(
    by: User | None, valid_from: date | None, valid_to: date | None, source: str
) -> None:
    refuse_if(policies.why_not_keep_organizations(by))
    if valid_from and valid_to and valid_to < valid_from:
        refuse_if("The last day is before the first day. Check both.")
    refuse_if("" if source.strip() else "Enter the source.")
