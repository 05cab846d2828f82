"""The pages of drafts: what waits, one draft with its preview, and what a person does with it."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import CaseLetter
from correspondence.services import case_letters
from letters import typesetting
from letters.models import Letter, RenderedPreview
from tests.factories import MONDAY, parties, person, received_case
from tests.letters.factories import file_without_typesetting, publish_sample_wording, stand_in

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=2)
SENT = MONDAY + timedelta(hours=3)


@pytest.fixture(scope="module")
def coordinator(module_db):
    publish_sample_wording()
    return person(Role.COORDINATOR)


@pytest.fixture
def desk(client, coordinator, set_clock):
    """A coordinator's browser; the pages of previews are empty."""
    set_clock(LATER)
    client.force_login(coordinator)
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        yield client


def page_of(answer):
    return html.unescape(answer.content.decode())


def draft_of(case):
    return case.case_letters.get(state=CaseLetter.State.DRAFT)


def build_url(name, draft, *more):
    return reverse(f"correspondence:{name}", args=[draft.case.number, draft.pk, *more])


def test_a_draft_goes_from_the_list_to_sent(desk, set_clock):
    draft = draft_of(received_case())
    assert draft.get_absolute_url() in page_of(desk.get(reverse("correspondence:drafts")))

    page = page_of(desk.get(draft.get_absolute_url()))
    assert f'hx-post="{build_url("preview_letter", draft)}" hx-trigger="load"' in page
    assert desk.get(build_url("letter_page", draft, 1)).status_code == 404
    assert not RenderedPreview.objects.exists()
    assert desk.post(build_url("preview_letter", draft)).url == draft.get_absolute_url()
    page = page_of(desk.get(draft.get_absolute_url()))
    assert build_url("letter_page", draft, 1) in page
    assert "We Have Received Your Application" in page
    assert "Proposed by the system" in page
    picture = desk.get(build_url("letter_page", draft, 1))
    assert picture.content.startswith(b"\x89PNG")
    assert "no-store" in picture["Cache-Control"]

    approved = desk.post(build_url("approve_letter", draft), {"version": draft.version})
    assert approved.url == draft.get_absolute_url()
    assert "Generating" in page_of(desk.get(draft.get_absolute_url()))
    assert desk.get(build_url("letter_page", draft, 1)).status_code == 404
    early = desk.post(build_url("mark_letter_sent", draft), {"sent_on": "t"})
    assert early.status_code == 422
    assert "not ready yet" in page_of(early)

    file_without_typesetting(at=LATER)
    set_clock(SENT)
    assert desk.post(build_url("mark_letter_sent", draft), {"sent_on": "t"}).status_code == 302
    letters = page_of(desk.get(reverse("desk:letters", args=[draft.case.number])))
    assert "sent Mar 2, 2026" in letters
    assert "Ready" in letters
    assert draft.get_absolute_url() not in page_of(desk.get(reverse("correspondence:drafts")))


def test_the_case_page_and_its_list_of_letters_show_a_waiting_draft(desk):
    case = received_case()

    assert "1 draft to review." in page_of(desk.get(case.get_absolute_url()))
    assert "to be reviewed" in page_of(desk.get(reverse("desk:letters", args=[case.number])))


def count_in_menu(page, name):
    found = re.search(rf'id="count-{name}">(\d+)', page)
    return int(found[1]) if found else None


def test_unsent_letters_stand_in_the_menu_on_the_case_and_beside_its_closing(desk, client):
    case = received_case()
    draft = draft_of(case)
    page = page_of(desk.get(case.get_absolute_url()))
    assert count_in_menu(page, "letters-to-review") == 1
    assert count_in_menu(page, "letters-to-send") == 0
    assert "Letters not sent:" in page
    closing = page_of(desk.get(reverse("cases:withdraw", args=[case.number])))
    assert f"{draft.get_kind_display()} (draft)" in closing

    desk.post(build_url("preview_letter", draft))
    desk.post(build_url("approve_letter", draft), {"version": draft.version})
    page = page_of(desk.get(case.get_absolute_url()))
    assert count_in_menu(page, "letters-to-review") == 0
    assert count_in_menu(page, "letters-to-send") == 1
    file_without_typesetting(at=LATER)
    desk.post(build_url("mark_letter_sent", draft), {"sent_on": "t"})
    assert "Letters not sent:" not in page_of(desk.get(case.get_absolute_url()))

    received_case()
    client.force_login(person(Role.AUDITOR))
    assert count_in_menu(page_of(client.get("/")), "letters-to-review") is None


def test_a_refused_form_keeps_the_typed_text(desk):
    draft = draft_of(received_case())
    typed = {"version": draft.version, "particulars": "Smile \U0001f600", "recipients": []}

    answer = desk.post(draft.get_absolute_url(), typed)

    assert answer.status_code == 422
    text = page_of(answer)
    assert "A printed letter cannot contain" in text
    assert "Choose at least one recipient." in text
    assert "Smile \U0001f600" in text


def test_a_changed_draft_is_shown_with_its_new_text(desk):
    draft = draft_of(received_case())
    employee = draft.case.parties.get(role="EMPLOYEE")
    typed = {
        "version": draft.version,
        "particulars": "<b>We called</b> {{ you }}.",
        "recipients": [employee.pk],
    }

    assert desk.post(draft.get_absolute_url(), typed).status_code == 302
    desk.post(build_url("preview_letter", draft))

    raw = desk.get(draft.get_absolute_url()).content.decode()
    assert "&lt;b&gt;We called&lt;/b&gt; {{ you }}." in raw
    assert desk.post(draft.get_absolute_url(), typed).status_code == 409
    desk.post(build_url("approve_letter", draft), {"version": draft.version + 1})
    assert Letter.objects.filter(reference=draft.case.number).count() == 1


def test_someone_elses_change_makes_the_page_stale(desk):
    draft = draft_of(received_case())
    desk.get(draft.get_absolute_url())
    case_letters.change_letter_draft(
        letter_id=draft.pk,
        particulars="More.",
        left_out=[],
        seen_version=None,
        by=person(Role.SUPERVISOR),
        at=LATER,
    )

    answer = desk.post(build_url("approve_letter", draft), {"version": draft.version})

    assert answer.status_code == 409
    assert not Letter.objects.filter(reference=draft.case.number).exists()


def test_an_incomplete_draft_names_what_is_missing_and_the_page_to_fix_it(desk):
    bare = [replace(one, address="") for one in parties()]
    draft = draft_of(received_case(parties=bare))

    page = page_of(desk.get(draft.get_absolute_url()))

    assert "Injured worker Marisol Quintanar has no postal address on file." in page
    assert reverse("cases:parties", args=[draft.case.number]) in page
    refused = desk.post(build_url("approve_letter", draft), {"version": draft.version})
    assert refused.status_code == 422
    assert "has no postal address" in page_of(refused)


def test_the_page_still_works_when_the_typesetter_crashes(desk):
    draft = draft_of(received_case())
    gone = typesetting.TypesettingInterrupted("The typesetter stopped.")

    with mock.patch.object(typesetting, "typeset_words", side_effect=gone):
        answer = desk.post(build_url("preview_letter", draft))

    assert answer.status_code == 422
    assert "The preview could not be generated" in page_of(answer)
    assert "hx-trigger" not in page_of(answer).partition('id="preview"')[2].partition(">")[0]


def test_a_draft_is_discarded_with_a_reason(desk):
    draft = draft_of(received_case())

    refused = desk.post(build_url("discard_letter", draft), {"reason": ""})
    assert refused.status_code == 422
    assert "Choose the reason for discarding the draft." in page_of(refused)
    assert (
        desk.post(build_url("discard_letter", draft), {"reason": "NOT_NEEDED"}).status_code == 302
    )
    assert "Not needed in this case." in page_of(desk.get(draft.get_absolute_url()))


def test_a_person_drafts_a_letter_that_no_action_proposed(desk):
    case = received_case()
    page = reverse("correspondence:draft_letter", args=[case.number])
    assert desk.post(page, {"kind": "poem"}).status_code == 422

    answer = desk.post(page, {"kind": "information_request", "points": "The MRI.\n\nThe date."})

    made = CaseLetter.objects.get(case=case, kind="information_request")
    assert (answer.url, made.points) == (made.get_absolute_url(), ["The MRI.", "The date."])


@pytest.mark.parametrize(
    ("role", "may_read"), [(Role.AUDITOR, True), (Role.MAILROOM, True), (Role.REVIEWER, False)]
)
def test_other_roles_read_a_draft_only_if_allowed_and_cannot_change_it(
    client, coordinator, role, may_read
):
    draft = draft_of(received_case())
    client.force_login(person(role))

    with mock.patch.object(typesetting, "typeset_words", stand_in):
        assert (client.get(draft.get_absolute_url()).status_code == 200) is may_read
        for name in ("approve_letter", "discard_letter"):
            assert client.post(build_url(name, draft)).status_code in {403, 404}
        assert client.post(draft.get_absolute_url(), {"version": draft.version}).status_code in {
            403,
            404,
            422,
        }
    draft.refresh_from_db()
    assert (draft.state, draft.version) == ("DRAFT", 1)
