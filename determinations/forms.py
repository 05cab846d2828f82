"""Forms of reviewers, quality assurance, the medical director and the mail room."""

from typing import Any

from django import forms

from cases.consolidated_items import list_decided_items
from cases.models import Case
from form_fields.fields import DatedForm, PaperDate, PaperText
from reviewers.models.assignment import count_seats

LONG = forms.Textarea(attrs={"rows": 4})


class CiteForm(forms.Form):
    """A citation: a recommendation of our guidelines, or another source as text."""

    recommendation = forms.IntegerField(required=False)
    as_printed = PaperText(label="Other source", max_length=1000, required=False)


class QualityForm(forms.Form):
    """A QA review. A comment is required to return the review."""

    comment = PaperText(label="Comment", max_length=4000, required=False, widget=LONG)
    item = forms.TypedChoiceField(
        label="About", required=False, coerce=int, empty_value=None, choices=[]
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        # Built here, because the seats and items depend on the case.
        self.fields["seat"] = forms.TypedChoiceField(
            label="Return to",
            required=False,
            coerce=int,
            empty_value=None,
            choices=[("", "All reviewers")]
            + [(seat, f"Reviewer {seat}") for seat in range(1, count_seats(case) + 1)],
        )
        about: Any = self.fields["item"]
        about.choices = [("", "The whole review")] + [
            (item.pk, f"Item {item.position}: {item.title[:80]}")
            for item in list_decided_items(case)
        ]


class PeriodForm(DatedForm):
    """A period of days, both ends included."""

    first = PaperDate(label="From", required=False)
    last = PaperDate(label="To", required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            self.add_error("last", "The period ends before it begins. Check both dates.")
        return data


class SendForm(DatedForm):
    """The date on which the determination letter was sent to all remaining recipients."""

    sent_on = PaperDate(
        label="Sent on", error_messages={"required": "Enter the date on which it was sent."}
    )
