"""What is keyed about a record. Forms check the paper; services check the law."""

from collections.abc import Sequence
from typing import Any

from django import forms

from cases.models import Party
from form_fields.fields import DatedForm, Line, PaperDate, PaperText

from .models import Document
from .policies import Basis
from .services.chasing import Way

LONGEST_LINE = 200

# What a person may say of an incoming record; papers of the application file themselves.
SENDERS = [
    (value, label)
    for value, label in Document.SentBy.choices
    if value != Document.SentBy.APPLICATION
]


class AddForm(DatedForm):
    """One record that came in."""

    upload = forms.FileField(
        label="File",
        help_text="PDF, TIFF, JPEG or PNG. Choose it or drop it on the field.",
        error_messages={
            "required": "Choose the file.",
            "missing": "Choose the file.",
            "invalid": "Choose the file.",
            "empty": "This file is empty. Scan the paper again.",
            "max_length": "The file’s name is too long. Shorten it and choose the file again.",
        },
        max_length=255,
    )
    kind = forms.ChoiceField(
        label="Type",
        choices=[("", "Choose"), *Document.Kind.choices],
        error_messages={"required": "Choose what kind of record it is."},
    )
    title = Line(
        label="Title",
        max_length=LONGEST_LINE,
        in_letters=True,
        required=False,
        help_text="As you would look for it. Left empty, it is the type.",
    )
    author = Line(
        label="Author",
        max_length=LONGEST_LINE,
        in_letters=True,
        required=False,
        help_text="Who wrote the record.",
    )
    dated_from = PaperDate(label="Date, or first day", required=False)
    dated_to = PaperDate(
        label="Last day", required=False, help_text="Only if it covers several days."
    )
    sent_by = forms.ChoiceField(
        label="Sent by",
        choices=[("", "Choose"), *SENDERS],
        error_messages={"required": "Choose who sent the record."},
    )
    received_on = PaperDate(
        label="Received", error_messages={"required": "Enter the date of our received stamp."}
    )

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        first, last = said.get("dated_from"), said.get("dated_to")
        if first and last and last < first:
            self.add_error("dated_to", "This day is before the first one. Check both dates.")
        received = said.get("received_on")
        if received and received > self.today:
            self.add_error("received_on", "This date is in the future. Check the stamp.")
        return said


class CompleteForm(DatedForm):
    """The records are all here, or it goes on without the rest."""

    basis = forms.ChoiceField(
        label="The file",
        choices=Basis.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether the records are complete."},
    )
    received_on = PaperDate(
        label="Last record received",
        required=False,
        help_text="The deadline of the determination starts on this day.",
    )
    received_time = forms.TimeField(
        label="Hour received",
        required=False,
        help_text="Pacific time, as in 14:30. An expedited deadline runs in hours.",
        error_messages={"invalid": "Write the hour as in 14:30."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, expedited: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not expedited:
            del self.fields["received_time"]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if (
            said.get("basis") == Basis.COMPLETE
            and "received_on" not in self.errors
            and not said.get("received_on")
        ):
            self.add_error("received_on", "Enter the day on which the last record came.")
        return said


class ReopenForm(forms.Form):
    """What turned out to be missing."""

    reason = Line(
        label="What is missing",
        max_length=LONGEST_LINE,
        error_messages={"required": "Say what is missing."},
    )


class ContactForm(forms.Form):
    """Someone was asked for the records that are owed."""

    party = forms.TypedChoiceField(
        label="Whom",
        coerce=int,
        error_messages={
            "required": "Choose who was asked.",
            "invalid_choice": "Choose a party of this case.",
        },
    )
    way = forms.ChoiceField(label="How", choices=Way)
    spoke_to = PaperText(label="Spoke to", max_length=120, required=False)
    said = PaperText(
        label="What they said",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what came of it."},
    )

    def __init__(self, *args: Any, parties: Sequence[Party], **options: Any) -> None:
        super().__init__(*args, **options)
        whom = self.fields["party"]
        assert isinstance(whom, forms.TypedChoiceField)  # noqa: S101 - narrows the type
        whom.choices = [(one.pk, f"{one.name}, {one.get_role_display()}") for one in parties]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("way") == Way.CALL and not said.get("spoke_to"):
            self.add_error("spoke_to", "Say who answered; “no one” is an answer too.")
        return said
