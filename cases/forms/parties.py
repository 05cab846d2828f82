"""Forms for parties of a case: add, change, end a role, and the date of the list."""

from datetime import date
from typing import Any

from django import forms

from cases.models import DisputedItem, Party, PartyRole, PreferredChannel
from cases.models.parties import state_choices
from cases.places import why_not_state
from cases.services.parties import (
    ONE_AT_A_TIME,
    ORGANIZATION_ROLES,
    THROUGH_AN_ITEM,
    PartyDetails,
    PartyOnForm,
    find_channel_problems,
)
from form_fields.fields import DatedForm, KeyedDate, LetterText, StatedAnswer

from .addresses import ConsentBasisField, ConsentDayField, KeyedAddress, LanguageField

WHY = {"required": "Enter the reason or the source."}


class DetailsForm(DatedForm):
    """Name and contact details of a party."""

    name = LetterText(label="Name", max_length=300, error_messages={"required": "Enter the name."})
    contact = LetterText(label="Contact person", max_length=200, required=False)
    specialty = LetterText(label="Specialty", max_length=120, required=False)
    address = KeyedAddress(rows=3, max_length=600)
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "As in the address"), *state_choices()],
        help_text="Decides how many days the party has after it is served.",
    )
    phone = LetterText(label="Phone", max_length=40, required=False)
    fax = LetterText(label="Fax", max_length=40, required=False)
    email = forms.EmailField(label="Email", max_length=254, required=False)
    language = LanguageField()
    needs_interpreter = StatedAnswer(label="Interpreter needed?")
    eservice_on = ConsentDayField()
    eservice_basis = ConsentBasisField()
    preferred_channel = forms.ChoiceField(label="Send letters by", choices=PreferredChannel)
    since = KeyedDate(label="Since", required=False)
    why = LetterText(label="Reason or source", max_length=300, error_messages=WHY)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        # The service checks this too; here the sentence appears beside the field.
        for name, sentence in find_channel_problems(
            values, today=self.today, channel=values.get("preferred_channel", "MAIL")
        ).items():
            # A malformed address has a message of its own.
            if name not in self.errors:
                self.add_error(name, sentence)
        if mismatch := why_not_state(values.get("state", ""), values.get("address", "")):
            self.add_error("state", mismatch)
        return values

    def clean_since(self) -> date | None:
        day: date | None = self.cleaned_data["since"]
        if day is not None and day > self.today:
            raise forms.ValidationError("This date is in the future. Enter it on that day.")
        return day

    def details(self) -> PartyDetails:
        """Return what was typed. Call it on a valid form."""
        values = self.cleaned_data
        return PartyDetails(
            name=values["name"],
            contact=values["contact"],
            specialty=values["specialty"],
            address=values["address"],
            state=values["state"],
            phone=values["phone"],
            fax=values["fax"],
            email=values["email"],
            language=values["language"],
            needs_interpreter=values["needs_interpreter"],
            eservice_on=values["eservice_on"],
            eservice_basis=values["eservice_basis"],
            preferred_channel=values["preferred_channel"],
        )


class ChangePartyForm(DetailsForm):
    """New name or contact details, from a day on or as a correction."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields[
            "since"
        ].help_text = "The first day of the change. Leave it empty to correct a wrong entry."

    @classmethod
    def initial_from(cls, party: Party) -> dict[str, Any]:
        """Return the values on file, for the page."""
        return {name: getattr(party, name) for name in PartyDetails.__dataclass_fields__}


class AddPartyForm(DetailsForm):
    """A new party of the case."""

    role = forms.ChoiceField(label="Role", error_messages={"required": "Choose the role."})
    item = forms.ChoiceField(
        label="Only for one item",
        required=False,
        help_text="For a manufacturer, a facility or another provider of one disputed treatment.",
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
            ("", "Choose"),
            # Roles that every case already has come last.
            *((role.value, role.label) for role in PartyRole if role not in ONE_AT_A_TIME),
            *((role.value, role.label) for role in PartyRole if role in ONE_AT_A_TIME),
        ]
        through.choices = [
            ("", "The whole case"),
            *((str(item.pk), f"{item.position}. {item.title[:80]}") for item in items),
        ]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        role = values.get("role")
        if values.get("item") and role and role not in THROUGH_AN_ITEM:
            self.add_error(
                "item", "Only a manufacturer, a facility or a provider can be a party for one item."
            )
        if (
            role == PartyRole.REPRESENTATIVE
            and not values.get("since")
            and "since" not in self.errors
        ):
            self.add_error("since", "Enter the day on which the employee signed the designation.")
        return values

    def party(self) -> PartyOnForm:
        """Return the new party. Call it on a valid form."""
        values, role = self.cleaned_data, PartyRole(self.cleaned_data["role"])
        # Staff type the name in one field; its last word is taken as the surname.
        first, _, last = values["name"].rpartition(" ")
        named = {} if role in ORGANIZATION_ROLES else {"first": first, "last": last}
        return PartyOnForm(
            role=role,
            name=values["name"],
            contact=values["contact"],
            specialty=values["specialty"],
            address=values["address"],
            state=values["state"],
            phone=values["phone"],
            fax=values["fax"],
            email=values["email"],
            language=values["language"],
            needs_interpreter=values["needs_interpreter"],
            eservice_on=values["eservice_on"],
            eservice_basis=values["eservice_basis"],
            preferred_channel=values["preferred_channel"],
            **named,
        )


class EndPartyForm(DatedForm):
    """The end of a role."""

    last_day = KeyedDate(
        label="Last day", error_messages={"required": "Enter the last day of the role."}
    )
    why = LetterText(label="Reason or source", max_length=300, error_messages=WHY)

    def clean_last_day(self) -> date:
        day: date = self.cleaned_data["last_day"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Enter it on that day.")
        return day


class AsOfForm(DatedForm):
    """The date for which a list is shown."""

    on = KeyedDate(label="As of", required=False)
