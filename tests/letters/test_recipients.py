"""A letter goes to the address of its channel, and long names fit."""

from dataclasses import replace

import pytest

from accounts.roles import Role
from cases.models import Party
from correspondence.services import notices
from letters.models import Service
from tests.factories import MONDAY, eligible_case, parties, person
from tests.letters.factories import publish_sample_wording

pytestmark = pytest.mark.django_db

LONG = "The Very Long Name of a Claims Administrator and Its Many Successors " * 4
ADMINISTRATOR = "Claims administrator"


def by_fax():
    return [
        replace(one, name=LONG.strip()[:300], fax="916-555-0142", preferred_channel="FAX")
        if one.role == "CLAIMS_ADMINISTRATOR"
        else one
        for one in parties()
    ]


def test_a_fax_goes_to_the_number_and_a_long_name_fits():
    publish_sample_wording()
    case = eligible_case(parties=by_fax())

    notices.make_notices(case_id=case.pk, by=person(Role.COORDINATOR), at=MONDAY)

    sent = Service.objects.get(letter__reference=case.number, recipient_role=ADMINISTRATOR)
    assert (sent.method, sent.address) == ("FAX", "916-555-0142")
    assert sent.recipient_name == LONG.strip()[:300]
    assert len(sent.recipient_name) > 200


def test_the_longest_name_of_a_party_fits():
    longest = Party._meta.get_field("name").max_length
    assert Service._meta.get_field("recipient_name").max_length >= longest
