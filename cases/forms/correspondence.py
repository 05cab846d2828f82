"""Forms of a draft letter: what it adds, who gets it, why it is put away, which letter to draft."""

from typing import Any

from django import forms

from cases.models import CaseLetter, Party
from cases.paper_fields import PaperText


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
    """Which letter somebody wants to draft, and what it asks or lists."""

    kind = forms.ChoiceField(
        label="Letter",
        choices=[("", "Choose"), *CaseLetter.Kind.choices],
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
