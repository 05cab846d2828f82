"""The determination goes by each party's channel and lists only the items it decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.roles import Role
from cases.services import endings
from determinations.published import export_case_facts
from letters.models import Service
from tests.factories import ItemOnForm, parties, person
from tests.records.factories import in_review

from . import factories as make

pytestmark = pytest.mark.django_db


def test_a_determination_by_fax_goes_to_the_fax_number():
    faxed = [
        replace(one, fax="916-555-0142", preferred_channel="FAX")
        if one.role == "CLAIMS_ADMINISTRATOR"
        else one
        for one in parties()
    ]

    case = make.make_issued_case(
        make.make_approved_case(make.make_submitted_case(in_review(parties=faxed)))
    )

    sent = Service.objects.get(
        letter=case.determinations.get().letter, recipient_role="Claims administrator"
    )
    assert (sent.method, sent.address) == ("FAX", "916-555-0142")


def test_an_item_authorized_after_the_approval_is_not_decided():
    items = [ItemOnForm(title="Injection at C3-4"), ItemOnForm(title="Physical therapy")]
    case = make.make_approved_case(make.make_submitted_case(in_review(items=items)))
    endings.terminate_items(
        case_id=case.pk,
        item_ids=[case.items.get(position=2).pk],
        reason="Authorized",
        by=person(Role.COORDINATOR),
        at=make.REVIEWED + timedelta(hours=1, minutes=30),
    )

    case = make.make_issued_case(case)

    assert [item["title"] for item in export_case_facts(case)["items"]] == ["Injection at C3-4"]
    letter = case.determinations.get().letter
    assert "Physical therapy" not in str(letter.words)
