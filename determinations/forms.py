"""What reviewers, quality assurance and the director type."""

from typing import Any

from django import forms

from cases.models import Case
from cases.together import items_decided_in
from form_fields.fields import DatedForm, PaperDate, PaperText
from reviewers.models.assignment import seats_of

LONG = forms.Textarea(attrs={"rows": 4})


class CiteForm(forms.Form):
    """An authority: chosen from our guidelines, or written in words."""

    recommendation = forms.IntegerField(required=False)
    as_printed = PaperText(label="Other source", max_length=1000, required=False)


class QualityForm(forms.Form):
    """What quality assurance has to say; a return needs words."""

    comment = PaperText(label="Comment", max_length=4000, required=False, widget=LONG)
    item = forms.TypedChoiceField(
        label="About", required=False, coerce=int, empty_value=None, choices=[]
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["seat"] = forms.TypedChoiceField(
            label="Goes back to",
            required=False,
            coerce=int,
            empty_value=None,
            choices=[("", "Every reviewer")]
            + [(seat, f"Reviewer, seat {seat}") for seat in range(1, seats_of(case) + 1)],
        )
        about: Any = self.fields["item"]
        about.choices = [("", "The whole review")] + [
            (item.pk, f"Item {item.position}: {item.title[:80]}") for item in items_decided_in(case)
        ]


class PeriodForm(DatedForm):
    """From which day to which, both included."""

    first = PaperDate(label="From", required=False)
    last = PaperDate(label="To", required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("first") and said.get("last") and said["last"] < said["first"]:
            self.add_error("last", "The period ends before it begins. Check both days.")
        return said


class SendForm(DatedForm):
    """The act "mark as sent" for the determination letter, to everyone still unsent."""

    sent_on = PaperDate(label="Sent on", error_messages={"required": "Enter the day it was sent."})
