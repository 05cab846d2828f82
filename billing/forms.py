"""The form that looks up a fee."""

from django import forms

from form_fields.fields import DatedForm, KeyedDate

from .fees import FeeKind, License, Stage


class FeeForm(DatedForm):
    """What a fee depends on."""

    filed = KeyedDate(label="Filing date", error_messages={"required": "Enter the filing date."})
    kind = forms.ChoiceField(label="Review", choices=[(one.value, one.label) for one in FeeKind])
    stage = forms.ChoiceField(label="Stage", choices=[(one.value, one.label) for one in Stage])
    reviewer_license = forms.ChoiceField(
        label="Reviewer’s license",
        choices=[("", "Any"), *((one.value, one.label) for one in License)],
        required=False,
    )
    reviewers = forms.TypedChoiceField(
        label="Reviewers",
        choices=[("0", "Any"), ("1", "1"), ("2", "2")],
        coerce=int,
        required=False,
    )
