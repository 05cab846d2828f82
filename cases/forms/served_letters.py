"""Forms of the service of a letter: correct it, and record its outcome."""

from typing import Any

from django import forms

from cases.models import Party
from cases.models.parties import state_choices
from cases.places import OUTSIDE_US
from form_fields.fields import DatedForm, KeyedDate, LetterText
from letters.models import DeliveryMethod, Place, Service, ServiceEvent

# A place whose state is not on file, as a choice of its own.
_PLACES = [
    (Place.OTHER_STATE.value, "Another state, not on file"),
]
_STATE_OF_PLACE = {Place.CALIFORNIA: "CA", Place.ABROAD: OUTSIDE_US}


class CorrectServiceForm(DatedForm):
    """How, when and where a letter was really served."""

    on = KeyedDate(label="Date served", error_messages={"required": "Enter the date of service."})
    method = forms.ChoiceField(
        label="Method",
        choices=DeliveryMethod,
        error_messages={"required": "Choose how the letter was served."},
    )
    state = forms.ChoiceField(
        label="State of the address",
        required=False,
        choices=[("", "Not known"), *_PLACES, *state_choices()],
        help_text="Decides how many days the recipient has, unless served in person.",
    )
    address = LetterText(
        label="Sent to",
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Postal address, fax number or email address, by the method.",
        error_messages={"required": "Enter where the letter was sent."},
    )
    why = LetterText(
        label="Reason",
        max_length=500,
        error_messages={"required": "Enter the reason for the correction."},
    )

    @staticmethod
    def initial_from(service: Service, party: Party | None) -> dict[str, Any]:
        """Return the values on file, for the page."""
        # The state of the party counts while it lies in the place that is stored.
        if party is not None and party.place == service.place:
            state = party.state
        elif service.place == Place.OTHER_STATE:
            state = Place.OTHER_STATE
        else:
            state = _STATE_OF_PLACE.get(Place(service.place), "")
        return {
            "on": service.served_on,
            "method": service.served_method or service.method,
            "address": service.served_address or service.address,
            "state": state,
        }


class OutcomeForm(DatedForm):
    """Whether the letter was delivered or came back."""

    kind = forms.ChoiceField(
        label="Outcome",
        choices=[
            (kind.value, kind.label)
            for kind in (ServiceEvent.Kind.DELIVERED, ServiceEvent.Kind.RETURNED)
        ],
    )
    on = KeyedDate(label="Date", error_messages={"required": "Enter the date."})
    why = LetterText(
        label="Note",
        max_length=500,
        required=False,
        help_text="For a returned letter: what the post office or the server says.",
    )
