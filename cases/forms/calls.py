"""The form that logs a telephone call."""

from datetime import datetime
from typing import Any

from django import forms

from cases.models import Case, PhoneCall
from cases.services.calls import CallFacts, PromisedDate
from deadlines.days import PACIFIC
from form_fields.fields import DatedForm, KeyedDate, LetterText, LineField

_MOST_SAID = 4000  # characters


class CallForm(DatedForm):
    """A telephone call: with whom, when, and what was said."""

    direction = forms.ChoiceField(
        label="Who called", choices=PhoneCall.Direction.choices, widget=forms.RadioSelect
    )
    party = forms.ChoiceField(label="Spoke with", required=False)
    spoke_with = LineField(
        label="Name of the person",
        max_length=200,
        required=False,
        help_text="If it is no party, or someone who spoke for the party.",
    )
    number = LineField(label="Telephone number", max_length=40, required=False)
    called_on = KeyedDate(
        label="Date", starts_today=True, error_messages={"required": "Enter the date of the call."}
    )
    called_at = forms.TimeField(
        label="Time",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={
            "required": "Enter the time of the call.",
            "invalid": "Enter a time such as 14:05.",
        },
    )
    summary = LineField(
        label="What was said",
        max_length=_MOST_SAID,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Enter what was said."},
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        on_case = case.parties.current().true_on(self.today).order_by("role", "pk")
        self.fields["party"].choices = [  # type: ignore[attr-defined]
            ("", "Someone else"),
            *((party.pk, f"{party.name} ({party.get_role_display()})") for party in on_case),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("party") and not data.get("spoke_with") and "party" not in self.errors:
            self.add_error("spoke_with", "Enter the name, or choose a party.")
        return data

    def facts(self) -> CallFacts:
        """Return what is logged. Call it on a valid form."""
        entered = self.cleaned_data
        return CallFacts(
            direction=entered["direction"],
            party_id=int(entered["party"]) if entered["party"] else None,
            spoke_with=entered["spoke_with"],
            number=entered["number"],
            called_at=datetime.combine(entered["called_on"], entered["called_at"], tzinfo=PACIFIC),
            summary=entered["summary"],
        )


class NewCallForm(CallForm):
    """A call, and a date that was promised on it."""

    promised = LetterText(
        label="Promised",
        max_length=200,
        required=False,
        help_text="Only if the party was promised something. It becomes a commitment.",
    )
    promised_for = KeyedDate(label="Promised for", required=False)

    def __init__(self, *args: Any, may_commit: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not may_commit:
            del self.fields["promised"], self.fields["promised_for"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("promised") and not data.get("promised_for"):
            if "promised_for" not in self.errors:
                self.add_error("promised_for", "Enter the promised date.")
        elif data.get("promised_for") and not data.get("promised"):
            self.add_error("promised", "Enter what was promised.")
        elif data.get("promised") and not data.get("party"):
            self.add_error("party", "A date can be promised only to a party.")
        return data

    def promised_date(self) -> PromisedDate | None:
        """Return what was promised, if anything. Call it on a valid form."""
        if not self.cleaned_data.get("promised"):
            return None
        return PromisedDate(self.cleaned_data["promised"], self.cleaned_data["promised_for"])
