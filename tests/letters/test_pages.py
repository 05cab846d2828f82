"""The pages of letters: live status, the PDF with its note of who looked, parked ones, wording."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import Role
from letters import services
from letters.models import Letter, LetterStep, WordingSet
from tests.factories import person

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter():
    return make.enqueue(make.wording())


def signed_in(client, *roles):
    user = person(*roles)
    client.force_login(user, backend="accounts.backends.RoleBackend")
    return user


def open_page(client, name, *args, **headers):
    return client.get(reverse(f"letters:{name}", args=args), headers=headers)


def damage(letter, content=None):
    letter.refresh_from_db()
    path = Path(default_storage.path(letter.file.path))
    kept = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    return path, kept


@pytest.mark.parametrize("content", [None, b"%PDF-1.7 another"], ids=["missing", "changed"])
def test_a_damaged_letter_is_answered_with_a_sentence_and_shown_to_the_office(
    client, letter, content
):
    make.file_letter(letter)
    signed_in(client, Role.COORDINATOR)
    path, kept = damage(letter, content)

    answers = [open_page(client, "download", letter.pk) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 503
        assert "missing or has changed" in answer.text
    assert AccessLogEntry.objects.filter(subject="letter").count() == 2
    assert letter.steps.filter(kind=LetterStep.Kind.DAMAGED).count() == 1
    office = open_page(client, "failed")
    assert "Files missing or changed" in office.text
    assert letter.title in office.text

    path.write_bytes(kept)
    assert open_page(client, "download", letter.pk).status_code == 200
    assert "Files missing or changed" not in open_page(client, "failed").text


def test_the_status_asks_again_until_the_letter_is_filed(client, letter):
    signed_in(client, Role.COORDINATOR)
    first = open_page(client, "status", letter.pk, hx_request="true")
    assert first.status_code == 200
    assert 'hx-trigger="every 2s"' in first.text
    assert "Generating" in first.text

    make.file_letter(letter)
    last = open_page(client, "status", letter.pk, hx_request="true")
    assert last.status_code == 286
    assert "hx-get" not in last.text
    assert reverse("letters:download", args=[letter.pk]) in last.text


def test_a_failed_letter_names_its_failure_and_who_must_act(client, letter):
    services_fail(letter)
    signed_in(client, Role.COORDINATOR)
    shown = open_page(client, "status", letter.pk, hx_request="true")
    assert shown.status_code == 286
    assert "The disk is full." in shown.text
    assert "To be corrected by: An administrator." in shown.text


def services_fail(letter):
    Letter.objects.claim([letter.pk], at=make.NOW, lease_seconds=60)
    Letter.objects.filter(pk=letter.pk).update(
        state="FAILED", failure="The disk is full.", who_must_act="An administrator"
    )


def test_the_pdf_comes_under_an_opaque_name_is_not_stored_and_the_look_is_noted(client, letter):
    filed = make.file_letter(letter)
    user = signed_in(client, Role.COORDINATOR)
    answer = open_page(client, "download", letter.pk)
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'inline; filename="CM26-0000001-determination-1.pdf"'
    assert "no-store" in answer["Cache-Control"]
    entry = AccessLogEntry.objects.get()
    assert (entry.user, entry.subject, entry.reference) == (user, "letter", filed.file_name)


def test_no_bytes_go_out_when_the_look_cannot_be_noted(client, letter, monkeypatch):
    make.file_letter(letter)
    signed_in(client, Role.COORDINATOR)

    def broken(**_):
        raise OSError("no room for notes")

    monkeypatch.setattr("accounts.services.write_access_entry", broken)
    answer = open_page(client, "download", letter.pk)
    assert answer.status_code == 503
    assert b"%PDF" not in answer.content
    assert "could not be recorded" in answer.content.decode()


def test_a_letter_that_is_not_filed_has_no_pdf(client, letter):
    signed_in(client, Role.COORDINATOR)
    assert open_page(client, "download", letter.pk).status_code == 404


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.GUIDELINE_ADMIN])
def test_letters_are_hidden_from_roles_that_may_not_see_them(client, letter, role):
    make.file_letter(letter)
    signed_in(client, role)
    for name in ("status", "download"):
        assert open_page(client, name, letter.pk).status_code in {403, 404}


def test_a_failed_letter_is_retried_by_a_person_and_only_once(client, letter):
    services_fail(letter)
    user = signed_in(client, Role.COORDINATOR)
    assert letter.title in open_page(client, "failed").text
    address = reverse("letters:retry", args=[letter.pk])
    assert client.get(address).status_code == 405

    answer = client.post(address, follow=True)
    assert "is being generated again" in answer.text
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, letter.failure) == ("QUEUED", 0, "")
    assert letter.steps.get(kind="RELEASED").by == user
    again = client.post(address)
    assert again.status_code == 422
    assert "has not failed" in again.text


def test_a_director_publishes_wording_in_their_own_name(client):
    draft = services.import_wording(
        text=(make.SHIPPED / "determination-today.toml").read_text(), by=None, at=make.NOW
    )
    user = signed_in(client, Role.DIRECTOR)
    assert "sample" in open_page(client, "wording").text
    shown = open_page(client, "wording_detail", draft.pk)
    assert "Publish this wording" in shown.text
    assert "no_affiliation_employer" in shown.text

    address = reverse("letters:publish_wording", args=[draft.pk])
    assert "is published" in client.post(address, follow=True).text
    draft.refresh_from_db()
    assert (draft.state, draft.published_by) == (WordingSet.State.PUBLISHED, user)
    again = client.post(address)
    assert again.status_code == 422
    assert "Import a new draft instead" in again.text


def test_wording_is_closed_to_others(client):
    signed_in(client, Role.COORDINATOR)
    assert open_page(client, "wording").status_code in {403, 404}
