"""Forms for the matching rules, offer limits, payer-bias tests and conflict limits."""

import calendar
from typing import Any

from django import forms

from cases.models import TreatmentCategory
from form_fields.fields import DatedForm, KeyedDate, LineField
from reviewers.matching.candidacy import LIMITS, SETTINGS, WEIGHTS
from reviewers.models import Kin


class RulesForm(DatedForm):
    """All weights and limits from a day on."""

    effective_from = KeyedDate(
        label="In force from", error_messages={"required": "Enter the first day."}
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, setting in SETTINGS.items():
            self.fields[name] = forms.IntegerField(
                label=setting.label,
                help_text=setting.help_text,
                error_messages={"required": "Enter a number.", "invalid": "Enter a number."},
            )
        self.fields["reason"] = LineField(
            label="Reason",
            max_length=300,
            error_messages={"required": "Enter why the rules change."},
        )

    def weights(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in WEIGHTS}

    def limits(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in LIMITS}


class OfferLimitsForm(forms.Form):
    """The treatments that a reviewer may be offered, and the days without offers."""

    # Without this field, no selected treatment could mean all of them or none.
    which = forms.ChoiceField(
        label="May be offered",
        choices=[("all", "Every treatment"), ("listed", "Only the treatments selected below")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose every treatment or only the selected ones."},
    )
    subjects = forms.TypedMultipleChoiceField(
        label="Treatments", coerce=int, widget=forms.CheckboxSelectMultiple, required=False
    )
    days_off = forms.TypedMultipleChoiceField(
        label="No offers on",
        coerce=int,
        choices=list(enumerate(calendar.day_name)),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    reason = LineField(
        label="Reason", max_length=300, error_messages={"required": "Enter why this changes."}
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Read for each form, because choices of the class would be read once, at import.
        tops = TreatmentCategory.objects.filter(parent=None).order_by("name")
        field = self.fields["subjects"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101
        field.choices = list(tops.values_list("pk", "name"))

    def chosen(self) -> list[int] | None:
        """Return the ids of the selected treatments, or ``None`` for all."""
        if self.cleaned_data["which"] == "all":
            return None
        return list(self.cleaned_data["subjects"])


class PeriodForm(DatedForm):
    """The period to test, both days included."""

    first = KeyedDate(label="First day", error_messages={"required": "Enter the first day."})
    last = KeyedDate(label="Last day", error_messages={"required": "Enter the last day."})

    def clean_last(self) -> object:
        """Check the order of the days.

        :raises ValidationError: the last day is in the future, or before the first.
        """
        last, first = self.cleaned_data["last"], self.cleaned_data.get("first")
        if last > self.today:
            raise forms.ValidationError("This day is in the future. Enter today or earlier.")
        if first and last < first:
            raise forms.ValidationError("This day is before the first. Swap the two days.")
        return last


class BiasNoteForm(forms.Form):
    """A note on what was found about a test."""

    words = LineField(
        label="What you reviewed and what you found",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Enter what you reviewed and what you found."},
    )


class LimitsForm(DatedForm):
    """The holdings and relatives that are a conflict."""

    effective_from = KeyedDate(
        label="In force from", error_messages={"required": "Enter the first day."}
    )
    holding_percent = forms.DecimalField(
        label="Ownership share that is a conflict, above",
        help_text="Percent of an organization.",
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "Enter a number, such as 1 or 2.5.",
            "required": "Enter the share in percent.",
        },
    )
    kin = forms.MultipleChoiceField(
        label="Relatives whose affiliations count",
        choices=Kin.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    source = LineField(
        label="Source",
        max_length=200,
        help_text="The regulation or policy from which the organization takes these limits.",
        error_messages={"required": "Enter the source of the limits."},
    )
    reason = LineField(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter why the limits change."},
    )
