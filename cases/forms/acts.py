"""Short forms of single acts: a day, a reason, a note."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from cases.deadlines import PACIFIC
from cases.paper_fields import DatedForm, PaperDate, PaperText


class SentForm(DatedForm):
    """The act "mark as sent" for every notice of a case."""

    sent_on = PaperDate(label="Sent on", error_messages={"required": "Enter the day it was sent."})

    received_time = forms.TimeField(
        label="Hour at which the claims administrator received it",
        help_text="Pacific time, as in 14:30. The 24 hours for the records run from it.",
        error_messages={
            "required": "State the hour: an expedited clock runs in hours.",
            "invalid": "Write the hour as in 14:30.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, expedited: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if not expedited:
            del self.fields["received_time"]

    def received_at(self) -> datetime | None:
        """The moment at which an expedited notice was received, on the day of sending."""
        hour: time | None = self.cleaned_data.get("received_time")
        if hour is None:
            return None
        return datetime.combine(self.cleaned_data["sent_on"], hour, tzinfo=PACIFIC)

    def clean_sent_on(self) -> date:
        day: date = self.cleaned_data["sent_on"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Enter the day it was sent.")
        return day


class ReasonForm(forms.Form):
    """An act that needs a reason."""

    reason = PaperText(
        label="Reason",
        max_length=300,
        error_messages={"required": "Say why, in a few words."},
    )


class NoteForm(forms.Form):
    """A note for the timeline."""

    text = PaperText(
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write the note first."},
    )
