"""Forms of the deadline rules: confirm, replace, recalculate."""

from typing import Any

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate, PaperText

from .calendars import CalendarName
from .kinds import METHODS
from .models import DeadlineRule
from .rules import Roll

_CALENDARS = [(one.value, one.words) for one in CalendarName]
_ROLLS = [(one.value, one.words) for one in Roll]
_WHY = {"required": "Say why."}


class ConfirmForm(DatedForm):
    """State that a row was compared with the text of the law."""

    compared_with = Line(
        label="Compared with",
        max_length=200,
        help_text="Which text, and as of when.",
        error_messages={"required": "Say with which text it was compared."},
    )
    on = PaperDate(label="On", error_messages={"required": "Enter the day."})


class SupersedeForm(DatedForm):
    """A row that replaces another from a day on; fields that are not changed keep their values."""

    effective_from = PaperDate(
        label="In force from", error_messages={"required": "Enter the first day."}
    )
    effective_to = PaperDate(
        label="Last day",
        required=False,
        help_text="Leave empty to keep the last day of the replaced rule.",
    )
    length = forms.IntegerField(label="Length", min_value=1, max_value=999)
    calendar = forms.ChoiceField(label="Calendar", choices=_CALENDARS, required=False)
    roll = forms.ChoiceField(label="If the last day is closed", choices=_ROLLS)
    source = Line(label="Source", max_length=200, error_messages={"required": "Name the source."})
    note = PaperText(label="Note", max_length=1000, required=False)
    why = PaperText(label="Why it changes", max_length=500, error_messages=_WHY)

    def __init__(self, *args: Any, rule: DeadlineRule, **options: Any) -> None:
        names = ("length", "calendar", "roll", "source", "note")
        initial = {name: getattr(rule, name) for name in names} | (
            options.pop("initial", None) or {}
        )
        super().__init__(*args, initial=initial, **options)
        self.rule = rule
        # Such a rule has a length for each way of service; those fields are added below.
        if rule.length is None:
            del self.fields["length"]
        # A rule without a calendar cannot roll either.
        if not rule.calendar:
            del self.fields["calendar"], self.fields["roll"]
        for method, days in rule.length_by_method.items():
            self.fields[f"length_{method}"] = forms.IntegerField(
                label=f"Length, {METHODS[method]}", min_value=1, max_value=999, initial=days
            )

    def terms(self) -> dict[str, Any]:
        """The columns of the new row. Call it on a valid form."""
        entered = self.cleaned_data
        terms = {name: entered[name] for name in ("length", "calendar", "roll") if name in entered}
        by_method = {method: entered[f"length_{method}"] for method in self.rule.length_by_method}
        return terms | {
            "length_by_method": by_method,
            "source": entered["source"],
            "note": entered["note"],
        }


class RecountForm(forms.Form):
    """The reason for recalculating the active deadlines."""

    why = PaperText(label="Why", max_length=500, error_messages=_WHY)
