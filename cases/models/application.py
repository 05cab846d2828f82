"""Applications as received, the UR decisions they dispute, and the files that came with them."""

from datetime import datetime

from django.conf import settings
from django.db import models

from accounts.versions import Versioned
from cases.lifecycle import Ending
from deadlines.calendars import format_day
from deadlines.days import PACIFIC, local_day
from files.models import StoredFile
from guidelines.models import CitationFields
from letters.outcomes import outcome_choices

from .case import Case


class Channel(models.TextChoices):
    """How a document is received or sent."""

    MAIL = "MAIL", "Mail"
    FAX = "FAX", "Fax"
    PORTAL = "PORTAL", "Portal"
    EMAIL = "EMAIL", "Email"
    FOLDER = "FOLDER", "Watched folder"


class URType(models.TextChoices):
    REGULAR = "REGULAR", "Regular"
    EXPEDITED = "EXPEDITED", "Expedited"
    AFTER_APPEAL = "AFTER_APPEAL", "Modification after appeal"


class ServiceMethod(models.TextChoices):
    """How the UR decision was served. Deadlines may depend on it, so it is never guessed."""

    IN_HAND = "in_hand", "In hand"
    MAIL_CA = "mail_ca", "Mail, California address"
    MAIL_US = "mail_us", "Mail, another state"
    FAX = "fax", "Fax"
    ELECTRONIC = "electronic", "Electronic"


class RFAMethod(models.TextChoices):
    """How the claims administrator received the RFA. Values are those of the deadline engine."""

    IN_HAND = "in_hand", "In person"
    MAIL_CA = "mail_ca", "Mail, California address"
    MAIL_US = "mail_us", "Mail, another state"
    FAX = "fax", "Fax"
    ELECTRONIC = "electronic", "Electronic or e-mail"


class Signer(models.TextChoices):
    EMPLOYEE = "EMPLOYEE", "Employee"
    ATTORNEY = "ATTORNEY", "Employee’s attorney"
    REPRESENTATIVE = "REPRESENTATIVE", "Designated representative"
    PROVIDER = "PROVIDER", "Provider of emergency treatment"


class URDecision(Versioned):
    """A utilization review decision that denied or modified treatment.

    Identified by claim number, date and reference. If a clerk says that it is a different decision
    with the same values, it gets the next running number and a reason.
    """

    # Folded for comparison; the case keeps the number as printed.
    claim_number_normal = models.CharField(max_length=60, blank=True)
    decided_on = models.DateField(null=True)
    # As on the form, even if it is not a readable date.
    decided_printed = models.CharField(max_length=60, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    reference_normal = models.CharField(max_length=80, blank=True)
    running_number = models.PositiveSmallIntegerField(default=1)
    different_because = models.CharField(max_length=300, blank=True)
    ur_type = models.CharField(max_length=16, choices=URType, default=URType.REGULAR, blank=True)
    # Not the date printed on the decision: the time to apply runs from service.
    served_on = models.DateField(null=True)
    service_method = models.CharField(max_length=12, choices=ServiceMethod, blank=True)
    requested_on = models.DateField("RFA date", null=True)
    # Pacific time of receipt by the claims administrator, as a person read it from the RFA.
    rfa_time = models.TimeField("RFA time", null=True)
    rfa_method = models.CharField("RFA received by", max_length=12, choices=RFAMethod, blank=True)
    is_concurrent = models.BooleanField("concurrent review", null=True)
    # NULL: the documents do not say. Here and below nothing is guessed.
    liability_disputed = models.BooleanField(null=True)
    liability_reason = models.CharField(max_length=500, blank=True)
    denied_for_missing_information = models.BooleanField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="ur_decision_known_once",
                fields=[
                    "claim_number_normal",
                    "decided_on",
                    "reference_normal",
                    "running_number",
                ],
                # Decisions without a readable claim number may be equal by chance.
                condition=~models.Q(claim_number_normal=""),
            ),
            models.CheckConstraint(
                name="ur_decision_different_with_reason",
                condition=models.Q(running_number=1) | ~models.Q(different_because=""),
            ),
            models.CheckConstraint(
                # Whether the hour matters depends on how the RFA was received.
                name="ur_decision_rfa_time_with_method",
                condition=models.Q(rfa_time__isnull=True) | ~models.Q(rfa_method=""),
            ),
        ]

    def __str__(self) -> str:
        day = format_day(self.decided_on) if self.decided_on else self.decided_printed
        return f"UR decision of {day}" if day else "UR decision, undated"

    def rfa_facts(self, deadline_kind: str) -> dict[str, object]:
        """Return the facts about the RFA from which the time of the UR decision is counted.

        :param deadline_kind: ``ur_decision`` or ``ur_decision_expedited``.
        :returns: facts for the deadline engine; none if the RFA date is not known.
        """
        if self.requested_on is None:
            return {}
        moment = (
            datetime.combine(self.requested_on, self.rfa_time, tzinfo=PACIFIC)
            if self.rfa_time
            else self.requested_on
        )
        # 72 hours run from the moment of receipt, however the RFA was received.
        if deadline_kind == "ur_decision_expedited":
            return {"rfa": moment}
        # The engine knows for which requests the hour of receipt counts.
        return {"rfa": moment, "method": self.rfa_method, "concurrent": self.is_concurrent}


class Application(Versioned):
    """DWC Form IMR as received: every field as printed, and its interpretation.

    Incomplete and late applications are stored too; the eligibility review decides about them.
    An application has one case, or several after some of its items were split into another case.
    """

    idempotency_key = models.UUIDField(unique=True)  # of the form: a second click adds nothing
    form_digest = models.CharField(max_length=64)  # of its contents; a repeat must have the same
    channel = models.CharField(max_length=8, choices=Channel)
    received_at = models.DateTimeField()
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    printed = models.JSONField(default=dict)  # field name -> exactly what the clerk typed
    items_on_form = models.PositiveSmallIntegerField(null=True)  # counted on the form, as a check
    signed_by = models.CharField(max_length=16, choices=Signer, blank=True)
    signed_on = models.DateField(null=True)
    consent_on = models.DateField(null=True)
    # A designation signed before the UR decision is void (Labor Code 4610.5(j), not confirmed).
    designated_on = models.DateField(null=True)
    ur_decision_attached = models.BooleanField(null=True)
    copy_certified = models.BooleanField(null=True)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return f"Application received {format_day(local_day(self.received_at))}"

    @property
    def first_case(self) -> Case:
        """The case that the application opened, from which others were split. One query."""
        case: Case = self.cases.order_by("pk")[0]
        return case


class ApplicationPaper(Versioned):
    """A file that came with the application. One scan is used for one application only."""

    class Kind(models.TextChoices):
        APPLICATION = "APPLICATION", "Application (DWC Form IMR)"
        UR_DECISION = "UR_DECISION", "UR decision"
        SUPPORT = "SUPPORT", "Supporting document"

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(max_length=12, choices=Kind)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    name_received = models.CharField(max_length=255)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="application_sheet_once",
                fields=["file"],
                # One UR decision may come with several applications; a form belongs to one.
                condition=models.Q(kind="APPLICATION"),
            )
        ]

    def __str__(self) -> str:
        return self.name_received


class TreatmentCategory(Versioned):
    """Treatment category of the public decision search. Editable; the shipped list is partial."""

    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)

    class Meta(Versioned.Meta):
        verbose_name_plural = "treatment categories"
        constraints = [
            models.UniqueConstraint(
                name="treatment_category_once",
                fields=["parent", "name"],
            ),
            models.UniqueConstraint(
                # NULLs count as different, so the rule above leaves out rows without a parent.
                name="treatment_category_once_on_top",
                fields=["name"],
                condition=models.Q(parent__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """The name with that of the parent: “Injection: Facet”. Load the parent with the row."""
        return f"{self.parent.name}: {self.name}" if self.parent else self.name


class DisputedItem(Versioned):
    """One disputed treatment, which ends on its own."""

    Ending = Ending

    class Lineage(models.TextChoices):
        """What is still in dispute after a partial authorization."""

        REMAINING = "REMAINING", "The remaining portion is in dispute"
        WHOLE = "WHOLE", "The whole original request is still in dispute"

    class Side(models.TextChoices):
        LEFT = "LEFT", "Left"
        RIGHT = "RIGHT", "Right"
        BOTH = "BOTH", "Both"

    class UROutcome(models.TextChoices):
        """What the UR decision says about the item, as a person has read it."""

        DENIED = "DENIED", "Denied as not medically necessary"
        MODIFIED = "MODIFIED", "Modified as not medically necessary"
        APPROVED = "APPROVED", "Approved"
        AMOUNT = "AMOUNT", "Approved; only the payment is disputed"
        CONDITIONAL = "CONDITIONAL", "Not certified because information was missing"
        NOT_IN = "NOT_IN", "Not in the decision"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    title = models.TextField()  # the wording of the application or letter
    # Published letters cut long titles; the full length says how much is missing.
    title_truncated = models.BooleanField(default=False)
    title_full_length = models.PositiveIntegerField(null=True)
    prefix = models.CharField(max_length=80, blank=True)  # "Associated surgical service"
    separator = models.CharField(max_length=8, default=": ")  # before the outcome in a heading
    # A surgery, for an associated service: if the surgery is not necessary, neither is the service.
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="dependents",
    )
    category = models.ForeignKey(
        TreatmentCategory,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
    )
    lineage = models.CharField(max_length=12, choices=Lineage, blank=True)
    original_request = models.TextField(blank=True)
    authorized_by_ur = models.TextField(blank=True)
    in_dispute = models.TextField(blank=True)
    # If a request was modified, only the rest is in dispute: 3 of 30 tablets if 27 are authorized.
    requested_quantity = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    authorized_quantity = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    eligible_quantity = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    unit = models.CharField(max_length=40, blank=True)
    quantity_expressions = models.JSONField(default=list, blank=True)  # as printed
    service_from = models.DateField(null=True)  # set for retrospective requests
    service_to = models.DateField(null=True)
    body_part = models.CharField(max_length=80, blank=True)
    side = models.CharField(max_length=8, choices=Side, blank=True)
    level = models.CharField(max_length=40, blank=True)  # "C3-4", "L5-S1"

    ur_outcome = models.CharField(max_length=12, choices=UROutcome, blank=True)  # empty: not read
    # As the UR decision states it; NULL: not read. The reviewer must have experience with it.
    is_experimental = models.BooleanField("experimental or investigational", null=True)
    # A letter may say "cited nothing" only if a person has read the UR decision and found none.
    administrator_cites_nothing = models.BooleanField(default=False)

    # Whether liability is disputed for this item; NULL: as the UR decision says for all of them.
    liability_disputed = models.BooleanField(null=True)
    liability_reason = models.CharField(max_length=500, blank=True)
    # Notice that the liability dispute is resolved: a new period to apply starts from it.
    liability_resolved_on = models.DateField(null=True)
    liability_notice_method = models.CharField(max_length=12, choices=ServiceMethod, blank=True)
    # The item of another case of the application, from which this one was split. That one has
    # ended as moved, so that both cases show where the treatment is decided.
    split_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="split_into"
    )

    ending = models.CharField(max_length=12, choices=Ending, default=Ending.PENDING)
    outcome = models.CharField(max_length=12, choices=outcome_choices, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=300, blank=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="item_position_once", fields=["case", "position"]),
            models.CheckConstraint(
                # An outcome of an item that was withdrawn or authorized would read like a decision.
                name="item_outcome_iff_decided",
                condition=models.Q(ending="DECIDED") & ~models.Q(outcome="")
                | ~models.Q(ending="DECIDED") & models.Q(outcome=""),
            ),
            models.CheckConstraint(name="item_has_words", condition=~models.Q(title="")),
        ]

    def __str__(self) -> str:
        return f"{self.case} item {self.position}"

    @property
    def is_live(self) -> bool:
        """Whether a decision on the merits is pending or made."""
        return self.ending in {self.Ending.PENDING, self.Ending.DECIDED}


class AdministratorCitation(CitationFields, Versioned):
    """A source that the claims administrator cited for an item. Reviewers cannot change it."""

    item = models.ForeignKey(
        DisputedItem, on_delete=models.PROTECT, related_name="administrator_citations"
    )
    removed_at = models.DateTimeField(null=True)  # set when a correction removes it

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="administrator_citation_order",
                fields=["item", "position"],
                condition=models.Q(removed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.item}, citation {self.position}"
