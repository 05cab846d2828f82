"""Forms for receiving a batch of scans, and for skipping a scan or canceling an intake."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from cases.models import Channel
from form_fields.fields import DatedForm, KeyedDate, LetterText
from intake.models import CancelReason, Scan

# Reasons for skipping a scan. LEFT belongs to the scheduled job, START_OVER to canceled forms.
SKIP_REASONS = [
    reason for reason in CancelReason if reason not in {CancelReason.LEFT, CancelReason.START_OVER}
]


class BatchForm(DatedForm):
    """The channel, received date and note of a new batch."""

    channel = forms.ChoiceField(label="Received by", choices=Channel.choices, initial=Channel.MAIL)
    received = KeyedDate(
        label="Received",
        error_messages={"required": "Enter the date on the received stamp."},
    )
    note = LetterText(label="Note", max_length=120, required=False)

    def clean_received(self) -> date:
        day: date = self.cleaned_data["received"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Check the stamp.")
        return day


class RescanForm(forms.Form):
    """The scan that came instead of an unusable one."""

    new_scan = forms.TypedChoiceField(
        label="New file",
        coerce=int,
        error_messages={
            "required": "Choose the new file.",
            "invalid_choice": "Choose the new file. It was received after this one.",
        },
    )

    def __init__(self, *args: Any, replacements: Sequence[Scan], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [("", "Choose")]
        choices += [(str(one.pk), f"{one}: {one.name_received}") for one in replacements]
        self.fields["new_scan"].choices = choices  # type: ignore[attr-defined]


class CancelReasonForm(forms.Form):
    """A coded reason, with a note that some reasons require."""

    reason = forms.ChoiceField(
        label="Reason", error_messages={"required": "Choose a reason."}, choices=()
    )
    note = LetterText(label="Note", max_length=300, required=False)

    def __init__(self, *args: Any, reasons: Sequence[CancelReason], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"] = forms.ChoiceField(
            label="Reason",
            choices=[("", "Choose"), *((reason.value, reason.label) for reason in reasons)],
            error_messages={"required": "Choose a reason."},
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # The service refuses this too. Here, the message appears beside the field.
        vague = cleaned.get("reason") in {CancelReason.OTHER, CancelReason.QUESTION}
        if vague and not cleaned.get("note") and "note" not in self.errors:
            self.add_error("note", "Describe the problem in a few words.")
        return cleaned
