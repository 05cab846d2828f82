"""What a person says of two cases that look alike, or belong together."""

from typing import Any

from django import forms

from cases.models import Case, DuplicateProposal
from form_fields.fields import PaperText


class ResolveDuplicateForm(forms.Form):
    """What the two cases are to each other."""

    answer = forms.ChoiceField(
        label="They are",
        choices=DuplicateProposal.Answer.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say what the two cases are to each other."},
    )
    items = forms.TypedMultipleChoiceField(
        label="The same treatment",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Items of the later case. Leave empty for different applications.",
    )
    reason = PaperText(
        label="How you know",
        max_length=500,
        error_messages={"required": "Say how you know."},
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        items: Any = self.fields["items"]
        items.choices = [
            (item.pk, f"{item.position}. {item.title}") for item in case.items.order_by("position")
        ]


class ConsolidateForm(forms.Form):
    """Which case is to lead, and why."""

    lead = forms.CharField(
        label="Decided together with",
        max_length=20,
        error_messages={"required": "Enter the number of the case that leads."},
    )
    reason = PaperText(
        label="Why",
        max_length=500,
        error_messages={"required": "Say why the cases are decided together."},
    )
