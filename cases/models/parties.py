"""Parties of a case: their roles, contact details and dates."""

from django.conf import settings
from django.db import models

from cases.places import OUTSIDE_US, STATES, find_place
from directory.models.facts import TwoTimeFact
from directory.models.people import Organization, Person
from directory.names import fold_for_search

from .application import DisputedItem
from .case import Case


class PartyRole(models.TextChoices):
    """Role of a person or organization on a case."""

    # Pages list the parties in this order.
    EMPLOYEE = "EMPLOYEE", "Injured worker"
    EMPLOYEE_ATTORNEY = "EMPLOYEE_ATTORNEY", "Injured worker’s attorney"
    REPRESENTATIVE = "REPRESENTATIVE", "Designated representative"
    EMPLOYER = "EMPLOYER", "Employer"
    CLAIMS_ADMINISTRATOR = "CLAIMS_ADMINISTRATOR", "Claims administrator"
    INSURER = "INSURER", "Insurer"
    DEFENSE_ATTORNEY = "DEFENSE_ATTORNEY", "Claims administrator’s attorney"
    REQUESTING_PHYSICIAN = "REQUESTING_PHYSICIAN", "Requesting physician"
    PHYSICIAN_GROUP = "PHYSICIAN_GROUP", "Physician’s group"
    OTHER_PROVIDER = "OTHER_PROVIDER", "Other provider"
    FACILITY = "FACILITY", "Facility"
    UR_ORGANIZATION = "UR_ORGANIZATION", "UR organization"
    UR_PHYSICIAN = "UR_PHYSICIAN", "UR physician"
    MANUFACTURER = "MANUFACTURER", "Manufacturer of the drug or device"


def state_choices() -> list[tuple[str, str]]:
    """List the states. A function, so that a change needs no migration."""
    return [*STATES.items(), (OUTSIDE_US, "Outside the United States")]


class PreferredChannel(models.TextChoices):
    MAIL = "MAIL", "Mail"
    FAX = "FAX", "Fax"
    ELECTRONIC = "ELECTRONIC", "Electronic"


class SearchNameField(models.TextField):
    """The name of the row, folded for the index of names whenever the row is stored."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_for_search(getattr(model_instance, "name", ""))
        setattr(model_instance, self.attname, folded)
        return folded


class Party(TwoTimeFact):
    """A dated role of a person or an organization on a case.

    Rows never change, because letters refer to them: a change is a new row (``corrects``), and a
    representative who leaves gets a row with a last day.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=24, choices=PartyRole)
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="roles"
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="roles",
    )
    # A manufacturer or a facility may be a party because of one disputed item only.
    item = models.ForeignKey(
        DisputedItem,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="parties",
    )
    name = models.CharField(max_length=300)  # as printed
    name_search = SearchNameField(default="", editable=False)
    contact = models.CharField(max_length=200, blank=True)
    specialty = models.CharField(max_length=120, blank=True)
    address = models.TextField(blank=True)  # as printed, lines
    # Read from the address or typed; "XX" is another country. Empty: not known.
    state = models.CharField(max_length=2, blank=True, choices=state_choices)
    postal_code = models.CharField(max_length=12, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    fax = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=40, blank=True)  # preferred; empty: not stated
    needs_interpreter = models.BooleanField(null=True)  # NULL: not stated
    # Consent to service by email (8 CCR 10625; subdivision not confirmed): its day, and the paper
    # or call that shows it. Who recorded it, because later changes of the party copy it.
    eservice_on = models.DateField(null=True)
    eservice_basis = models.CharField(max_length=200, blank=True)
    eservice_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    eservice_recorded_at = models.DateTimeField(null=True)
    preferred_channel = models.CharField(
        max_length=12, choices=PreferredChannel, default=PreferredChannel.MAIL
    )
    list_version = models.PositiveIntegerField()  # the case's party list when this row was added

    class Meta(TwoTimeFact.Meta):
        verbose_name_plural = "parties"
        constraints = [
            models.CheckConstraint(
                name="party_is_someone",
                condition=models.Q(person__isnull=False) | models.Q(organization__isnull=False),
            ),
            models.CheckConstraint(
                name="party_electronic_only_with_consent",
                condition=~models.Q(preferred_channel="ELECTRONIC")
                | models.Q(eservice_on__isnull=False, eservice_recorded_at__isnull=False)
                & ~models.Q(eservice_basis="")
                & ~models.Q(email=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.name}"

    @property
    def place(self) -> str:
        """Where the address is, as the deadline engine names it."""
        return find_place(self.state)
