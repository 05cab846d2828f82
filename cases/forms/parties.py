"""Forms of the parties of a case: add, change, end, and the day to look back to."""

from datetime import date
from typing import Any

from django import forms

from cases.models import DisputedItem, Party, PreferredChannel, Role
from cases.services.parties import (
    ONE_AT_A_TIME,
    ORGANIZATION_ROLES,
    THROUGH_AN_ITEM,
    PartyDetails,
    PartyOnForm,
)
from form_fields.fields import DatedForm, PaperDate, PaperText

WHY = {"required": "Say why, or where you know it from."}


class DetailsForm(DatedForm):
    """How a party is called and reached."""

    name = PaperText(label="Name", max_length=300, error_messages={"required": "Enter the name."})
    contact = PaperText(label="Contact person", max_length=200, required=False)
    specialty = PaperText(label="Specialty", max_length=120, required=False)
    address = PaperText(
        label="Address, as printed",
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    phone = PaperText(label="Phone", max_length=40, required=False)
    fax = PaperText(label="Fax", max_length=40, required=False)
    email = forms.EmailField(label="E-mail", max_length=254, required=False)
    preferred_channel = forms.ChoiceField(label="Letters go by", choices=PreferredChannel)
    since = PaperDate(label="Since", required=False)
    why = PaperText(label="Why, or where from", max_length=300, error_messages=WHY)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for channel, name, words in (
            ("FAX", "fax", "Enter the fax number, or send letters another way."),
            ("ELECTRONIC", "email", "Enter the e-mail address, or send letters another way."),
        ):
            wanted = said.get("preferred_channel") == channel and not said.get(name)
            if wanted and name not in self.errors:
                self.add_error(name, words)
        return said

    def clean_since(self) -> date | None:
        day: date | None = self.cleaned_data["since"]
        if day is not None and day > self.today:
            raise forms.ValidationError("This day is in the future. Enter it when it has come.")
        return day

    def details(self) -> PartyDetails:
        """What was typed. Call it on a valid form."""
        said = self.cleaned_data
        return PartyDetails(
            name=said["name"],
            contact=said["contact"],
            specialty=said["specialty"],
            address=said["address"],
            phone=said["phone"],
            fax=said["fax"],
            email=said["email"],
            preferred_channel=said["preferred_channel"],
        )


class ChangePartyForm(DetailsForm):
    """Another address, channel, contact or name; since a day, or because it was wrong."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields[
            "since"
        ].help_text = (
            "The first day on which this holds. Leave it empty if what is on file was wrong."
        )

    @classmethod
    def initial_from(cls, party: Party) -> dict[str, Any]:
        """What is on file, for the page."""
        return {name: getattr(party, name) for name in PartyDetails.__dataclass_fields__}


class AddPartyForm(DetailsForm):
    """Someone who joins the case."""

    role = forms.ChoiceField(label="Role", error_messages={"required": "Choose the role."})
    item = forms.ChoiceField(
        label="Only through one item",
        required=False,
        help_text="For a maker, a facility or another provider of one disputed treatment.",
    )
    field_order = ("role", "name", "item")

    def __init__(self, *args: Any, items: list[DisputedItem], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields[
            "since"
        ].help_text = "The first day of the role. For a representative: the day of the designation."
        roles, through = self.fields["role"], self.fields["item"]
        assert isinstance(roles, forms.ChoiceField)  # noqa: S101 - narrows the type
        assert isinstance(through, forms.ChoiceField)  # noqa: S101 - narrows the type
        roles.choices = [
            ("", "–"),
            *((role.value, role.label) for role in Role if role not in ONE_AT_A_TIME),
            *((role.value, role.label) for role in Role if role in ONE_AT_A_TIME),
        ]
        through.choices = [
            ("", "The whole case"),
            *((str(item.pk), f"{item.position}. {item.title[:80]}") for item in items),
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        role = said.get("role")
        if said.get("item") and role and role not in THROUGH_AN_ITEM:
            self.add_error("item", "Only a maker, a facility or a provider joins through one item.")
        if role == Role.REPRESENTATIVE and not said.get("since") and "since" not in self.errors:
            self.add_error("since", "Enter the day on which the employee signed the designation.")
        return said

    def party(self) -> PartyOnForm:
        """Who joins. Call it on a valid form."""
        said, role = self.cleaned_data, Role(self.cleaned_data["role"])
        first, _, last = said["name"].rpartition(" ")
        named = {} if role in ORGANIZATION_ROLES else {"first": first, "last": last}
        return PartyOnForm(
            role=role,
            name=said["name"],
            contact=said["contact"],
            specialty=said["specialty"],
            address=said["address"],
            phone=said["phone"],
            fax=said["fax"],
            email=said["email"],
            preferred_channel=said["preferred_channel"],
            **named,
        )


class EndPartyForm(DatedForm):
    """Someone leaves the case."""

    last_day = PaperDate(
        label="Last day", error_messages={"required": "Enter the last day of the role."}
    )
    why = PaperText(label="Why, or where from", max_length=300, error_messages=WHY)

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if day > self.today:
            raise forms.ValidationError("This day is in the future. Enter it when it has come.")
        return day


class AsOfForm(DatedForm):
    """The day to look back to."""

    on = PaperDate(label="As of", required=False)
