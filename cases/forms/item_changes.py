"""Forms of changes to disputed items after acceptance: propose, and decide."""

from typing import Any

from django import forms

from cases.models import DisputedItem, TreatmentCategory
from cases.services.item_changes import ItemFacts
from form_fields.fields import DatedForm, PaperDate, PaperText, Said


class WhyForm(forms.Form):
    """Why an item is to change."""

    why = PaperText(
        label="Why, or where from", max_length=500, error_messages={"required": "Say why."}
    )


class ItemForm(DatedForm):
    """What an item is to say."""

    title = PaperText(
        label="Disputed treatment",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say which treatment is in dispute."},
    )
    category = forms.ModelChoiceField(
        TreatmentCategory.objects.none(), required=False, empty_label="–"
    )
    body_part = PaperText(label="Body part", max_length=80, required=False)
    side = forms.ChoiceField(choices=[("", "–"), *DisputedItem.Side.choices], required=False)
    level = PaperText(label="Level", max_length=40, required=False)
    requested_quantity = forms.DecimalField(
        label="Quantity", max_digits=10, decimal_places=2, required=False
    )
    unit = PaperText(label="Unit", max_length=40, required=False)
    service_from = PaperDate(label="Service from", required=False)
    service_to = PaperDate(label="Service to", required=False)
    is_experimental = Said(label="Does the UR decision call it experimental or investigational?")
    why = PaperText(
        label="Why, or where from", max_length=500, error_messages={"required": "Say why."}
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        category = self.fields["category"]
        assert isinstance(category, forms.ModelChoiceField)  # noqa: S101 - narrows the type
        category.queryset = TreatmentCategory.objects.filter(is_active=True).order_by("name")

    @classmethod
    def initial_from(cls, item: DisputedItem) -> dict[str, Any]:
        """What the item says now, for the page."""
        quantity = item.requested_quantity
        return {
            "title": item.title,
            "category": item.category_id,
            "body_part": item.body_part,
            "side": item.side,
            "level": item.level,
            "requested_quantity": None if quantity is None else f"{quantity.normalize():f}",
            "unit": item.unit,
            "service_from": item.service_from,
            "service_to": item.service_to,
            "is_experimental": item.is_experimental,
        }

    def facts(self) -> ItemFacts:
        """What was typed. Call it on a valid form."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "why"}
        category = said.pop("category")
        return ItemFacts(category_id=category.pk if category else None, **said)


class DecideForm(forms.Form):
    """The second person's answer; a refusal needs its reason."""

    because = PaperText(label="Reason of a refusal", max_length=500, required=False)
