"""What is ticked on a plan of assignments, and why work is moved."""

from typing import Any

from django import forms

from form_fields.fields import Line


class LinesField(forms.Field):
    """Ticked lines, each three numbers: what is given away, the version seen, to whom."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[tuple[int, int, int]]:
        """:raises ValidationError: nothing is ticked, or a line that no page of ours wrote."""
        lines = super().clean(value)
        try:
            return [_three(line) for line in lines]
        except ValueError:
            raise forms.ValidationError("Tick the cases again.") from None


def _three(line: str) -> tuple[int, int, int]:
    given, version, reviewer = line.split(":")
    return int(given), int(version), int(reviewer)


class PlanForm(forms.Form):
    """Which lines of a plan are carried out: the case, its version, and who was shown for it."""

    choices = LinesField(error_messages={"required": "Tick at least one case."})


class MoveForm(PlanForm):
    """Which open cases of a reviewer are moved, and why."""

    reason = Line(
        label="Why is the work moved?",
        help_text="Kept with each case, for those who may know who reviews.",
        max_length=300,
        error_messages={"required": "Say why the work is moved."},
    )
