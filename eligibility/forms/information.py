"""Questions to the parties while a case is screened, and the notice that resolves a dispute."""

from collections.abc import Sequence
from typing import Any

from django import forms

from cases.models import Party, ServiceMethod
from eligibility.answers import EligibilityFact
from form_fields.fields import DatedForm, PaperDate, PaperText


class AskForm(DatedForm):
    """A question to one party."""

    party = forms.ChoiceField(label="Whom", error_messages={"required": "Choose whom to ask."})
    facts = forms.MultipleChoiceField(
        label="Facts that turn on the answer",
        choices=EligibilityFact.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the facts that turn on the answer."},
    )
    question = PaperText(
        label="What is asked",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write what the party is asked."},
    )
    received_on = PaperDate(
        label="The party has it on",
        help_text="Five business days run from this day.",
        error_messages={"required": "Enter the day on which the party has the question."},
    )

    def __init__(self, *args: Any, parties: Sequence[Party], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "–"), *((str(one.pk), str(one)) for one in parties)]
        self.fields["party"].choices = choices  # type: ignore[attr-defined]


class AnswerForm(DatedForm):
    """What a party answered."""

    answered_on = PaperDate(
        label="Received on", error_messages={"required": "Enter the day on which it came."}
    )
    answer = PaperText(
        label="What the party answered",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write what the party answered."},
    )


class LiabilityForm(DatedForm):
    """Notice that a dispute about liability is resolved."""

    notice_on = PaperDate(
        label="Notice served on", error_messages={"required": "Enter the day of the notice."}
    )
    method = forms.ChoiceField(
        label="Served by",
        choices=[("", "–"), *ServiceMethod.choices],
        error_messages={"required": "Say how the notice was served."},
    )
    how = PaperText(
        label="How it was resolved",
        max_length=300,
        error_messages={"required": "Say how the dispute was resolved."},
    )
