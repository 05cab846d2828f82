"""Forms for drafting, changing, discarding and sending the letters of a case."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from cases.models import CaseLetter, Party
from deadlines.days import PACIFIC
from form_fields.fields import DatedForm, KeyedDate, LetterText
from letters.kinds import case_letter_choices


class DraftForm(forms.Form):
    """What a person may change in a draft: the additional text and the recipients."""

    particulars = LetterText(
        label="Additional text for this case",
        max_length=4000,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    recipients = forms.MultipleChoiceField(
        label="Recipients",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one recipient."},
    )

    def __init__(self, *args: Any, parties: list[Party], **options: Any) -> None:
        super().__init__(*args, **options)
        self.parties = parties
        recipients = self.fields["recipients"]
        assert isinstance(recipients, forms.MultipleChoiceField)  # noqa: S101 - narrows the type
        # Chosen recipients are shown, but those left out are stored; see ``left_out``.
        recipients.choices = [
            (str(one.pk), f"{one.name}, {one.get_role_display().lower()}") for one in parties
        ]

    def left_out(self) -> list[int]:
        """Return the ids of the parties who were not selected. Call this on a valid form."""
        return [
            one.pk for one in self.parties if str(one.pk) not in self.cleaned_data["recipients"]
        ]


class DiscardForm(forms.Form):
    """The reason for discarding a draft."""

    reason = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose"), *CaseLetter.Discarded.choices],
        error_messages={"required": "Choose the reason for discarding the draft."},
    )


class NewDraftForm(forms.Form):
    """The kind of a new letter, and the points that it asks for or lists."""

    kind = forms.ChoiceField(
        label="Letter",
        choices=lambda: [("", "Choose"), *case_letter_choices()],
        error_messages={"required": "Choose a letter."},
    )
    points = LetterText(
        label="Points that the letter asks for or lists, one per line",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def lines(self) -> list[str]:
        """Return the typed points, one text per line. Call this on a valid form."""
        typed: str = self.cleaned_data["points"]
        return [line.strip() for line in typed.splitlines() if line.strip()]


class SentForm(DatedForm):
    """The date on which the notices or letters of a case were sent."""

    sent_on = KeyedDate(
        label="Sent on",
        starts_today=True,
        error_messages={"required": "Enter the date it was sent."},
    )

    received_time = forms.TimeField(
        label="Time received by the claims administrator",
        help_text="Pacific time, such as 14:30. The 24 hours for the records start then.",
        error_messages={
            "required": "Enter the time. An expedited deadline runs in hours.",
            "invalid": "Enter the time, such as 14:30.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, expedited: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if not expedited:
            # Only the 24 hours of an expedited case run from a time of day.
            del self.fields["received_time"]

    def received_at(self) -> datetime | None:
        """Return when an expedited notice was received, on the date of sending.

        ``None`` otherwise.
        """
        hour: time | None = self.cleaned_data.get("received_time")
        if hour is None:
            return None
        return datetime.combine(self.cleaned_data["sent_on"], hour, tzinfo=PACIFIC)

    def clean_sent_on(self) -> date:
        day: date = self.cleaned_data["sent_on"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Enter the date it was sent.")
        return day
