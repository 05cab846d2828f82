"""What is said about a batch of scans, and about a scan that is skipped."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from cases.models import Channel
from form_fields.fields import DatedForm, PaperDate, PaperText
from intake.models import WhyNot

# Why a scan is skipped; the machine's own reason, and the clerk's for beginning again, are not.
PARKING = [reason for reason in WhyNot if reason not in {WhyNot.LEFT, WhyNot.START_OVER}]


class BatchForm(DatedForm):
    """A batch of scans that came together."""

    channel = forms.ChoiceField(label="Came by", choices=Channel.choices, initial=Channel.MAIL)
    received = PaperDate(
        label="Received",
        error_messages={"required": "Enter the date of our received stamp."},
    )
    note = PaperText(label="Note", max_length=120, required=False)

    def clean_received(self) -> date:
        day: date = self.cleaned_data["received"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Check the stamp.")
        return day


class WhyNotForm(forms.Form):
    """A coded reason, with a note where the code does not say enough."""

    reason = forms.ChoiceField(
        label="Reason", error_messages={"required": "Choose a reason."}, choices=()
    )
    note = PaperText(label="Note", max_length=300, required=False)

    def __init__(self, *args: Any, reasons: Sequence[WhyNot], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"] = forms.ChoiceField(
            label="Reason",
            choices=[("", "Choose"), *((reason.value, reason.label) for reason in reasons)],
            error_messages={"required": "Choose a reason."},
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        vague = said.get("reason") in {WhyNot.OTHER, WhyNot.QUESTION}
        if vague and not said.get("note") and "note" not in self.errors:
            self.add_error("note", "Say in a few words what is the matter.")
        return said
