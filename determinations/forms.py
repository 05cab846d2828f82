"""Forms of reviewers, quality assurance, the medical director and the mail room."""

from typing import Any

from django import forms

from cases.consolidated_items import list_decided_items
from cases.models import Case
from form_fields.fields import DatedForm, KeyedDate, LetterText
from reviewers.models.assignment import count_seats

LONG = forms.Textarea(attrs={"rows": 4})


class CiteForm(forms.Form):
    """A citation: a recommendation of our guidelines, or another source as text."""

    recommendation = forms.IntegerField(required=False)
    as_printed = LetterText(label="Other source", max_length=1000, required=False)


class QualityForm(forms.Form):
    """A QA review. A comment is required to return the review."""

    comment = LetterText(label="Comment", max_length=4000, required=False, widget=LONG)
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

    first = KeyedDate(label="From", required=False)
    last = KeyedDate(label="To", required=False)

    def clean(self) -> None:
        self.refuse_reversed_period("first", "last")


class SendForm(DatedForm):
    """The date on which the determination letter was sent to all remaining recipients."""

    sent_on = KeyedDate(
        label="Sent on",
        starts_today=True,
        error_messages={"required": "Enter the date on which it was sent."},
    )
