"""The form field of a postal address."""

from typing import Any

from django import forms
from django.urls import reverse_lazy

from form_fields.fields import LetterText


class KeyedAddress(LetterText):
    """A postal address as clerks key it: when it is left, the page brings it to postal form.

    What is submitted is stored as it is, because the person has seen it.
    """

    def __init__(self, *, rows: int = 2, **options: Any) -> None:
        attrs = {"rows": rows, "data-reads": reverse_lazy("cases:read_address")}
        given: dict[str, Any] = {"label": "Address", "max_length": 400, "required": False}
        super().__init__(widget=forms.Textarea(attrs=attrs), **given | options)
