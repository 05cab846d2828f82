"""Forms of actions that need a few words: a reason, a note."""

from django import forms

from .fields import PaperText


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
