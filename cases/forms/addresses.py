"""Form fields of how a party is reached: address, language, consent to electronic service."""

from typing import Any

from django import forms
from django.urls import reverse_lazy

from form_fields.fields import KeyedDate, LetterText


class KeyedAddress(LetterText):
    """A postal address as clerks key it: when it is left, the page brings it to postal form.

    What is submitted is stored as it is, because the person has seen it.
    """

    def __init__(self, *, rows: int = 2, **options: Any) -> None:
        attrs = {"rows": rows, "data-reads": reverse_lazy("cases:read_address")}
        given: dict[str, Any] = {"label": "Address", "max_length": 400, "required": False}
        super().__init__(widget=forms.Textarea(attrs=attrs), **given | options)


class LanguageField(LetterText):
    """The language in which a party wants to be written and spoken to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Preferred language",
            max_length=40,
            required=False,
            help_text="If it is not English",
            **options,
        )


class ConsentDayField(KeyedDate):
    """The day on which a party consented to electronic service."""

    def __init__(self, **options: Any) -> None:
        super().__init__(label="Consented to electronic service on", required=False, **options)


class ConsentBasisField(LetterText):
    """The paper or call by which a party consented to electronic service."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Shown by",
            max_length=200,
            required=False,
            help_text="The paper or call, such as “Letter of 3/2/2026”",
            **options,
        )
