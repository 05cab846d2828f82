"""The form of a list's filter: read from the address and shown above the list."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import TextChoices

from cases.lifecycle import QUEUES
from cases.models import Channel, Priority
from form_fields.fields import DatedForm, KeyedDate, LineField


class DueFilter(TextChoices):
    """When the next deadline is due, counted from today."""

    OVER = "over", "Overdue"
    TODAY = "today", "Due today or before"
    WEEK = "week", "Due within 7 days"


class AssignmentFilter(TextChoices):
    """To whom a case is assigned."""

    ME = "me", "Assigned to me"
    NOBODY = "nobody", "Unassigned"
    SOMEONE = "someone", "Assigned"


class HoldFilter(TextChoices):
    """Whether the whole case is on hold today."""

    YES = "yes", "On hold"
    NO = "no", "Not on hold"


class FilterForm(DatedForm):
    """All filters of a list. Every field is optional."""

    priority = forms.ChoiceField(required=False)
    stage = forms.ChoiceField(required=False)
    due = forms.ChoiceField(required=False)
    due_by = KeyedDate(label="Due by", required=False)
    channel = forms.ChoiceField(required=False, label="Received by")
    taken = forms.ChoiceField(required=False, label="Assigned")
    hold = forms.ChoiceField(required=False, label="Hold")
    received_from = KeyedDate(label="Received from", required=False)
    received_to = KeyedDate(label="Received to", required=False)
    administrator = LineField(label="Claims administrator", required=False, max_length=80)
    q = LineField(
        label="Name or claim",
        required=False,
        max_length=80,
        help_text="Injured worker, claim number or case number.",
    )

    def __init__(self, *args: Any, queue: str, today: date, **options: Any) -> None:
        super().__init__(*args, today=today, **options)
        stages = [(stage.value, stage.label) for stage in QUEUES[queue][1]]
        choices: dict[str, list[tuple[str, Any]]] = {
            "priority": list(Priority.choices),
            "stage": stages,
            "due": list(DueFilter.choices),
            "channel": list(Channel.choices),
            "taken": list(AssignmentFilter.choices),
            "hold": list(HoldFilter.choices),
        }
        for name, found in choices.items():
            self.fields[name].choices = [("", "Any"), *found]  # type: ignore[attr-defined]
        # There is nothing to choose, but a stage in the address stays valid.
        if len(stages) < 2:
            self.fields["stage"].widget = forms.HiddenInput()
