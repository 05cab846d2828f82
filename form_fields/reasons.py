"""Forms of actions that need a reason or a note."""

from django import forms

from .fields import LetterText


class ReasonForm(forms.Form):
    """The reason of an action."""

    reason = LetterText(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter a reason."},
    )


class NoteForm(forms.Form):
    """A note in the timeline of a case, which no letter prints."""

    text = LetterText(
        in_letters=False,
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter the note."},
    )
