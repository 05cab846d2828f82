"""Forms of letters: which to draft, what it adds, who gets it, why it is put away, when it went."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from cases.models import CaseLetter, Party
from deadlines.days import PACIFIC
from form_fields.fields import DatedForm, PaperDate, PaperText
from letters.kinds import case_letter_choices


class DraftForm(forms.Form):
    """What a person may change in a draft: the free words, and who gets it."""

    particulars = PaperText(
        label="What you want to add for this case",
        max_length=4000,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    recipients = forms.MultipleChoiceField(
        label="Who gets it",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one recipient."},
    )

    def __init__(self, *args: Any, told: list[Party], **options: Any) -> None:
        super().__init__(*args, **options)
        self.told = told
        recipients = self.fields["recipients"]
        assert isinstance(recipients, forms.MultipleChoiceField)  # noqa: S101 - narrows the type
        recipients.choices = [
            (str(one.pk), f"{one.name}, {one.get_role_display().lower()}") for one in told
        ]

    def left_out(self) -> list[int]:
        """The parties who were not chosen. Call it on a valid form."""
        return [one.pk for one in self.told if str(one.pk) not in self.cleaned_data["recipients"]]


class DiscardForm(forms.Form):
    """Why a draft is put away."""

    because = forms.ChoiceField(
        label="Why it does not go",
        choices=[("", "Choose"), *CaseLetter.Discarded.choices],
        error_messages={"required": "Choose why the draft is discarded."},
    )


class NewDraftForm(forms.Form):
    """Which letter someone wants to draft, and what it asks or lists."""

    kind = forms.ChoiceField(
        label="Letter",
        choices=lambda: [("", "Choose"), *case_letter_choices()],
        error_messages={"required": "Choose a letter."},
    )
    points = PaperText(
        label="What it asks for or lists, a line for each",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def lines(self) -> list[str]:
        """What was typed, a text for each line. Call it on a valid form."""
        typed: str = self.cleaned_data["points"]
        return [line.strip() for line in typed.splitlines() if line.strip()]


class SentForm(DatedForm):
    """The act "mark as sent" for every notice of a case."""

    sent_on = PaperDate(label="Sent on", error_messages={"required": "Enter the day it was sent."})

    received_time = forms.TimeField(
        label="Hour at which the claims administrator received it",
        help_text="Pacific time, as in 14:30. The 24 hours for the records run from it.",
        error_messages={
            "required": "State the hour: an expedited deadline runs in hours.",
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
