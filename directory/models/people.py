"""Persons and organizations named in cases, with their names over time.

Reviewers are not among them (see ``reviewers.Reviewer``), and searches here never find users.
"""

from django.db import models

from accounts.versions import Versioned

from .facts import TwoTimeFact


class Person(Versioned):
    """A person named in an application: a worker, a physician, an attorney."""

    date_of_birth = models.DateField(null=True, blank=True)
    date_of_birth_printed = models.CharField(max_length=40, blank=True)
    npi = models.CharField("NPI", max_length=20, blank=True)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return f"Person {self.pk}"


class PersonName(TwoTimeFact):
    """A name of a person."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="names")
    first = models.CharField(max_length=120, blank=True)
    middle = models.CharField(max_length=120, blank=True)
    last = models.CharField(max_length=160, blank=True)
    suffix = models.CharField(max_length=40, blank=True)
    printed = models.CharField(max_length=300)
    normal = models.CharField(max_length=300, db_index=True)  # folded, for look-ups

    def __str__(self) -> str:
        return self.printed


class SamePerson(TwoTimeFact):
    """Two entries of the same person. Undone by a correction, never by deleting."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="merged_into")
    same_as = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="merged_from")
    reason = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.person} is {self.same_as}"


class Organization(Versioned):
    """An employer, insurer, claims administrator, medical group, facility, manufacturer …"""

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return f"Organization {self.pk}"


class OrganizationName(TwoTimeFact):
    """A name of an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="names")
    printed = models.CharField(max_length=300)
    normal = models.CharField(max_length=300, db_index=True)

    def __str__(self) -> str:
        return self.printed


class OrganizationParent(TwoTimeFact):
    """One organization owns or controls another, for a time."""

    child = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="parents")
    parent = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="children")
    # NULL: control without a known share.
    share_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.child} belongs to {self.parent}"


class OrganizationOfficer(TwoTimeFact):
    """An officer, director or manager of an organization, for a time (Labor Code 139.5)."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="officers"
    )
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="offices")
    title = models.CharField(max_length=120)

    def __str__(self) -> str:
        return f"{self.title} of {self.organization}"


class SameOrganization(TwoTimeFact):
    """Two entries of the same organization."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="merged_into"
    )
    same_as = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="merged_from")
    reason = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.organization} is {self.same_as}"


class Kin(models.TextChoices):
    """How a relative is related to the person who is checked.

    The conflict limits say which relatives count.
    """

    SPOUSE = "SPOUSE", "Spouse"
    COHABITANT = "COHABITANT", "Cohabitant"
    PARENT = "PARENT", "Parent"
    CHILD = "CHILD", "Child"
    SIBLING = "SIBLING", "Sibling"
    GRANDPARENT = "GRANDPARENT", "Grandparent"
    GRANDCHILD = "GRANDCHILD", "Grandchild"
    UNCLE_AUNT = "UNCLE_AUNT", "Uncle or aunt"
    NEPHEW_NIECE = "NEPHEW_NIECE", "Nephew or niece"
    SPOUSES_PARENT = "SPOUSES_PARENT", "Spouse’s parent"
    CHILDS_SPOUSE = "CHILDS_SPOUSE", "Child’s spouse"
    COUSIN = "COUSIN", "Cousin"
    OTHER = "OTHER", "Other relative"


class AffiliationRelation(models.TextChoices):
    """The kinds of affiliation with a company or person that may be a party to a case."""

    EMPLOYMENT = "EMPLOYMENT", "Employment"
    CONTRACT = "CONTRACT", "Contract"
    UR_CONTRACT = "UR_CONTRACT", "Contract for utilization review"
    OWNERSHIP = "OWNERSHIP", "Ownership or holding"
    FAMILY = "FAMILY", "Family"
    PRIVILEGES = "PRIVILEGES", "Privileges at a facility"
    SAME_GROUP = "SAME_GROUP", "Same medical group"
    DEVELOPMENT = "DEVELOPMENT", "Developed a drug, device or procedure"
    TREATMENT = "TREATMENT", "Treated or examined the employee"
    INVOLVED = "INVOLVED", "Earlier involvement in the injury or the claim"
    OTHER = "OTHER", "Other"


class AffiliationFields(models.Model):
    """The fields of an affiliation, of a reviewer or of this organization.

    A family affiliation may name the relative, the organization with which the relative is
    affiliated, or both.
    """

    relation = models.CharField(max_length=16, choices=AffiliationRelation)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    kin = models.CharField(max_length=16, choices=Kin, blank=True)  # of a family affiliation
    share_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(AffiliationRelation(self.relation).label)
