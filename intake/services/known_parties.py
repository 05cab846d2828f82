"""Finds parties of earlier cases by name, to fill in their addresses on a new form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max, Q

from cases.models import Party, PartyRole
from directory.models import OrganizationName, PersonName
from directory.names import fold_name, fold_organization

MAX_PARTIES = 6
MIN_LETTERS = 2

# The field typed in, the party's role, and the fields that a choice fills in: form field to party
# field.
_EMAIL = ("email", "eservice_on", "eservice_basis")


def _with_email(prefix: str, fills: dict[str, str]) -> dict[str, str]:
    """Add the email address and the consent to electronic service, which one party has in all."""
    return fills | {f"{prefix}_{name}": name for name in _EMAIL}


FIELDS: dict[str, tuple[PartyRole, dict[str, str]]] = {
    "employer": (
        PartyRole.EMPLOYER,
        _with_email("employer", {"employer": "name", "employer_address": "address"}),
    ),
    "attorney": (
        PartyRole.EMPLOYEE_ATTORNEY,
        _with_email(
            "attorney",
            {
                "attorney": "name",
                "attorney_firm": "contact",
                "attorney_address": "address",
                "attorney_phone": "phone",
                "attorney_fax": "fax",
            },
        ),
    ),
    "physician_last": (
        PartyRole.REQUESTING_PHYSICIAN,
        _with_email(
            "physician",
            {
                "physician_first": "first",
                "physician_last": "last",
                "physician_specialty": "specialty",
                "physician_address": "address",
                "physician_phone": "phone",
                "physician_fax": "fax",
            },
        ),
    ),
    "administrator": (
        PartyRole.CLAIMS_ADMINISTRATOR,
        _with_email(
            "administrator",
            {
                "administrator": "name",
                "administrator_address": "address",
                "administrator_phone": "phone",
                "administrator_fax": "fax",
                "administrator_channel": "preferred_channel",
            },
        ),
    ),
}


@dataclass(frozen=True)
class KnownParty:
    """A party of an earlier case, and the form fields that choosing it fills in."""

    name: str
    address: str
    fills: dict[str, str]

    @property
    def fills_json(self) -> str:
        """The form fields and their values as JSON, for the page's script."""
        return json.dumps(self.fills)


def find_known_parties(*, field: str, typed: str) -> list[KnownParty]:
    """Find parties of earlier cases with a name, or a word of it, that begins with the typed text.

    Only parties of cases are searched, never staff or reviewers. Each has the address from its
    latest case.
    """
    # The name of the field comes from a request header.
    if field not in FIELDS:
        return []
    role, fills = FIELDS[field]
    person = field in {"physician_last", "attorney"}
    folded = (fold_name if person else fold_organization)(typed)
    # A single letter matches too many names to be of use.
    if len(folded) < MIN_LETTERS:
        return []
    # Match the beginning of the name or of any later word.
    begins = Q(normal__startswith=folded) | Q(normal__contains=f" {folded}")
    names = (PersonName if person else OrganizationName).objects.current().filter(begins)
    owner = "person" if person else "organization"
    # The newest party row of each person or organization has the most recent address.
    latest = (
        Party.objects.current()
        .filter(role=role, **{f"{owner}__in": names.values(owner)})
        .values(owner)
        .annotate(latest=Max("pk"))
        .order_by("-latest")
        .values_list("latest", flat=True)[:MAX_PARTIES]
    )
    parties = Party.objects.filter(pk__in=list(latest)).select_related("person").order_by("name")
    return [
        KnownParty(party.name, party.address, _read_party_fields(party, fills)) for party in parties
    ]


def fill_in_known_parties(*, typed: Mapping[str, str]) -> dict[str, str]:
    """Fill empty fields of a form with the addresses of known parties.

    For browsers without scripts. A field is filled only if exactly one party matches the name.
    """
    filled: dict[str, str] = {}
    for field in FIELDS:
        parties = find_known_parties(field=field, typed=typed.get(field, ""))
        if len(parties) == 1:
            filled |= {name: text for name, text in parties[0].fills.items() if not typed.get(name)}
    return filled


def _read_party_fields(party: Party, fills: dict[str, str]) -> dict[str, str]:
    parts = {"first": "", "last": party.name}
    if party.person is not None:
        # The person may have had other names; take the one that this party row prints.
        name = party.person.names.current().filter(printed=party.name).first()
        if name is not None and name.last:
            parts = {"first": name.first, "last": name.last}
    return {
        field: parts[source] if source in parts else _as_typed(getattr(party, source))
        for field, source in fills.items()
    }


def _as_typed(value: Any) -> str:
    return f"{value:%m/%d/%Y}" if isinstance(value, date) else value or ""
