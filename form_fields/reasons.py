"""Forms of actions that need a reason or a note."""

from django import forms

from .fields import PaperText


class ReasonForm(forms.Form):
    """The reason of an action."""

    reason = PaperText(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter a reason."},
    )


class NoteForm(forms.Form):
    """A note in the timeline of a case."""

    text = PaperText(
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter the note."},
    )
