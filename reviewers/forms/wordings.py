"""Form to publish the next attestation wording."""

from typing import Any

from django import forms

from form_fields.fields import DatedForm, KeyedDate, LineField
from reviewers.models import AttestationWording
from reviewers.services.wordings import (
    QUESTION_MOST,
    QUESTIONS_MOST,
    REASON_MOST,
    SURNAME,
    TEXT_MOST,
)


class WordingForm(DatedForm):
    """The next wording. The service checks its content."""

    effective_from = KeyedDate(
        label="First day", error_messages={"required": "Enter the first day of the wording."}
    )
    text = LineField(
        label="Statement",
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": "Enter the statement."},
    )
    questions = LineField(
        label="Questions",
        help_text="One per line, in order. A changed line becomes a new question.",
        # Browsers send each line break as two characters.
        max_length=QUESTIONS_MOST * (QUESTION_MOST + 2),
        widget=forms.Textarea(attrs={"rows": 16}),
        error_messages={"required": "Enter at least one question."},
    )
    surname = LineField(
        label="Last question, about a shared surname",
        help_text="The attestation page points to it when a party shares the reviewer’s surname.",
        max_length=QUESTION_MOST,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": "The question about a shared surname is required. Enter it here."
        },
    )
    reason = LineField(
        label="Reason",
        max_length=REASON_MOST,
        error_messages={"required": "Enter why the wording changes."},
    )
    # The latest number that the page showed. The service refuses if there is a newer one.
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    @staticmethod
    def of(latest: AttestationWording | None) -> dict[str, Any]:
        """Return the latest wording as the initial values of the next."""
        if latest is None:
            return {}
        questions = [one["text"] for one in latest.questions if one["code"] != SURNAME]
        last = [one["text"] for one in latest.questions if one["code"] == SURNAME]
        return {"text": latest.text, "questions": "\n".join(questions), "surname": "".join(last)}

    def clean_questions(self) -> list[str]:
        """Return the lines that are not empty."""
        return [line for line in self.cleaned_data["questions"].splitlines() if line.strip()]

    def facts(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        given = dict(self.cleaned_data)
        return given | {"seen_number": given.pop("seen")}
