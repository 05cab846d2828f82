"""Members of this organization, their affiliations, and conflict check results per case."""

from django.conf import settings
from django.db import models

from directory.affiliations import DEFAULT_LIMITS, ConflictLevel, Level, judge_affiliation
from directory.models.facts import TwoTimeFact
from directory.models.people import AffiliationFields, Organization, Person

from .case import Case
from .parties import Party


class OrganizationMember(TwoTimeFact):
    """The organization itself, an owner, an officer or a member of staff, for a time.

    Labor Code 139.5 requires independence from insurers and administrators, and names owners,
    officers and directors. The membership on any past day must stay on record.
    """

    class Kind(models.TextChoices):
        ITSELF = "ITSELF", "This organization"
        OWNER = "OWNER", "Owner"
        OFFICER = "OFFICER", "Officer or director"
        STAFF = "STAFF", "Staff member"

    kind = models.CharField(max_length=8, choices=Kind)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Set for every staff member, and for an owner or officer who also works here.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # As recorded. Staff members are checked under the present name of their account.
    name = models.CharField(max_length=300)
    title = models.CharField(max_length=120, blank=True)  # an officer's office
    share_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)

    class Meta(TwoTimeFact.Meta):
        constraints = [
            models.CheckConstraint(
                # Staff members are users, so that their conflicts can bar them from a case.
                name="organization_member_is_someone",
                condition=models.Q(
                    kind="ITSELF", organization__isnull=False, person=None, user=None
                )
                | models.Q(kind="OWNER", organization__isnull=False, person=None, user=None)
                | models.Q(kind__in=["OWNER", "OFFICER"], person__isnull=False, organization=None)
                | models.Q(kind="STAFF", user__isnull=False, organization=None, person=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"


class MemberAffiliation(TwoTimeFact, AffiliationFields):
    """A dated affiliation of a member of this organization with a company or a person."""

    # Any version of the member: affiliations stay with the member when a row is corrected.
    member = models.ForeignKey(
        OrganizationMember, on_delete=models.PROTECT, related_name="conflicts"
    )

    class Meta(TwoTimeFact.Meta):
        constraints = [
            models.CheckConstraint(
                name="own_conflict_with_someone",
                condition=models.Q(organization__isnull=False) | models.Q(person__isnull=False),
            )
        ]

    @property
    def level(self) -> Level | None:
        """Who forbids the affiliation, if it is with a party; ``None`` if it is too small."""
        return judge_affiliation(self, DEFAULT_LIMITS)


class OwnConflictResult(models.Model):
    """Result of one conflict check of the organization against the parties of a case. Append-only.

    A check writes one row that nothing was found, or one row for each finding; rows of one check
    share its ``run``. The answer of a person is a new row, whose ``resolves`` is the unknown
    result. What was checked can be read again from the facts as known at ``tested_at``.
    """

    class Result(models.TextChoices):
        PASS = "PASS", "No affiliation"
        FAIL = "FAIL", "Affiliation"
        UNKNOWN = "UNKNOWN", "To be resolved"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="own_conflict_results")
    run = models.PositiveIntegerField()  # 1 is the check on receipt
    party_list_version = models.PositiveIntegerField()
    # Shows which cases were checked with older facts and have to be checked again.
    own_organization = models.CharField(max_length=64)  # digest of the facts that were used
    members_tested = models.PositiveIntegerField()
    parties_tested = models.JSONField(default=list)  # ids of Party
    member = models.ForeignKey(
        OrganizationMember, on_delete=models.PROTECT, null=True, related_name="results"
    )
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    relation = models.CharField(max_length=16)
    result = models.CharField(max_length=8, choices=Result)
    tested = models.JSONField(default=list)  # every relation that the row covers
    sentence = models.CharField(max_length=400)
    # Who forbids the affiliation, and where. Empty if there is none.
    level = models.CharField(max_length=12, choices=ConflictLevel, blank=True)
    level_source = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)  # of the person who resolved it
    tested_at = models.DateTimeField()
    tested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # One answer for each result, even if two people answer at once.
    resolves = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="resolved_by"
    )

    class Meta:
        indexes = [
            models.Index(fields=["case", "run"], name="own_conflict_result_of"),
            # Almost every row says that nothing was found, so findings have an index of their own.
            models.Index(
                fields=["case"],
                name="own_conflict_result_found",
                condition=models.Q(result__in=["FAIL", "UNKNOWN"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # A check without findings has a row too, as evidence that it was made.
                name="own_conflict_result_of_someone",
                condition=models.Q(relation="NONE", result="PASS", member=None, party=None)
                | models.Q(member__isnull=False, party__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_result_display()}"
