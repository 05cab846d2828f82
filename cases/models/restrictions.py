"""Restricted cases: which cases only cleared people may find, and who is cleared for them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.versions import Versioned


class CaseRestriction(Versioned):
    """A period in which only cleared people find a case. It is ended, never removed."""

    class Ground(models.TextChoices):
        EMPLOYEE = "EMPLOYEE", "An employee of this organization or of its operator"
        RELATIVE = "RELATIVE", "A relative of a staff member"
        PUBLIC = "PUBLIC", "A person of public interest"
        PARTY = "PARTY", "A staff member is a party"
        OTHER = "OTHER", "Another reason"

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="restrictions")
    # The restriction of the case with which this one was restricted. All of them have the same
    # cleared people and are lifted together.
    root = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="joined_restrictions"
    )
    ground = models.CharField(max_length=10, choices=Ground)
    reason = models.CharField(max_length=500)
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_because = models.CharField(max_length=500, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                # Its index holds only the cases that are restricted now. Every list reads it.
                name="case_restricted_once",
                fields=["case"],
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_restriction_ended_at_and_by_together",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_because="")
                | Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_because=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: restricted"


class CaseClearance(Versioned):
    """A period in which one person may find a restricted case: who cleared them, and why."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="clearances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    cleared_at = models.DateTimeField()
    # Empty if the operator granted it by the command ``restore_clearance``.
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    # Empty if a scheduled check found an affiliation of the person with a party.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_because = models.CharField(max_length=500, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="case_cleared_once",
                fields=["case", "user"],
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_clearance_ended_for_a_reason",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_because="")
                | Q(ended_at__isnull=False) & ~Q(ended_because=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: clearance"


def restricted_now() -> QuerySet[CaseRestriction]:
    """Select the restrictions that have not ended."""
    rows: QuerySet[CaseRestriction] = CaseRestriction.objects.filter(ended_at__isnull=True)
    return rows


def select_joint_restrictions(restriction: CaseRestriction) -> QuerySet[CaseRestriction]:
    """Select the present restrictions of all cases that were restricted together."""
    root = restriction.root_id or restriction.pk
    return restricted_now().filter(Q(pk=root) | Q(root=root)).order_by("case_id")


# Every list and every page asks this. As text, because Django would write it again each time.
HIDDEN_CASES = (
    "SELECT r.case_id FROM cases_caserestriction r WHERE r.ended_at IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM cases_caseclearance c "
    "WHERE c.case_id = r.case_id AND c.user_id = %s AND c.ended_at IS NULL)"
)


def select_hidden_ids(user: User) -> RawSQL:
    """Select the ids of the cases that are hidden from a person, as a subquery.

    Restricted cases are few, so the database reads the subquery once and compares ids, which every
    index of cases contains: a list is still one walk along its index.
    """
    return RawSQL(HIDDEN_CASES, [user.pk], models.BigIntegerField())  # noqa: S611 - ours


def hidden_cases(user: User) -> QuerySet[CaseRestriction, Any]:
    """Select the ids of the cases that are hidden from a person, as rows of restrictions."""
    return restricted_now().filter(case__in=select_hidden_ids(user)).values("case")


def hidden_numbers(user: User) -> QuerySet[CaseRestriction, Any]:
    """Select the numbers of the cases that are hidden from a person, for use as a subquery."""
    return hidden_cases(user).values("case__number")


def is_hidden(case_id: int | None, user: User) -> bool:
    """Whether a case is hidden from a person. One query."""
    return case_id is not None and hidden_cases(user).filter(case=case_id).exists()


def select_visible(rows: Any, user: User, *paths: str) -> Any:
    """Leave out rows whose case is hidden from a person.

    :param paths: the foreign keys to a case; each of these cases must be visible.
    """
    for path in paths or ("case",):
        rows = rows.exclude(**{f"{path}__in": select_hidden_ids(user)})
    return rows
