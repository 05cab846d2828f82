"""The filter of a list, as a form: read from the address, and shown above the list."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import TextChoices

from cases.lifecycle import QUEUES
from cases.models import Channel, Priority
from form_fields.fields import DatedForm, Line, PaperDate


class Due(TextChoices):
    """When the next duty falls due, by the day on which one looks."""

    OVER = "over", "Overdue"
    TODAY = "today", "Due today or before"
    WEEK = "week", "Due within 7 days"


class Taken(TextChoices):
    """Who has a case."""

    ME = "me", "Taken by me"
    NOBODY = "nobody", "Taken by no one"
    SOMEONE = "someone", "Taken by someone"


class Held(TextChoices):
    """Whether work on the whole case stands still, by the day on which one looks."""

    YES = "yes", "On hold"
    NO = "no", "Not on hold"


class FilterForm(DatedForm):
    """Every filter that a list knows; all may stay empty."""

    priority = forms.ChoiceField(required=False)
    stage = forms.ChoiceField(required=False)
    due = forms.ChoiceField(required=False)
    due_by = PaperDate(label="Due by", required=False)
    channel = forms.ChoiceField(required=False, label="Came by")
    taken = forms.ChoiceField(required=False, label="Taken")
    hold = forms.ChoiceField(required=False, label="Hold")
    received_from = PaperDate(label="Received from", required=False)
    received_to = PaperDate(label="Received to", required=False)
    administrator = Line(label="Claims administrator", required=False, max_length=80)
    q = Line(
        label="Name or claim",
        required=False,
        max_length=80,
        help_text="Employee, claim number or case number.",
    )

    def __init__(self, *args: Any, queue: str, today: date, **options: Any) -> None:
        super().__init__(*args, today=today, **options)
        stages = [(stage.value, stage.label) for stage in QUEUES[queue][1]]
        choices: dict[str, list[tuple[str, Any]]] = {
            "priority": list(Priority.choices),
            "stage": stages,
            "due": list(Due.choices),
            "channel": list(Channel.choices),
            "taken": list(Taken.choices),
            "hold": list(Held.choices),
        }
        for name, found in choices.items():
            self.fields[name].choices = [("", "Any"), *found]  # type: ignore[attr-defined]
        if len(stages) < 2:
            self.fields["stage"].widget = forms.HiddenInput()
