"""Forms for possible duplicates and consolidation."""

from typing import Any

from django import forms

from cases.models import Case, DuplicateProposal
from form_fields.fields import LetterText


class ResolveDuplicateForm(forms.Form):
    """How two similar cases are related."""

    answer = forms.ChoiceField(
        label="The cases are",
        choices=DuplicateProposal.Answer.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how the two cases are related."},
    )
    items = forms.TypedMultipleChoiceField(
        label="The same treatment",
        coerce=int,
        # The service requires items unless the applications are different.
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Items of the later case. Leave empty for different applications.",
    )
    reason = LetterText(
        label="Reason",
        max_length=500,
        error_messages={"required": "Enter how you know."},
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        items: Any = self.fields["items"]
        items.choices = [
            (item.pk, f"{item.position}. {item.title}") for item in case.items.order_by("position")
        ]


class ConsolidateForm(forms.Form):
    """The lead case of a consolidation, and the reason."""

    lead = forms.CharField(
        label="Consolidate into",
        max_length=20,
        error_messages={"required": "Enter the number of the lead case."},
    )
    reason = LetterText(
        label="Reason",
        max_length=500,
        error_messages={"required": "Enter why the cases are consolidated."},
    )
