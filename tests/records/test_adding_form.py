"""The form for a record accepts only text that letters can print, and a valid version."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.factories import MONDAY, noticed_case, person
from tests.records.factories import make_upload

pytestmark = pytest.mark.django_db

KEYED = {
    "kind": "PROGRESS_REPORT",
    "sent_by": "CLAIMS_ADMINISTRATOR",
    "received_on": "3/2/2026",
    "title": "Progress report",
    "author": "Dana Oyelaran",
}


@pytest.fixture
def case(client, set_clock):
    set_clock(MONDAY)
    made = noticed_case()
    client.force_login(person(Role.COORDINATOR))
    return made


@pytest.mark.parametrize("field", ["title", "author"])
def test_a_character_that_letters_cannot_print_is_named_beside_the_field(client, case, field):
    answer = client.post(
        reverse("records:add", args=[case.number]),
        KEYED | {field: "MRI ♀ knee", "upload": make_upload()},
    )

    assert answer.status_code == 422
    assert "female sign" in answer.content.decode()
    assert not case.documents.exists()


@pytest.mark.parametrize("version", ["9" * 5000, "٣", "-1", "x"])
def test_an_invalid_version_is_treated_as_a_stale_form(client, case, version):
    for name, sent in (
        ("complete", {"basis": "COMPLETE", "received_on": "3/2/2026"}),
        ("reopen", {"reason": "Missing"}),
    ):
        url = reverse(f"records:{name}", args=[case.number])
        assert client.post(url, sent | {"version": version}).status_code == 409, name
    dispatch = reverse("records:dispatch", args=[case.number])
    assert client.post(dispatch, {"assignment": version}).status_code == 404
