"""What is keyed about matching: weights, limits, what one may be offered, payer-bias test."""

import calendar
from typing import Any

from django import forms

from cases.models import TreatmentCategory
from form_fields.fields import DatedForm, Line, PaperDate
from reviewers.matching.candidacy import LIMITS, SETTINGS, WEIGHTS
from reviewers.models import Kin


class RulesForm(DatedForm):
    """All weights and limits, from a day on."""

    effective_from = PaperDate(
        label="From", error_messages={"required": "Enter the day from which they hold."}
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, setting in SETTINGS.items():
            self.fields[name] = forms.IntegerField(
                label=setting.label,
                help_text=setting.help_text,
                error_messages={"required": "Enter a number.", "invalid": "Write a number."},
            )
        self.fields["reason"] = Line(
            label="Why",
            max_length=300,
            error_messages={"required": "Say why the rules change."},
        )

    def weights(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in WEIGHTS}

    def limits(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in LIMITS}


class ReceivesForm(forms.Form):
    """Which treatments someone may be offered, and on which days."""

    which = forms.ChoiceField(
        label="May be offered",
        choices=[("all", "Every treatment"), ("listed", "Only the treatments ticked below")],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether every treatment or only some."},
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
    reason = Line(label="Why", max_length=300, error_messages={"required": "Say why this changes."})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        tops = TreatmentCategory.objects.filter(parent=None).order_by("name")
        field = self.fields["subjects"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101
        field.choices = list(tops.values_list("pk", "name"))

    def chosen(self) -> list[int] | None:
        """The treatments, or ``None`` for all."""
        if self.cleaned_data["which"] == "all":
            return None
        return list(self.cleaned_data["subjects"])


class PeriodForm(DatedForm):
    """The days whose choices are tested, both included."""

    first = PaperDate(label="First day", error_messages={"required": "Enter the first day."})
    last = PaperDate(label="Last day", error_messages={"required": "Enter the last day."})

    def clean_last(self) -> object:
        """:raises ValidationError: the day is to come, or before the first."""
        last, first = self.cleaned_data["last"], self.cleaned_data.get("first")
        if last > self.today:
            raise forms.ValidationError("This day is in the future. Enter today or earlier.")
        if first and last < first:
            raise forms.ValidationError("This day is before the first. Turn the two round.")
        return last


class LookedIntoForm(forms.Form):
    """What someone who looked into a test found."""

    words = Line(
        label="What you looked at, and what you found",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what you looked at and what you found."},
    )


class LimitsForm(DatedForm):
    """From where on an affiliation is a conflict."""

    effective_from = PaperDate(
        label="From", error_messages={"required": "Enter the day from which they hold."}
    )
    holding_percent = forms.DecimalField(
        label="A holding is a conflict above",
        help_text="Percent of an organization.",
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "Write a number, such as 1 or 2.5.",
            "required": "Enter the share in percent.",
        },
    )
    kin = forms.MultipleChoiceField(
        label="Relatives who count",
        choices=Kin.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    reason = Line(
        label="Why",
        max_length=300,
        error_messages={"required": "Say why the limits change."},
    )
