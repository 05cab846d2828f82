"""Forms to propose item changes after acceptance, and to decide about them."""

from typing import Any

from django import forms

from cases.category_tree import group_categories
from cases.models import DisputedItem, TreatmentCategory
from cases.services.item_changes import ItemValues
from form_fields.fields import DatedForm, KeyedDate, KeyedQuantity, LetterText, StatedAnswer


class ItemChangeReasonForm(forms.Form):
    """The reason of an item change."""

    why = LetterText(
        label="Reason or source",
        max_length=500,
        error_messages={"required": "Enter the reason or the source."},
    )


class ItemForm(DatedForm):
    """The new values of an item."""

    title = LetterText(
        label="Disputed treatment",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Enter the disputed treatment."},
    )
    category = forms.ModelChoiceField(
        TreatmentCategory.objects.none(), required=False, empty_label="Not stated"
    )
    body_part = LetterText(label="Body part", max_length=80, required=False)
    side = forms.ChoiceField(
        choices=[("", "Not stated"), *DisputedItem.Side.choices], required=False
    )
    level = LetterText(label="Level", max_length=40, required=False)
    requested_quantity = KeyedQuantity(
        label="Quantity", max_digits=10, decimal_places=2, required=False
    )
    unit = LetterText(label="Unit", max_length=40, required=False)
    service_from = KeyedDate(label="Service from", required=False)
    service_to = KeyedDate(label="Service to", required=False)
    is_experimental = StatedAnswer(
        label="Does the UR decision call it experimental or investigational?"
    )
    why = LetterText(
        label="Reason or source",
        max_length=500,
        error_messages={"required": "Enter the reason or the source."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        category = self.fields["category"]
        assert isinstance(category, forms.ModelChoiceField)  # noqa: S101 - narrows the type
        # Inactive categories stay on old items but cannot be chosen.
        category.queryset = TreatmentCategory.objects.filter(is_active=True)
        category.choices = [("", "Not stated"), *group_categories()]

    @classmethod
    def initial_from(cls, item: DisputedItem) -> dict[str, Any]:
        """Return the present values of the item, for the page."""
        quantity = item.requested_quantity
        return {
            "title": item.title,
            "category": item.category_id,
            "body_part": item.body_part,
            "side": item.side,
            "level": item.level,
            # Without trailing zeros, as people write it: 30, not 30.00.
            "requested_quantity": None if quantity is None else f"{quantity.normalize():f}",
            "unit": item.unit,
            "service_from": item.service_from,
            "service_to": item.service_to,
            "is_experimental": item.is_experimental,
        }

    def facts(self) -> ItemValues:
        """Return what was typed. Call it on a valid form."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "why"}
        category = values.pop("category")
        return ItemValues(category_id=category.pk if category else None, **values)


class DecideForm(forms.Form):
    """The decision of the second person. A refusal needs a reason."""

    # Accepting needs no reason, so the service checks it when a change is refused.
    reason = LetterText(label="Reason for refusing", max_length=500, required=False)
