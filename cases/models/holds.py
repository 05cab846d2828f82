"""What changes or adds dates: holds, extensions, commitments, changes of priority.

Rows end but are never changed back: earlier rows are the history on the case page.
"""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned
from cases.hold_reasons import HOLD_REASONS
from deadlines.kinds import DEADLINE_KINDS
from letters.models import Letter

from .case import Case, Priority
from .parties import Party


def hold_reason_choices() -> list[tuple[str, str]]:
    """List the coded reasons. A function, so that a new reason needs no migration."""
    return [(reason.code, reason.label) for reason in HOLD_REASONS.values()]


class Hold(Versioned):
    """A period in which a case, or one of its deadlines, is on hold.

    ``planned_end`` and ``ended_on`` are the first days after the hold.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="holds")
    round = models.PositiveSmallIntegerField()
    deadline_kind = models.CharField(max_length=40, blank=True)  # empty: the whole case
    reason = models.CharField(max_length=20, choices=hold_reason_choices)
    starts_on = models.DateField()
    planned_end = models.DateField()
    note = models.CharField(max_length=500, blank=True)
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    ended_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_because = models.CharField(max_length=500, blank=True)
    # How the notice that ended it was served, if a deadline starts again from that service.
    ended_method = models.CharField(max_length=20, blank=True)

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(fields=["case", "starts_on", "id"], name="hold_of_case"),
            # Few holds have not ended; My day looks for those past their planned end.
            models.Index(
                fields=["planned_end", "id"],
                name="hold_not_ended",
                condition=Q(ended_on__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # A hold that was begun by mistake may end on its first day; it then lasts no day.
                name="hold_ends_after_it_begins",
                condition=Q(planned_end__gt=F("starts_on"))
                & (Q(ended_on__isnull=True) | Q(ended_on__gte=F("starts_on"))),
            ),
            models.CheckConstraint(
                name="hold_ended_on_at_and_by_together",
                condition=Q(ended_on__isnull=True, ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_on__isnull=False, ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_reason_display()}"

    @property
    def end(self) -> date:
        """The first day after the hold: the actual one, or the planned one if it has not ended."""
        return self.ended_on or self.planned_end

    @property
    def days(self) -> int:
        """Its length in calendar days."""
        return (self.end - self.starts_on).days

    @property
    def needs_an_end(self) -> bool:
        """Whether only a person can end it."""
        return HOLD_REASONS[self.reason].needs_an_end

    @property
    def holds(self) -> str:
        """What is on hold, in words."""
        return (
            DEADLINE_KINDS[self.deadline_kind].label
            if self.deadline_kind in DEADLINE_KINDS
            else "The whole case"
        )

    def lasts_on(self, day: date) -> bool:
        """Return whether the hold applies on a day."""
        return self.starts_on <= day < self.end

    def can_end(self, day: date) -> bool:
        """Return whether a person can end it on a day."""
        # After its planned end an ordinary hold is over, so there is nothing to end.
        return self.ended_on is None and (self.needs_an_end or day < self.planned_end)


class TimeExtension(Versioned):
    """Days added to a determination for good cause, approved by the Administrative Director.

    The law limits the days of all extensions of one deadline together (LC 4610.6(d)(2), recalled).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="extensions")
    round = models.PositiveSmallIntegerField()
    deadline_kind = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()  # 1 for the first extension of this deadline
    days = models.PositiveSmallIntegerField()
    # A name, not a user: the office of the Administrative Director does not sign in here.
    approved_by = models.CharField(max_length=200)  # who approved for the Administrative Director
    approved_on = models.DateField()
    letter_reference = models.CharField(max_length=120)
    good_cause = models.CharField(max_length=500)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                name="extension_numbered", fields=["case", "round", "deadline_kind", "number"]
            ),
            # The rule limits the total; one approval cannot exceed it (LC 4610.6(d)(2), recalled).
            models.CheckConstraint(
                name="extension_of_one_to_three_days", condition=Q(days__gte=1, days__lte=3)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: extension {self.number} of {self.days} days"


class Commitment(Versioned):
    """A date promised to a party, with the letter that stated it.

    Moving the date makes a new row that refers to the earlier one, so that every date stated to the
    party stays on record.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="commitments")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    description = models.CharField(max_length=200)
    due_on = models.DateField()
    informed_on = models.DateField()
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, null=True, related_name="+")
    letter_reference = models.CharField(max_length=120, blank=True)
    why = models.CharField(max_length=500)
    # How often the date was moved; 0 in the first row.
    moved = models.PositiveSmallIntegerField(default=0)
    # One-to-one, so that two people cannot move the same date.
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    kept_on = models.DateField(null=True)

    class Meta(Versioned.Meta):
        indexes = [
            models.Index(
                fields=["due_on", "id"],
                name="commitment_not_kept",
                condition=Q(kept_on__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # Without a letter nobody could prove which date the party was given.
                name="commitment_names_its_letter",
                condition=Q(letter__isnull=False) | ~Q(letter_reference=""),
            ),
            models.CheckConstraint(
                name="commitment_moved_names_the_earlier",
                condition=Q(moved=0, replaces__isnull=True)
                | Q(moved__gt=0, replaces__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.description} by {self.due_on}, commitment to {self.party}"


class PriorityChange(Versioned):
    """Change of the priority of a case, with its reason and certification."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="priority_changes")
    old = models.CharField(max_length=12, choices=Priority)
    new = models.CharField(max_length=12, choices=Priority)
    # For an expedited case: the physician who certified an imminent and serious threat.
    certified_by = models.CharField(max_length=200, blank=True)
    certified_on = models.DateField(null=True)
    support = models.CharField(max_length=500, blank=True)  # of the certification
    why = models.CharField(max_length=500)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta(Versioned.Meta):
        constraints = [
            models.CheckConstraint(name="priority_changes_to_another", condition=~Q(old=F("new"))),
            models.CheckConstraint(
                # 8 CCR 9792.10.4(c) requires the certification and its support.
                name="priority_expedited_is_certified",
                condition=~Q(new=Priority.EXPEDITED)
                | Q(certified_on__isnull=False) & ~Q(certified_by="") & ~Q(support=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.get_old_display()} to {self.get_new_display()}"
