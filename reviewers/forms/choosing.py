"""What is keyed when a reviewer is chosen, answers, signs, or hands work on."""

from datetime import date
from typing import Any

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate, PaperText
from reviewers.models import (
    ConflictResult,
    ReviewerAssignment,
    SeatApproval,
)


class AssignForm(forms.Form):
    """Which candidate of which list."""

    reviewer = forms.IntegerField(widget=forms.HiddenInput)
    candidate_list = forms.IntegerField(widget=forms.HiddenInput)
    override_code = forms.ChoiceField(
        label="Why this reviewer rather than one of the first three?",
        choices=[("", "Choose a reason"), *ReviewerAssignment.Override.choices],
        required=False,
    )
    override_reason = Line(label="Note", max_length=300, required=False)
    go_on = forms.BooleanField(required=False)  # to the next case that waits


class SettleForm(forms.Form):
    """The answer to a possible conflict."""

    result = forms.ChoiceField(
        label="Is it a conflict?",
        choices=[
            (ConflictResult.Result.PASS, "No conflict"),
            (ConflictResult.Result.FAIL, "A conflict"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether there is a conflict or not."},
    )
    note = Line(
        label="How do you know?",
        max_length=300,
        error_messages={"required": "Write a note: how do you know?"},
    )


class TakeBackForm(forms.Form):
    """Why a case is taken back from its reviewer."""

    reason = Line(
        label="Why is the case taken back?",
        max_length=300,
        error_messages={"required": "Say why the case is taken back."},
    )
    bar = forms.BooleanField(
        label="Never offer this case to this reviewer again (a conflict)", required=False
    )


class DeclineForm(forms.Form):
    """Why a reviewer gives a case back."""

    reason = Line(
        label="Why do you give the case back?",
        max_length=300,
        error_messages={"required": "Say why you give the case back."},
    )
    conflict = forms.BooleanField(
        label="I have a conflict: never offer me this case again", required=False
    )


class AttestForm(forms.Form):
    """The questions of one wording, each with yes or no and nothing chosen before."""

    wording = forms.IntegerField(widget=forms.HiddenInput)
    parties = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, questions: list[dict[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.codes = [question["code"] for question in questions]
        for question in questions:
            self.fields[f"answer_{question['code']}"] = forms.ChoiceField(
                label=question["text"],
                choices=[("no", "No"), ("yes", "Yes")],
                widget=forms.RadioSelect,
                error_messages={"required": "Answer this question with yes or no."},
            )

    def questions(self) -> list[forms.BoundField]:
        """The questions in order, as fields."""
        return [self[f"answer_{code}"] for code in self.codes]

    def answers(self) -> dict[str, str]:
        """Question code → yes or no."""
        return {code: self.cleaned_data[f"answer_{code}"] for code in self.codes}


class SeatsForm(DatedForm):
    """The Administrative Director's approval of more than one reviewer."""

    seat_count = forms.TypedChoiceField(
        label="Reviewers in all",
        coerce=int,
        choices=[(number, str(number)) for number in range(2, SeatApproval.MOST + 1)],
    )
    approved_by = Line(
        label="Approved by",
        max_length=120,
        error_messages={"required": "Name who approved it for the Administrative Director."},
    )
    approved_on = PaperDate(
        label="Approved on", error_messages={"required": "Enter the date of the approval."}
    )
    reference = Line(
        label="Reference of the letter",
        max_length=120,
        error_messages={"required": "Give the reference of the written approval."},
    )
    reason = PaperText(
        label="Why one reviewer is not enough",
        max_length=500,
        error_messages={"required": "Say why one reviewer is not enough."},
    )

    def clean_approved_on(self) -> date:
        day: date = self.cleaned_data["approved_on"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Check the letter.")
        return day


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
