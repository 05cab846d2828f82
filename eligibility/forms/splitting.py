"""The form that splits items with a liability dispute into a case of their own."""

from collections.abc import Sequence
from typing import Any

from django import forms

from cases.forms.received_documents import WithDocument
from cases.models import DisputedItem
from form_fields.fields import LetterText


class SplitForm(WithDocument):
    """The disputed items, why liability is disputed, and the document that says so."""

    field_order = ("items", "reason")

    items = forms.TypedMultipleChoiceField(
        label="Items with a liability dispute",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose the items for which liability is disputed.",
            "invalid_choice": "Choose the items of this case for which liability is disputed.",
        },
    )
    reason = LetterText(
        label="Why liability is disputed",
        max_length=500,
        help_text="In the claims administrator’s words: the notice of deferral prints them.",
        error_messages={"required": "Enter why liability is disputed."},
    )

    def __init__(self, *args: Any, items: Sequence[DisputedItem], **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["items"]
        field.choices = [(item.pk, f"{item.position}. {item.title}") for item in items]
