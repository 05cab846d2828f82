"""Changes of disputed items after acceptance: proposed by one person, decided by another."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned

from .application import DisputedItem
from .case import Case


class ItemChange(Versioned):
    """Proposed change of the disputed items of an accepted case, and the decision about it.

    ``before`` and ``after`` hold the values that both people saw, by field, so that the decision
    stays readable when the item changes later.
    """

    class Kind(models.TextChoices):
        ADD = "ADD", "Add an item"
        CHANGE = "CHANGE", "Change an item"
        WITHDRAW = "WITHDRAW", "Withdraw an item"

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", "Waiting for a second person"
        ACCEPTED = "ACCEPTED", "Accepted"
        REFUSED = "REFUSED", "Refused"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="item_changes")
    kind = models.CharField(max_length=8, choices=Kind)
    # An item that is to be added has no row before it is accepted.
    item = models.ForeignKey(
        DisputedItem, on_delete=models.PROTECT, null=True, related_name="changes"
    )
    item_version = models.PositiveIntegerField(null=True)  # of the item, as the proposer saw it
    before = models.JSONField(default=dict)  # field -> value, empty for a new item
    after = models.JSONField(default=dict)  # field -> value, empty for a withdrawal
    why = models.CharField(max_length=500)
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_because = models.CharField(max_length=500, blank=True)

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["state", "proposed_at", "id"], name="item_change_waiting")]
        constraints = [
            models.UniqueConstraint(
                # New items have no row yet, so several may be proposed at a time.
                name="item_change_one_open",
                fields=["item"],
                condition=Q(state="PROPOSED", item__isnull=False),
            ),
            models.CheckConstraint(
                name="item_change_names_its_item",
                condition=Q(kind="ADD") | Q(item__isnull=False, item_version__isnull=False),
            ),
            models.CheckConstraint(
                name="item_change_decided_by_and_at_together",
                condition=Q(state="PROPOSED", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(state="PROPOSED") & Q(decided_at__isnull=False, decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                # In the database too, because the determination answers these items.
                name="item_change_by_two_people",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_kind_display().lower()}"

    @property
    def title(self) -> str:
        """The heading on pages."""
        if self.item is None or self.kind == self.Kind.ADD:
            return "A new item"
        title = "Change of" if self.kind == self.Kind.CHANGE else "Withdrawal of"
        return f"{title} item {self.item.position}"

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.PROPOSED
