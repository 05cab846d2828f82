"""Short forms of single acts: a day, a reason, a note."""

from datetime import date

from django import forms

from cases.paper_fields import DatedForm, PaperDate, PaperText


class SentForm(DatedForm):
    """The act "mark as sent" for every notice of a case."""

    sent_on = PaperDate(label="Sent on", error_messages={"required": "Enter the day it was sent."})

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
