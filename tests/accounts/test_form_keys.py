"""The same form sent again adds nothing; with other contents it is refused and shows both."""

import ast
import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import form_keys
from accounts.models import FormKey
from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import CaseLetter, Commitment, Event
from intake.models import Batch
from maintenance.tasks import run_nightly_checks
from tests.factories import MONDAY, eligible_case, person, received_case
from tests.records.factories import (
    case_with_records,
    make_record_fields,
    make_upload,
    noticed_case,
    pdf_bytes,
)
from tests.test_views_shape import ROOT, VIEWS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everyone(client, set_clock):
    set_clock(MONDAY)
    user = person(*(role for role in Role if role != Role.REVIEWER))
    client.force_login(user)
    return user


def count_notes(case):
    return case.events.filter(kind=Event.Kind.NOTE).count()


def key_on(page):
    (key,) = set(re.findall(r'name="form_key" value="([-0-9a-f]+)"', page.content.decode()))
    return key


def test_a_note_sent_twice_is_one_note(client):
    case = received_case()
    key = key_on(client.get(case.get_absolute_url()))
    sent = {"form_key": key, "text": "The adjuster called."}

    first, again = (client.post(reverse("cases:note", args=[case.number]), sent) for _ in range(2))

    assert (first.status_code, again.status_code) == (302, 302)
    assert first.url == again.url
    assert count_notes(case) == 1


def test_another_note_under_the_same_key_is_refused_and_shows_each_once(client):
    case, url = received_case(), "cases:note"
    key = str(uuid4())
    client.post(reverse(url, args=[case.number]), {"form_key": key, "text": "First words."})

    page = client.post(reverse(url, args=[case.number]), {"form_key": key, "text": "Other words."})

    assert page.status_code == 409
    shown = html.unescape(page.content.decode())
    assert "Stored: “First words.”." in shown
    assert "Other words.</textarea>" in shown
    assert (shown.count("First words."), shown.count("Other words.")) == (1, 1)
    assert count_notes(case) == 1
    # The page has a new key, so that the second note can be saved on purpose.
    again = {"form_key": key_on(page), "text": "Other words."}
    assert client.post(reverse(url, args=[case.number]), again).status_code == 302
    assert count_notes(case) == 2


def test_a_refused_form_can_be_sent_again_under_its_key(client):
    case, key = received_case(), str(uuid4())
    url = reverse("cases:note", args=[case.number])

    assert client.post(url, {"form_key": key, "text": " "}).status_code == 422
    assert client.post(url, {"form_key": key, "text": "Words."}).status_code == 302
    assert count_notes(case) == 1


def test_a_commitment_a_contact_and_a_letter_draft_sent_twice_are_one(client):
    case = eligible_case()
    party = case.parties.current().first()
    forms = [
        (
            "cases:commitment",
            {
                "party": party.pk,
                "description": "A copy of the file",
                "due_on": "3/20/2026",
                "informed_on": "3/2/2026",
                "letter_reference": "Letter of 2 March",
                "why": "Asked by phone.",
            },
            lambda: Commitment.objects.count(),
        ),
        (
            "correspondence:draft_letter",
            {"kind": "L12"},
            lambda: CaseLetter.objects.filter(case=case).count(),
        ),
    ]
    for name, sent, count in forms:
        url, before = reverse(name, args=[case.number]), count()
        page = client.get(url)
        if name == "correspondence:draft_letter":
            # The first kinds are drafted already, and a kind is drafted once.
            sent["kind"] = page.context["form"].fields["kind"].choices[-1][0]
        sent["form_key"] = key_on(page)
        first, again = client.post(url, sent), client.post(url, sent)
        assert first.status_code == again.status_code == 302, html.unescape(first.content.decode())
        assert first.url == again.url
        assert count() == before + 1

    chased = case_with_records(pages=(1,), complete=False)
    url = reverse("records:remind", args=[chased.number])
    page = client.get(url)
    party_choice = page.context["form"].fields["party"].choices[-1][0]
    sent = {
        "form_key": key_on(page),
        "party": party_choice,
        "way": "CALL",
        "spoke_to": "no one",
        "outcome": "No answer.",
    }
    assert [client.post(url, sent).status_code for _ in range(2)] == [302, 302]
    assert chased.events.filter(kind=Event.Kind.REMINDED).count() == 1


def send_batch(client, key, *uploads):
    sent = {"form_key": key, "channel": "MAIL", "received": "3/2/2026", "scans": list(uploads)}
    return client.post(reverse("intake:batches"), sent)


def test_a_batch_sent_again_because_its_answer_was_lost_is_one_batch(client):
    key = key_on(client.get(reverse("intake:batches")))
    contents = [pdf_bytes(), pdf_bytes(pages=2)]

    first, again = (
        send_batch(client, key, *(make_upload(f"{n}.pdf", one) for n, one in enumerate(contents)))
        for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (302, 302)
    assert first.url == again.url
    assert list(Batch.objects.get().scans.values_list("state", flat=True)) == ["WAITING"] * 2


def test_other_scans_under_the_key_of_a_batch_are_refused_and_both_are_named(client):
    key = str(uuid4())
    send_batch(client, key, make_upload("first.pdf", pdf_bytes()))

    for other in (
        make_upload("second.pdf", pdf_bytes()),  # another name
        make_upload("first.pdf", pdf_bytes(pages=2)),  # other contents
    ):
        page = send_batch(client, key, other)

        assert page.status_code == 409
        shown = html.unescape(page.content.decode())
        assert re.search(r"Stored: “first\.pdf \([\d,]+ bytes\)”", shown)
        assert "Choose the files again, then select “Receive”." in shown
        assert "SHA-256" not in shown
        assert re.search(rf"Typed now: “{re.escape(other.name)} \([\d,]+ bytes", shown)
        assert Batch.objects.count() == 1
    # The page has a new key, so that the other scans can be received on purpose.
    other.seek(0)
    assert send_batch(client, key_on(page), other).status_code == 302
    assert Batch.objects.count() == 2


def test_a_refused_batch_can_be_sent_again_under_its_key(client):
    key = str(uuid4())
    assert send_batch(client, key).status_code == 422
    assert send_batch(client, key, make_upload("a.pdf", pdf_bytes())).status_code == 302


def test_a_record_sent_again_because_its_answer_was_lost_is_one_document(client):
    case = noticed_case()
    url = reverse("records:add", args=[case.number])
    content = pdf_bytes()
    typed = make_record_fields(dated_from="1/30/2026", dated_to="", received_on="3/2/2026")
    typed["form_key"] = re.findall(
        r'name="form_key" value="([-0-9a-f]+)"',
        client.get(reverse("records:list", args=[case.number])).content.decode(),
    )[0]

    first, again = (
        client.post(url, typed | {"upload": make_upload("a.pdf", content)}) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (302, 302)
    assert case.events.filter(kind=Event.Kind.RECORD_ADDED).count() == 1

    page = client.post(url, typed | {"upload": make_upload("b.pdf", pdf_bytes(pages=2))})
    assert page.status_code == 409
    shown = html.unescape(page.content.decode())
    assert "Stored: “a.pdf (" in shown
    assert "Typed now: “b.pdf (" in shown
    assert case.events.filter(kind=Event.Kind.RECORD_ADDED).count() == 1


def test_files_are_read_outside_the_transaction_and_not_again_for_a_saved_form(everyone):
    key, calls = uuid4(), []
    depth = len(connection.savepoint_ids)

    def read():
        calls.append(len(connection.savepoint_ids) - depth)
        return "read"

    for _ in range(2):
        result = form_keys.run_once_prepared(
            key=key,
            address="/a/",
            typed={"file": ["a.pdf"]},
            prepare=read,
            store=lambda contents: f"{contents} and stored",
            by=everyone,
        )
        assert result == "read and stored"
    assert calls == [0]


def list_forms_with_files():
    for path in (ROOT / "templates").rglob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), re.DOTALL):
            if "multipart/form-data" in form:
                yield str(path.relative_to(ROOT / "templates")), form


def test_every_form_with_files_carries_a_key():
    forms = dict(list_forms_with_files())
    # The application form has a key of its own, which is also that of its draft.
    assert "{{ form.key" in forms.pop("intake/intake.html")
    assert set(forms) == {
        "cases/date_act.html", "cases/documents.html", "cases/reason.html",
        "correspondence/information.html", "intake/batches.html", "records/_add.html",
    }  # fmt: skip
    assert all("{% form_key %}" in form for form in forms.values())


def run(everyone, key, *, typed=None, action=lambda: 1, address="/a/"):
    return form_keys.run_once(
        key=key, address=address, typed=typed or {"text": ["a"]}, action=action, by=everyone
    )


def test_a_failed_action_leaves_no_key(everyone):
    def refuse():
        raise NotAllowed("No.")

    with pytest.raises(NotAllowed):
        run(everyone, uuid4(), action=refuse)
    assert not FormKey.objects.exists()


def test_results_come_back_as_they_were(everyone):
    case = received_case()
    for result in (None, 3, "done", case, [case, everyone]):
        key = uuid4()
        for _ in range(2):
            assert run(everyone, key, action=lambda result=result: result) == result


def test_a_key_belongs_to_one_user_and_one_page(everyone):
    key = uuid4()
    run(everyone, key)
    for by, address in ((person(Role.INTAKE), "/a/"), (everyone, "/b/")):
        with pytest.raises(form_keys.FormSentOtherwise):
            run(by, key, address=address)


def test_old_keys_are_deleted_with_the_next_form(everyone):
    run(everyone, uuid4())
    FormKey.objects.update(saved_at=MONDAY - form_keys.KEPT * 2)
    run(everyone, uuid4())
    assert FormKey.objects.count() == 1


# Forms without a version and without a key, each with what makes a repeat harmless.
SAFE_TO_REPEAT = {
    "ends, decides or answers one row once; the second time is refused": """
        cases.views.acting.answer_reason_form cases.views.calls.correct_call
        cases.views.duplicates.compare_cases
        cases.views.duplicates.consolidate_case cases.views.item_changes.show_item_change
        cases.views.own_conflicts.correct_fact cases.views.own_conflicts.withdraw_fact
        cases.views.own_conflicts.resolve_conflict cases.views.parties.change_party
        cases.views.parties.end_party
        complaints.views.complete_action
        correspondence.views.case_letters.discard_letter
        correspondence.views.case_letters.mark_letter_sent
        correspondence.views.notices.make_notices correspondence.views.notices.mark_notices_sent
        determinations.views.issuing.return_to_quality
        determinations.views.issuing.send_determination
        directory.views.withdraw_organization_fact
        eligibility.views.ur_decision.answer_differences
        intake.views.batches.claim_scan intake.views.batches.release_scan
        intake.views.batches.return_scan intake.views.batches.skip_scan
        intake.views.batches.mark_rescanned
        intake.views.live.cancel_draft letters.views.retry_letter
        reviewers.views.choosing.answer_conflict reviewers.views.choosing.remove_reviewer
        reviewers.views.choosing.end_seat_approval reviewers.views.files.correct_fact
        reviewers.views.files.link_sign_in reviewers.views.own.attest_independence
        reviewers.views.own.decline_case reviewers.views.panel.answer_report
        accounts.views.decide_change cases.views.restrictions.show_restriction
        cases.views.restrictions.clear_person cases.views.restrictions.restrict_related_cases
        """,
    "compares the versions of the rows itself": """
        cases.views.holidays.confirm_holidays cases.views.rules.confirm_deadline_rules
        """,
    "replaces or repeats what waits": """
        accounts.views.ask_factor_reset jobs.views.run_again
        """,
    "computes again what is stored": """
        cases.views.duplicates.search_again cases.views.rules.recalculate_open_cases
        """,
    "the same day is refused": """
        cases.views.holidays.add_holiday
        """,
    "stores the same choices of the same person": "accounts.views.change_settings",
    "has its own key": "intake.views.application.enter_application",
    "sends what is outstanding, so the second time sends nothing": "records.views.send_case_file",
}


def calls_of_run_action():
    for path in VIEWS:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for function in ast.parse(path.read_text()).body:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_action":
                    yield f"{module}.{function.name}", {one.arg for one in node.keywords}


def test_every_form_has_a_version_or_a_key_or_a_reason_why_a_repeat_is_harmless():
    bare = {name for name, arguments in calls_of_run_action() if not arguments & {"row", "once"}}
    assert bare == {name for names in SAFE_TO_REPEAT.values() for name in names.split()}


@pytest.mark.every_database
def test_a_nul_character_in_an_extra_field_does_not_break_the_save(client):
    """PostgreSQL cannot store it. Fields that the form reads are refused with one."""
    case = received_case()
    key = key_on(client.get(case.get_absolute_url()))
    sent = {"form_key": key, "text": "The adjuster called.", "other\0": "a\0b"}

    answers = [client.post(reverse("cases:note", args=[case.number]), sent) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert count_notes(case) == 1


def test_the_nightly_run_deletes_what_was_typed_a_week_ago(everyone):
    kept, old = (
        FormKey.objects.create(key=uuid4(), user=everyone, address="/x/", content={"text": ["a"]})
        for _ in range(2)
    )
    FormKey.objects.filter(pk=old.pk).update(
        saved_at=timezone.now() - form_keys.KEPT - timedelta(hours=1)
    )

    run_nightly_checks()

    assert list(FormKey.objects.all()) == [kept]
