"""Forms for questions to the parties, their answers, and a resolved liability dispute."""

from collections.abc import Sequence
from typing import Any

from django import forms

from cases.forms.received_documents import WithDocument
from cases.models import Party, ServiceMethod
from eligibility.answers import EligibilityFact
from form_fields.fields import DatedForm, KeyedDate, LetterText


class AskForm(DatedForm):
    """A question to one party."""

    party = forms.ChoiceField(label="Party", error_messages={"required": "Choose a party."})
    facts = forms.MultipleChoiceField(
        label="Facts that depend on the answer",
        choices=EligibilityFact.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the facts that depend on the answer."},
    )
    question = LetterText(
        label="Question",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Enter the question."},
    )
    received_on = KeyedDate(
        label="Received by the party on",
        help_text="The answer is due five business days after this date.",
        error_messages={"required": "Enter the date on which the party receives the question."},
    )
    send_now = forms.BooleanField(
        label="Approve the letter and send it now",
        help_text="Clear this to leave the letter as a draft, for example to change its text.",
        required=False,
        initial=True,
    )

    def __init__(
        self, *args: Any, parties: Sequence[Party], may_approve: bool, **options: Any
    ) -> None:
        """Offer these parties.

        :param may_approve: whether the person may approve letters, and so send this one at once.
        """
        super().__init__(*args, **options)
        if not may_approve:
            del self.fields["send_now"]
        choices = [("", "Choose"), *((str(one.pk), str(one)) for one in parties)]
        self.fields["party"].choices = choices  # type: ignore[attr-defined]


class AnswerForm(WithDocument):
    """The answer of a party, the date on which we received it, and its document."""

    field_order = ("answered_on", "answer")
    # The document is received when the answer is.
    received_on = None  # type: ignore[assignment]  # removes the field of the base class
    answered_on = KeyedDate(
        label="Received on",
        starts_today=True,
        error_messages={"required": "Enter the date of receipt."},
    )
    answer = LetterText(
        label="Answer",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter the answer."},
    )


class LiabilityForm(WithDocument):
    """The notice that a liability dispute is resolved, and its document."""

    field_order = ("notice_on", "method", "how")

    notice_on = KeyedDate(
        label="Notice served on", error_messages={"required": "Enter the date of service."}
    )
    method = forms.ChoiceField(
        label="Served by",
        choices=[("", "Choose"), *ServiceMethod.choices],
        error_messages={"required": "Choose how the notice was served."},
    )
    how = LetterText(
        label="How it was resolved",
        max_length=300,
        error_messages={"required": "Enter how the dispute was resolved."},
    )
