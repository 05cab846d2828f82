"""What reviewers sign before a file opens: published by the director, number after number."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.models import Case
from reviewers import policies, proofs
from reviewers.models import Attestation, AttestationWording, Leave
from reviewers.seeds import QUESTIONS, WORDING
from reviewers.services import assignment as assignments
from reviewers.services import wordings
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    accepted_case,
    answer_no_to_all,
    fit_reviewer,
    offered_case,
    panel_seeds,
    sign_attestation,
)
from tests.reviewers.test_assignment import add_employer_party
from tests.reviewers.test_pages import fit_today

pytestmark = pytest.mark.django_db

PAGE = "/reviewers/attestation/"
NOON = MONDAY + timedelta(hours=4)
DAY = date(2026, 3, 2)
SHIPPED = [text for _, text in QUESTIONS[:-1]]
SURNAME = QUESTIONS[-1][1]
NEW = "Have you been paid by a party for anything within five years?"
MAY_READ = {Role.COORDINATOR, Role.CREDENTIALING, Role.QA, Role.DIRECTOR, Role.AUDITOR}


@pytest.fixture
def shipped():
    panel_seeds()
    return AttestationWording.objects.get()


def publish_wording(*, by=None, at=NOON, **changes):
    latest = AttestationWording.objects.order_by("-number").first()
    fields = {
        "text": WORDING,
        "questions": [*SHIPPED, NEW],
        "surname": SURNAME,
        "effective_from": DAY,
        "reason": "Advice of counsel",
        "seen_number": latest.number if latest else 0,
    }
    return wordings.publish_attestation_wording(
        **fields | changes, by=by or person(Role.DIRECTOR), at=at
    )


def publish_today(**changes):
    """In force at once for the pages, which read the clock."""
    now = timezone.now()
    return publish_wording(at=now, effective_from=timezone.localdate(now), **changes)


def read_prefilled_form(page):
    """What a browser would send of a page's main form, if no one touched it."""
    form = re.search(r'<form class="card[^"]*" method="post".*?</form>', page, re.S)[0]
    sent = {
        re.search(r'name="(\w+)"', tag)[1]: unescape(found[1])
        for tag in re.findall(r"<input[^>]*>", form)
        if (found := re.search(r'value="([^"]*)"', tag)) and 'type="radio"' not in tag
    }
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.S):
        sent[name] = unescape(text)
    return sent


def list_coded_questions(wording):
    return [(one["code"], one["text"]) for one in wording.questions]


# --- publishing ----------------------------------------------------------------------------------


@pytest.mark.capability("MC-3")
def test_the_next_version_keeps_the_codes_of_unchanged_questions(shipped):
    director = person(Role.DIRECTOR)

    made = publish_wording(by=director, questions=[NEW, SHIPPED[1], f"  {SHIPPED[0].upper()}  "])

    assert made.number == 2
    assert list_coded_questions(made) == [
        ("q2_1", NEW),
        ("insurer", SHIPPED[1]),
        ("employer", SHIPPED[0].upper()),
        ("surname", SURNAME),
    ]
    version = made.history.get()
    assert (version.history_user, version.history_date) == (director, NOON)
    assert version.history_change_reason == "Advice of counsel"
    shipped.refresh_from_db()
    assert list_coded_questions(shipped) == list(QUESTIONS)


@pytest.mark.capability("MC-3")
def test_a_question_that_returns_has_its_old_code_and_no_code_is_used_twice(shipped):
    publish_wording(questions=[NEW])
    publish_wording(questions=["Another question?", "A third?"])
    publish_wording(questions=[NEW, SHIPPED[3], "A fourth?"])

    meanings = {}
    for wording in AttestationWording.objects.all():
        for code, text in list_coded_questions(wording):
            meanings.setdefault(code, set()).add(text)
    last = AttestationWording.objects.get(number=4)
    assert [code for code, _ in list_coded_questions(last)] == [
        "q2_1",
        "facility",
        "q4_3",
        "surname",
    ]
    assert all(len(texts) == 1 for texts in meanings.values())


@pytest.mark.capability("MC-3")
def test_the_question_about_a_surname_may_be_reworded_and_keeps_its_code(shipped):
    made = publish_wording(surname="Are you kin of a party who is called as you are?")

    assert list_coded_questions(made)[-1] == (
        "surname",
        "Are you kin of a party who is called as you are?",
    )


@pytest.mark.capability("MC-3")
def test_a_statement_keeps_its_paragraphs(shipped):
    made = publish_wording(text="  One  sentence.\r\n\r\nAnother. \n")

    assert made.text == "One sentence.\n\nAnother."


@pytest.mark.capability("MC-3")
def test_the_first_wording_is_number_1():
    made = publish_wording(questions=[NEW])

    assert (made.number, [code for code, _ in list_coded_questions(made)]) == (
        1,
        ["q1_1", "surname"],
    )


@pytest.mark.capability("MC-3")
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"effective_from": date(2026, 3, 1)}, "effective_from", "Choose today or later."),
        ({"effective_from": date(2027, 3, 4)}, "effective_from", "more than a year ahead"),
        ({"text": " \n "}, "text", "Enter the statement"),
        ({"text": "x" * 4001}, "text", "4001 characters long. Shorten it to 4000."),
        ({"questions": []}, "questions", "at least one question"),
        ({"questions": [NEW, " "]}, "questions", "Question 2 is empty."),
        ({"questions": [NEW, "x" * 501]}, "questions", "Question 2 (“xxxx"),
        ({"questions": [NEW, "Why?", NEW.upper()]}, "questions", "the same as question 1"),
        ({"questions": [f"Why {n}?" for n in range(41)]}, "questions", "The limit is 40."),
        ({"questions": [SHIPPED[0], SURNAME]}, "surname", "Question 2 is the same."),
        (
            {"questions": [SHIPPED[0], SURNAME], "surname": "Another about a surname?"},
            "questions",
            "Question 2 asks about a shared surname.",
        ),
        ({"surname": ""}, "surname", "is required. Enter it here"),
        ({"surname": SHIPPED[2], "questions": [NEW]}, "surname", "used for another question"),
        ({"surname": "x" * 501}, "surname", "Shorten it to 500."),
        ({"reason": " "}, "reason", "Enter why the wording changes."),
        ({"reason": "x" * 301}, "reason", "Shorten it to 300."),
    ],
)
def test_an_invalid_wording_is_refused_beside_its_field(shipped, changes, field, sentence):
    with pytest.raises(BadFact) as refusal:
        publish_wording(**changes)

    assert refusal.value.field == field
    assert sentence in str(refusal.value)
    assert AttestationWording.objects.count() == 1


@pytest.mark.capability("MC-3")
def test_a_wording_without_a_difference_is_refused(shipped):
    with pytest.raises(NotAllowed, match="This is the same as wording 1"):
        publish_wording(questions=SHIPPED)


@pytest.mark.capability("MC-3")
def test_no_wording_begins_before_its_predecessor(shipped):
    publish_wording(effective_from=DAY + timedelta(days=9))

    with pytest.raises(BadFact, match="Wording 2 starts on Mar 11, 2026"):
        publish_wording(questions=[NEW], effective_from=DAY + timedelta(days=8))
    made = publish_wording(questions=[NEW], effective_from=DAY + timedelta(days=9))

    assert assignments.get_current_wording(NOON) == shipped
    assert assignments.get_current_wording(NOON + timedelta(days=9)) == made


@pytest.mark.capability("MC-3")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DIRECTOR}))
def test_only_the_director_publishes_a_wording(shipped, role):
    with pytest.raises(NotAllowed, match="Only the medical director publishes"):
        publish_wording(by=person(role))


@pytest.mark.capability("MC-3")
@pytest.mark.every_database
def test_the_database_refuses_to_change_a_published_wording(shipped):
    shipped.text = "Nothing."
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        shipped.store(by=None, at=NOON)


@pytest.mark.capability("MC-3")
def test_publishing_from_an_outdated_page_is_refused(shipped):
    publish_wording()

    with pytest.raises(Stale, match="Someone else changed this"):
        publish_wording(questions=[NEW], seen_number=1)

    assert AttestationWording.objects.count() == 2


@pytest.mark.capability("MC-3")
def test_publishing_after_another_director_has_just_published_is_refused(shipped, monkeypatch):
    coding = wordings._assign_question_codes

    def overtaken(number, *others):
        AttestationWording(number=number, text="Theirs", effective_from=DAY).store(by=None, at=NOON)
        return coding(number, *others)

    monkeypatch.setattr(wordings, "_assign_question_codes", overtaken)
    with pytest.raises(Stale) as stale:
        publish_wording()

    assert stale.value.row.text == "Theirs"


# --- what is signed, and what is open ------------------------------------------------------------


@pytest.mark.capability("CO-1")
def test_a_signed_attestation_stays_valid_and_names_its_wording(shipped):
    made = accepted_case()
    user = User.objects.get(pk=made.reviewer.user_id)

    publish_wording(at=NOON + timedelta(hours=2))

    later = NOON + timedelta(days=1)
    made.case.refresh_from_db()
    assert policies.can_open_file(user, made.case)
    assert policies.find_live_attestation(made).wording == shipped
    (proof,) = [
        fact
        for fact in proofs.collect_reviewer_facts(made, on=DAY + timedelta(days=1), known_at=later)
        if fact.name == "attestation_signed"
    ]
    assert proof.source.startswith("Wording 1, party list version ")


@pytest.mark.capability("CO-1")
def test_attesting_again_signs_the_current_wording_and_the_old_one_stays_readable(shipped):
    made = accepted_case()
    second = publish_wording(at=NOON + timedelta(hours=2), effective_from=DAY + timedelta(days=2))
    add_employer_party(made.case, "Second Employer")

    sign_attestation(made, at=NOON + timedelta(days=2))

    first, anew = Attestation.objects.filter(assignment=made).order_by("signed_at")
    assert (first.wording, bool(first.voided_at)) == (shipped, True)
    assert (anew.wording, anew.answers["q2_10"]) == (second, "no")


@pytest.mark.capability("CO-1")
def test_an_open_offer_is_attested_with_the_wording_in_force_on_that_day(shipped):
    before, after = offered_case(at=MONDAY), offered_case(at=MONDAY)
    second = publish_wording(at=NOON, effective_from=DAY + timedelta(days=1))

    sign_attestation(before, at=NOON + timedelta(hours=1))
    sign_attestation(after, at=NOON + timedelta(days=1))

    assert Attestation.objects.get(assignment=before).wording == shipped
    assert Attestation.objects.get(assignment=after).wording == second


@pytest.mark.capability("CO-1")
def test_a_yes_to_a_new_question_returns_the_case(shipped):
    made = offered_case()
    publish_wording()

    after = sign_attestation(made, q2_10="yes")

    assert after.state == "DECLINED"
    assert Attestation.objects.get(assignment=made).answers["q2_10"] == "yes"


def opened_before(signed_in, **changes):
    """An attestation page that was opened before a change; what it sends, and its answer."""
    made = offered_case(reviewer=fit_today(), at=timezone.now())
    client = signed_in(user=User.objects.get(pk=made.reviewer.user_id))
    url = reverse("reviewers:attest", args=[made.pk])
    sent = read_prefilled_form(client.get(url).content.decode())
    sent |= {f"answer_{code}": "no" for code in answer_no_to_all(timezone.now())[1]}
    publish_today(**changes)
    return client, url, sent, client.post(url, sent)


def list_answered_no(page):
    """The questions whose “no” is chosen on a page, by code."""
    radios = re.findall(r"<input[^>]*type=\"radio\"[^>]*>", page)
    return {re.search(r'name="answer_(\w+)"', tag)[1] for tag in radios if " checked" in tag}


@pytest.mark.capability("CO-1")
def test_a_page_opened_before_the_change_is_refused_and_keeps_the_unchanged_answers(signed_in):
    client, url, sent, answer = opened_before(signed_in)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The questions have changed. Read them again, then sign." in page
    assert NEW in page
    assert list_answered_no(page) == {code for code, _ in QUESTIONS}
    assert not Attestation.objects.exists()

    sent |= read_prefilled_form(page) | {"answer_q2_10": "no"}
    assert client.post(url, sent).status_code == 302
    assert Attestation.objects.get().wording.number == 2


@pytest.mark.capability("CO-1")
def test_an_answer_to_a_question_removed_meanwhile_is_refused_with_the_same_sentence(signed_in):
    *_, answer = opened_before(signed_in, questions=SHIPPED[:3])

    assert answer.status_code == 409
    assert "The questions have changed." in answer.content.decode()
    assert SHIPPED[3] not in answer.content.decode()


@pytest.mark.capability("CO-1")
def test_an_answer_to_a_reworded_question_is_not_kept(signed_in):
    *_, answer = opened_before(signed_in, surname="Is a party with your surname kin of yours?")

    page = answer.content.decode()
    assert list_answered_no(page) == {code for code, _ in QUESTIONS} - {"surname"}
    assert "Answer this question with yes or no." in page


@pytest.mark.capability("CO-1")
@pytest.mark.parametrize("wording", ["", "x", "999999", "-1"])
def test_a_page_with_an_unknown_wording_signs_nothing(signed_in, wording):
    made = offered_case(reviewer=fit_today(), at=timezone.now())
    client = signed_in(user=User.objects.get(pk=made.reviewer.user_id))
    url = reverse("reviewers:attest", args=[made.pk])
    sent = read_prefilled_form(client.get(url).content.decode()) | {"wording": wording}
    sent |= {f"answer_{code}": "no" for code in answer_no_to_all(timezone.now())[1]}

    assert client.post(url, sent).status_code == 409
    assert not Attestation.objects.exists()
    assert Case.objects.get(pk=made.case_id).status == "REVIEWER_CHOSEN"


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.capability("MC-3")
def test_the_director_publishes_the_next_wording_from_the_current_one(shipped, signed_in):
    client = signed_in(Role.DIRECTOR)
    sent = read_prefilled_form(client.get(PAGE).content.decode())
    assert sent["questions"].splitlines() == SHIPPED
    assert (sent["text"], sent["surname"], sent["seen"]) == (WORDING, SURNAME, "1")

    sent["questions"] = sent["questions"].replace("\n", "\r\n") + f"\r\n\r\n{NEW}\r\n"
    answer = client.post(PAGE, sent | {"reason": "Advice of counsel"})

    assert answer.status_code == 302, answer.content.decode()
    made = AttestationWording.objects.get(number=2)
    assert list_coded_questions(made) == [*QUESTIONS[:-1], ("q2_10", NEW), QUESTIONS[-1]]
    assert "Wording 2 is published." in client.get(PAGE).content.decode()


@pytest.mark.capability("MC-3")
def test_each_wording_is_shown_in_full_with_author_reason_and_number_of_signatures(signed_in):
    accepted_case()
    director = person(Role.DIRECTOR, name="Ada Quill")
    publish_today(by=director, reason="Advice of counsel")
    now = timezone.now()
    publish_wording(
        by=director,
        at=now,
        questions=["A question to come?"],
        effective_from=timezone.localdate(now) + timedelta(days=30),
        reason="After the board’s meeting",
    )

    page = signed_in(Role.AUDITOR).get(PAGE).content.decode()

    force, later, before = re.split(r'id="(?:later|before)"', page)
    assert "Wording 2, in force from" in force
    assert re.search(r"Ada Quill, [^<]+: Advice of counsel<br>\s*0 signed attestations", force)
    assert NEW in force
    assert "Wording 3, from" in later
    assert "A question to come?" in later
    assert "After the board’s meeting" in later
    assert "Wording 1, from Jan 1, 2013, replaced on" in before
    assert re.search(r"The system, [^<]+: Default wording<br>\s*1 signed attestation", before)
    assert all(unescape(before).count(text) == 1 for _, text in QUESTIONS)
    assert "Signed attestations stay valid" in force


@pytest.mark.capability("MC-3")
@pytest.mark.parametrize("role", list(Role))
def test_allowed_roles_read_the_page_and_only_the_director_has_its_form(shipped, signed_in, role):
    client = signed_in(role)
    answer = client.get(PAGE)

    if role not in MAY_READ:
        assert answer.status_code == 403
        return
    page = answer.content.decode()
    assert SHIPPED[0] in unescape(page)
    assert f'href="{PAGE}"' in page
    assert (">Publish<" in page) == (role == Role.DIRECTOR)
    if role != Role.DIRECTOR:
        assert "Only the medical director publishes attestation wordings." in page
        whole = {"text": WORDING, "questions": NEW, "surname": SURNAME, "reason": "Mine",
                 "effective_from": "t", "seen": "1"}  # fmt: skip
        assert client.post(PAGE, whole).status_code == 422
        assert AttestationWording.objects.count() == 1


@pytest.mark.capability("MC-3")
def test_a_refusal_names_the_line_and_keeps_what_was_typed(shipped, signed_in):
    client = signed_in(Role.DIRECTOR)
    sent = read_prefilled_form(client.get(PAGE).content.decode())
    sent |= {"questions": f"First?\n\n{NEW}\nFIRST?", "reason": "A try", "effective_from": "t"}

    answer = client.post(PAGE, sent)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Question 3 (“FIRST?”) is the same as question 1." in page
    kept = read_prefilled_form(page)
    assert (kept["questions"], kept["reason"], kept["seen"]) == (sent["questions"], "A try", "1")


@pytest.mark.capability("MC-3")
@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("text", "", "Enter the statement"),
        ("questions", " \n ", "Enter at least one question."),
        ("surname", "", "is required. Enter it here"),
        ("reason", "", "Enter why the wording changes."),
        ("effective_from", "", "Enter the first day"),
        ("effective_from", "2/30/2026", "does not exist in the calendar"),
        ("text", "A\x00", "cannot be stored"),
    ],
)
def test_a_missing_value_is_reported_beside_its_field(shipped, signed_in, field, value, sentence):
    client = signed_in(Role.DIRECTOR)
    sent = read_prefilled_form(client.get(PAGE).content.decode())

    answer = client.post(PAGE, sent | {"reason": "A try", "questions": NEW} | {field: value})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert sentence in unescape(answer.content.decode())
    assert AttestationWording.objects.count() == 1


@pytest.mark.capability("MC-3")
def test_an_outdated_page_shows_the_new_wording_beside_the_typed_text_and_can_be_sent_again(
    shipped, signed_in
):
    client = signed_in(Role.DIRECTOR)
    sent = read_prefilled_form(client.get(PAGE).content.decode())
    sent |= {"questions": "Mine?", "reason": "Mine too"}
    publish_today()

    answer = client.post(PAGE, sent)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Someone else changed this after you opened it." in page
    assert NEW in page
    again = read_prefilled_form(page)
    assert (again["questions"], again["seen"]) == ("Mine?", "2")
    assert client.post(PAGE, again).status_code == 302
    assert [code for code, _ in list_coded_questions(AttestationWording.objects.get(number=3))][
        0
    ] == "q3_1"


@pytest.mark.capability("MC-3")
def test_the_page_explains_when_there_is_no_wording(signed_in):
    page = signed_in(Role.DIRECTOR).get(PAGE).content.decode()

    assert "Reviewers cannot attest until a wording is in force." in page
    assert read_prefilled_form(page)["seen"] == "0"


# --- leave in two dates --------------------------------------------------------------------------


@pytest.mark.capability("RP-3")
def test_leave_is_recorded_with_only_its_two_dates(signed_in):
    row = fit_reviewer()
    client = signed_in(Role.CREDENTIALING)
    url = reverse("reviewers:add_fact", args=[row.code, "leave"])
    sent = read_prefilled_form(client.get(url).content.decode())

    answer = client.post(url, sent | {"valid_from": "12/1/2026", "valid_to": "12/9/2026"})

    assert answer.status_code == 302, answer.content.decode()
    leave = Leave.objects.get(reviewer=row)
    assert (leave.valid_from, leave.valid_to) == (date(2026, 12, 1), date(2026, 12, 9))
    assert leave.source == "Reported by the reviewer"


@pytest.mark.capability("RP-3")
def test_other_facts_still_require_their_source(signed_in):
    client = signed_in(Role.CREDENTIALING)
    url = reverse("reviewers:add_fact", args=[fit_reviewer().code, "license"])

    assert "source" not in read_prefilled_form(client.get(url).content.decode())
