"""Forms to assign, remove and move reviewers, to resolve conflicts, and to attest or decline."""

from datetime import date
from typing import Any

from django import forms

from form_fields.fields import DatedForm, KeyedDate, LetterText, LineField
from reviewers.models import (
    ConflictResult,
    ReviewerAssignment,
    SeatApproval,
)


class AssignForm(forms.Form):
    """The chosen candidate of a candidate list."""

    reviewer = forms.IntegerField(widget=forms.HiddenInput)
    candidate_list = forms.IntegerField(widget=forms.HiddenInput)
    # Not required here: the service requires it for candidates after the first three.
    override_code = forms.ChoiceField(
        label="Why this reviewer instead of one of the first three?",
        choices=[("", "Choose a reason"), *ReviewerAssignment.Override.choices],
        required=False,
    )
    override_reason = LineField(label="Note", max_length=300, required=False)
    open_next = forms.BooleanField(required=False)  # then open the next waiting case


class ConflictResolutionForm(forms.Form):
    """The resolution of a possible conflict."""

    result = forms.ChoiceField(
        label="Is it a conflict?",
        choices=[
            (ConflictResult.Result.PASS, "No conflict"),
            (ConflictResult.Result.FAIL, "Conflict"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether there is a conflict."},
    )
    note = LineField(
        label="How do you know?",
        max_length=300,
        error_messages={"required": "Enter a note: how do you know?"},
    )


class RemoveReviewerForm(forms.Form):
    """Why the reviewer is removed from a case."""

    reason = LineField(
        label="Why is the reviewer removed?",
        max_length=300,
        error_messages={"required": "Enter why the reviewer is removed."},
    )
    bar = forms.BooleanField(
        label="Do not offer this case to this reviewer again (conflict)", required=False
    )


class DeclineForm(forms.Form):
    """Why a reviewer declines a case."""

    reason = LineField(
        label="Why do you decline the case?",
        max_length=300,
        error_messages={"required": "Enter why you decline the case."},
    )
    conflict = forms.BooleanField(
        label="I have a conflict. Do not offer me this case again", required=False
    )


class AttestForm(forms.Form):
    """The questions of one wording, each with yes or no and no default answer."""

    # What the page showed. The service refuses if either has changed.
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
        """Return the questions in order, as bound fields."""
        return [self[f"answer_{code}"] for code in self.codes]

    def answers(self) -> dict[str, str]:
        """Return the answers: question code → "yes" or "no"."""
        return {code: self.cleaned_data[f"answer_{code}"] for code in self.codes}


class SeatsForm(DatedForm):
    """The Administrative Director's approval of several reviewers."""

    seat_count = forms.TypedChoiceField(
        label="Total reviewers",
        coerce=int,
        choices=[(number, str(number)) for number in range(2, SeatApproval.MOST + 1)],
    )
    approved_by = LineField(
        label="Approved by",
        max_length=120,
        error_messages={"required": "Enter who approved it for the Administrative Director."},
    )
    approved_on = KeyedDate(
        label="Approved on", error_messages={"required": "Enter the date of the approval."}
    )
    reference = LineField(
        label="Reference of the approval letter",
        max_length=120,
        error_messages={"required": "Enter the reference of the written approval."},
    )
    reason = LetterText(
        label="Why one reviewer is not enough",
        max_length=500,
        error_messages={"required": "Enter why one reviewer is not enough."},
    )

    def clean_approved_on(self) -> date:
        day: date = self.cleaned_data["approved_on"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Check the letter.")
        return day


class PlanLinesField(forms.Field):
    """Selected lines of a plan, each ``id:version:reviewer``.

    The first number is the case or assignment, the second the version that the page showed.
    """

    # The template draws the checkboxes. The widget only reads several values of one name.
    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[tuple[int, int, int]]:
        """Parse the selected lines.

        :raises ValidationError: nothing is selected, or a line has another form.
        """
        lines = super().clean(value)
        try:
            return [_parse_choice_line(line) for line in lines]
        except ValueError:
            raise forms.ValidationError("Select the cases again.") from None


def _parse_choice_line(line: str) -> tuple[int, int, int]:
    row_id, version, reviewer = line.split(":")
    return int(row_id), int(version), int(reviewer)


class PlanForm(forms.Form):
    """The selected lines of a plan: case, version and reviewer."""

    choices = PlanLinesField(error_messages={"required": "Select at least one case."})


class MoveForm(PlanForm):
    """The open cases of a reviewer to move, and the reason."""

    reason = LineField(
        label="Why are the cases moved?",
        help_text="Stored with each case. Only people who may see reviewer names can read it.",
        max_length=300,
        error_messages={"required": "Enter why the cases are moved."},
    )
