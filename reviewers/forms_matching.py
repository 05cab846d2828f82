"""What is keyed about matching: weights, limits, and what one reviewer may be offered."""

import calendar
from typing import Any

from django import forms

from cases.models import TreatmentCategory
from form_fields.fields import DatedForm, Line, PaperDate

from .candidacy import LIMITS, SETTINGS, WEIGHTS


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
    """Which treatments somebody may be offered, and on which days."""

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
