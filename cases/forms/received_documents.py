"""Forms about received documents: adding one, and the optional document of an action."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from cases.models import Channel, ReceivedDocument
from form_fields.fields import DatedForm, KeyedDate, LineField
from form_fields.reasons import ReasonForm

# A watched folder is how scans arrive, not how a party sends.
CHANNELS = [(value, label) for value, label in Channel.choices if value != Channel.FOLDER]

_FILE_MESSAGES = {
    "required": "Choose the file.",
    "missing": "Choose the file.",
    "invalid": "Choose the file.",
    "empty": "This file is empty. Scan the document again.",
    "max_length": "The file’s name is too long. Shorten it and choose the file again.",
}
_FILE_HINT = "PDF, TIFF, JPEG or PNG."
_IN_FUTURE = "This date is in the future. Check the stamp."


class ReceivedDocumentForm(DatedForm):
    """A document that was received."""

    upload = forms.FileField(
        label="File", help_text=_FILE_HINT, error_messages=_FILE_MESSAGES, max_length=255
    )
    kind = forms.ChoiceField(
        label="Document",
        choices=[("", "Choose"), *ReceivedDocument.Kind.choices],
        error_messages={"required": "Choose what the document is."},
    )
    description = LineField(
        label="Description",
        max_length=200,
        required=False,
        help_text="Leave it empty to use the kind of document.",
    )
    sender = forms.ChoiceField(
        label="Sent by",
        choices=[("", "Choose"), *ReceivedDocument.Sender.choices],
        error_messages={"required": "Choose who sent the document."},
    )
    channel = forms.ChoiceField(
        label="Received by",
        choices=[("", "Choose"), *CHANNELS],
        error_messages={"required": "Choose how the document was received."},
    )
    received_on = KeyedDate(
        label="Received",
        starts_today=True,
        error_messages={"required": "Enter the date on the received stamp."},
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        received = data.get("received_on")
        if received and received > self.today:
            self.add_error("received_on", _IN_FUTURE)
        return data


class WithDocument(DatedForm):
    """The optional document of an action: its file, how it was received, and when."""

    upload = forms.FileField(
        label="Document",
        help_text=f"Optional. {_FILE_HINT}",
        error_messages=_FILE_MESSAGES,
        max_length=255,
        required=False,
    )
    channel = forms.ChoiceField(
        label="Document received by",
        choices=[("", "Choose"), *CHANNELS],
        required=False,
        help_text="Only with a document.",
    )
    received_on = KeyedDate(
        label="Document received on",
        required=False,
        help_text="Leave it empty if it was received today.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("upload") and not data.get("channel"):
            self.add_error("channel", "Choose how the document was received.")
        received = data.get("received_on")
        if received and received > self.today:
            self.add_error("received_on", _IN_FUTURE)
        return data

    def action_values(self) -> dict[str, Any]:
        """Return the values of the action, without those of its document."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in WithDocument.base_fields
        }

    def chosen_file(self) -> UploadedFile | None:
        """Return the chosen file, if any. Call it on a valid form."""
        return self.cleaned_data.get("upload") or None


class ReasonWithDocumentForm(WithDocument, ReasonForm):
    """The reason of an action, and the document that came with it."""
