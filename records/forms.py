"""Forms about records. A form checks what was typed; the service checks the rules."""

from collections.abc import Sequence
from typing import Any

from django import forms

from cases.models import Party
from form_fields.fields import DatedForm, KeyedDate, LetterText, LineField
from records.services.reminders import ReminderMethod

from .models import Document
from .policies import CompletionBasis

LONGEST_LINE = 200

# The senders that a person may choose. Documents of the application are added automatically.
SENDERS = [
    (value, label)
    for value, label in Document.SentBy.choices
    if value != Document.SentBy.APPLICATION
]


class AddForm(DatedForm):
    """A record that was received."""

    upload = forms.FileField(
        label="File",
        help_text="PDF, TIFF, JPEG or PNG. Choose a file or drop it here.",
        error_messages={
            "required": "Choose the file.",
            "missing": "Choose the file.",
            "invalid": "Choose the file.",
            "empty": "This file is empty. Scan the document again.",
            "max_length": "The file’s name is too long. Shorten it and choose the file again.",
        },
        max_length=255,
    )
    kind = forms.ChoiceField(
        label="Type",
        choices=[("", "Choose"), *Document.Kind.choices],
        error_messages={"required": "Choose the type of record."},
    )
    title = LineField(
        label="Title",
        max_length=LONGEST_LINE,
        in_letters=True,
        required=False,
        help_text="Leave it empty to use the type.",
    )
    author = LineField(
        label="Author",
        max_length=LONGEST_LINE,
        in_letters=True,
        required=False,
        help_text="The person who wrote the record.",
    )
    dated_from = KeyedDate(label="Date, or first day", required=False)
    dated_to = KeyedDate(
        label="Last day", required=False, help_text="Only if it covers several days."
    )
    sent_by = forms.ChoiceField(
        label="Sent by",
        choices=[("", "Choose"), *SENDERS],
        error_messages={"required": "Choose who sent the record."},
    )
    received_on = KeyedDate(
        label="Received",
        starts_today=True,
        error_messages={"required": "Enter the date on the received stamp."},
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        first, last = data.get("dated_from"), data.get("dated_to")
        if first and last and last < first:
            self.add_error("dated_to", "This date is before the first day. Check both dates.")
        received = data.get("received_on")
        if received and received > self.today:
            self.add_error("received_on", "This date is in the future. Check the stamp.")
        return data


class MoveForm(AddForm):
    """What a received document is as a medical record. Its file and its receipt are on file."""

    upload = None  # type: ignore[assignment]  # removes the field of the base class
    received_on = None  # type: ignore[assignment]


class CompleteForm(DatedForm):
    """Mark the records complete, or continue without the missing ones."""

    basis = forms.ChoiceField(
        label="The file",
        choices=CompletionBasis.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether the records are complete."},
    )
    received_on = KeyedDate(
        label="Last record received",
        required=False,
        help_text="The deadline for the determination starts on this day.",
    )
    received_time = forms.TimeField(
        label="Time received",
        required=False,
        help_text="Pacific time, as in 14:30. An expedited deadline is counted in hours.",
        error_messages={"invalid": "Enter the time as in 14:30."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, expedited: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not expedited:
            # Regular deadlines are counted in days, so an hour would have no effect.
            del self.fields["received_time"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if (
            data.get("basis") == CompletionBasis.COMPLETE
            and "received_on" not in self.errors
            and not data.get("received_on")
        ):
            self.add_error("received_on", "Enter the date on which the last record was received.")
        return data


class ReopenForm(forms.Form):
    """Ask for records again, with what is missing."""

    reason = LineField(
        label="What is missing",
        max_length=LONGEST_LINE,
        error_messages={"required": "Enter what is missing."},
    )


class ReminderForm(forms.Form):
    """A reminder to a party about outstanding records."""

    party = forms.TypedChoiceField(
        label="Party",
        coerce=int,
        error_messages={
            "required": "Choose the party that you reminded.",
            "invalid_choice": "Choose a party of this case.",
        },
    )
    way = forms.ChoiceField(label="How", choices=ReminderMethod)
    spoke_to = LetterText(label="Spoke to", max_length=120, required=False)
    outcome = LetterText(
        label="Outcome",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter the outcome of the reminder."},
    )

    def __init__(self, *args: Any, parties: Sequence[Party], **options: Any) -> None:
        super().__init__(*args, **options)
        party_field = self.fields["party"]
        assert isinstance(party_field, forms.TypedChoiceField)  # noqa: S101 - narrows the type
        party_field.choices = [(one.pk, f"{one.name}, {one.get_role_display()}") for one in parties]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("way") == ReminderMethod.CALL and not data.get("spoke_to"):
            self.add_error("spoke_to", "Enter who answered, or “no one”.")
        return data
