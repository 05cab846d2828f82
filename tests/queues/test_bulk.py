"""One act on many cases: each by itself, with its own outcome; asked first where it is final."""

import re
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import Case, CaseLetter, Event
from cases.services import endings, restrictions
from correspondence.services import case_letters
from letters import typesetting
from letters.kinds import LetterKind
from queues.models import WorkClaim
from queues.services import bulk, claims
from tests.determinations.factories import make_issued_case
from tests.factories import MONDAY, eligible_case, noticed_case, person, received_case
from tests.letters.factories import file_without_typesetting, publish_sample_wording, stand_in

pytestmark = pytest.mark.django_db

MANY = "queues:act_on_many"
BACK = "/queues/eligibility/?due=over"


@pytest.fixture
def ada():
    return person(Role.COORDINATOR, name="Ada Clerk")


@pytest.fixture
def desk(client, ada, set_clock):
    set_clock(MONDAY + timedelta(hours=6))
    client.force_login(ada)
    return client


def post_bulk_action(desk, act, cases, **more):
    data = {"act": act, "case": [case.pk for case in cases], "back": BACK, **more}
    return desk.post(reverse(MANY), data)


def read_results(answer):
    """What the page says of each case, by number."""
    rows = re.findall(r"<tr data-row>(.*?)</tr>", answer.content.decode(), re.DOTALL)
    plain = [re.sub(r"<[^>]+>|\s+", " ", row).split(None, 1) for row in rows]
    return {number: " ".join(words.split()) for number, words in plain}


def test_every_case_gets_its_own_outcome_and_a_refusal_stops_none_of_the_others(desk, ada):
    first, taken, other = (received_case() for _ in range(3))
    ben = person(Role.COORDINATOR, name="Ben Clerk")
    claims.claim_case(case_id=taken.pk, by=ben, at=MONDAY + timedelta(hours=5))

    answer = post_bulk_action(desk, "claim", [first, taken, other])

    text = read_results(answer)
    assert answer.status_code == 422
    assert (text[first.number], text[other.number]) == ("Assigned", "Assigned")
    assert "Refused" in text[taken.number]
    assert "Ben Clerk has had this since 2:00 PM PT." in text[taken.number]
    assert "Assigned: 2 cases; refused: 1" in answer.content.decode()
    assert WorkClaim.objects.filter(by=ada, released_at=None).count() == 2
    given = read_results(post_bulk_action(desk, "release", [first, taken]))
    assert given[first.number] == "Unassigned"
    assert "is not assigned to you" in given[taken.number]


def test_a_final_action_first_shows_the_result_for_each_case(desk):
    publish_sample_wording()
    ready, early = eligible_case(), received_case()

    asked = post_bulk_action(desk, "make_notices", [ready, early])

    assert "Make the notices of 1 case" in asked.content.decode()
    assert read_results(asked)[ready.number] == "Will be done"
    assert "is in the “Screening” stage" in read_results(asked)[early.number]
    assert not Event.objects.filter(kind="NOTICES_MADE").exists(), "asking changes nothing"

    done = post_bulk_action(desk, "make_notices", [ready, early], confirmed="1")

    assert read_results(done)[ready.number] == "Notices made"
    assert "Refused" in read_results(done)[early.number]
    assert list(Event.objects.filter(kind="NOTICES_MADE").values_list("case", flat=True)) == [
        ready.pk
    ]


def test_notices_of_many_cases_are_marked_as_sent_on_a_day_that_must_be_typed(desk):
    publish_sample_wording()
    cases = [eligible_case() for _ in range(2)]
    post_bulk_action(desk, "make_notices", cases, confirmed="1")
    file_without_typesetting(at=MONDAY + timedelta(hours=6))

    empty = post_bulk_action(desk, "mark_notices_sent", cases, confirmed="1", sent_on="")
    assert empty.status_code == 422
    assert "Enter the date it was sent." in empty.content.decode()
    assert "Mark the notices of 2 cases as sent" in empty.content.decode()
    done = post_bulk_action(desk, "mark_notices_sent", cases, confirmed="1", sent_on="3/2/2026")

    assert set(read_results(done).values()) == {"Marked as sent"}
    assert set(Case.objects.values_list("status", flat=True)) == {"NOTICE_SENT"}


def test_one_note_is_written_on_many_cases(desk):
    cases = [received_case(), noticed_case()]

    assert "Add a note to 2 cases" in post_bulk_action(desk, "note", cases).content.decode()
    assert post_bulk_action(desk, "note", cases, confirmed="1", text=" ").status_code == 422
    post_bulk_action(desk, "note", cases, confirmed="1", text="The carrier moved.")

    notes = Event.objects.filter(kind="NOTE")
    assert {note.case_id for note in notes} == {case.pk for case in cases}
    assert {note.sentence for note in notes} == {"The carrier moved."}


def test_an_empty_selection_and_an_unknown_action_are_refused(desk):
    answer = post_bulk_action(desk, "claim", [])
    assert answer.status_code == 422
    assert "Select at least one case first." in answer.content.decode()
    assert f'href="{BACK}"' in answer.content.decode()
    assert post_bulk_action(desk, "delete", [received_case()]).status_code == 404


def test_ids_that_name_no_case_are_passed_over_and_one_case_counts_once(desk):
    case = received_case()

    answer = desk.post(
        reverse(MANY), {"act": "claim", "case": [case.pk, case.pk, 99999999, "x", "9" * 40]}
    )

    assert read_results(answer) == {case.number: "Assigned"}


def test_no_more_than_so_many_at_a_time(desk, ada, monkeypatch):
    note = replace(bulk.BULK_ACTIONS["note"], most=2)
    monkeypatch.setitem(bulk.BULK_ACTIONS, "note", note)
    cases = [received_case() for _ in range(3)]

    asked = post_bulk_action(desk, "note", cases)
    assert "1 case left out" in asked.content.decode()
    assert len(read_results(asked)) == 2


@pytest.mark.parametrize("role", [Role.QA, Role.INTAKE])
def test_an_action_is_neither_offered_to_nor_allowed_for_other_roles(client, role):
    case = eligible_case()
    client.force_login(person(role))

    assert "Make notices" not in client.get("/queues/notices/").content.decode()
    assert post_bulk_action(client, "make_notices", [case], confirmed="1").status_code == 403


def test_the_list_offers_ticks_and_acts_without_scripts(desk):
    case = received_case()

    page = desk.get("/queues/eligibility/").content.decode()
    assert re.search(rf'type="checkbox"[^>]*value="{case.pk}" form="many"[^>]*data-key="x"', page)
    assert '<button class="btn tiny" name="act" value="claim">Assign to me</button>' in page
    assert "make_notices" not in page
    assert "checked" not in page
    ticked = desk.get("/queues/eligibility/?all=1").content.decode()
    assert " checked>" in ticked


@pytest.fixture
def typeset_at_no_cost():
    with mock.patch.object(typesetting, "typeset_words", stand_in):
        yield


def post_letters(desk, act, letters, **more):
    data = {"act": act, "letter": [letter.pk for letter in letters], "back": BACK, **more}
    return desk.post(reverse(MANY), data)


def test_cases_are_assigned_to_a_person_whose_role_acts_next(desk, ada):
    ben = person(Role.COORDINATOR, name="Ben Clerk")
    qa = person(Role.QA, name="Quinn Checker")
    first, taken, hidden = (received_case() for _ in range(3))
    claims.claim_case(case_id=taken.pk, by=ada, at=MONDAY + timedelta(hours=5))
    director = person(Role.DIRECTOR)
    restrictions.restrict_case(
        case_id=hidden.pk, ground="PUBLIC", reason="Known.", by=director, at=MONDAY
    )
    restrictions.clear_person(
        case_id=hidden.pk, user_id=ada.pk, reason="Works on it.", by=director, at=MONDAY
    )
    cases = [first, taken, hidden]

    asked = post_bulk_action(desk, "assign", cases).content.decode()
    assert f'<option value="{ben.pk}">Ben Clerk</option>' in asked
    assert qa.name not in asked
    none = post_bulk_action(desk, "assign", cases, confirmed="1", person="")
    assert "Choose a person." in none.content.decode()
    done = read_results(post_bulk_action(desk, "assign", cases, confirmed="1", person=ben.pk))

    assert done[first.number] == "Assigned"
    assert "Ada Clerk has had this" in done[taken.number] or "You have had" in done[taken.number]
    assert "Ben Clerk cannot open case" in done[hidden.number]
    claim = WorkClaim.objects.get(case=first, released_at=None)
    assert (claim.by, claim.assigned_by) == (ben, ada)
    again = read_results(post_bulk_action(desk, "assign", [first], confirmed="1", person=ben.pk))
    assert "Ben Clerk has had this" in again[first.number]


def test_cases_are_closed_with_one_reason_and_say_what_is_unsent(desk, ada):
    ended, running = received_case(), received_case()
    endings.withdraw_case(case_id=ended.pk, reason="Asked.", by=ada, at=MONDAY)

    asked = read_results(post_bulk_action(desk, "close", [ended, running]))
    assert asked[ended.number] == "Will be done 2 letters not sent"
    assert "is in the “Screening” stage" in asked[running.number]
    empty = post_bulk_action(desk, "close", [ended], confirmed="1", reason="")
    assert "Enter a reason." in empty.content.decode()
    done = post_bulk_action(desk, "close", [ended, running], confirmed="1", reason="Withdrawn.")

    assert "Closed: 1 case; refused: 1" in done.content.decode()
    event = Event.objects.get(kind="CLOSED")
    assert (event.case, event.by, event.why) == (ended, ada, "Withdrawn.")
    again = read_results(
        post_bulk_action(desk, "close", [ended], confirmed="1", reason="Withdrawn.")
    )
    assert "is in the “Closed” stage" in again[ended.number]


@pytest.mark.usefixtures("typeset_at_no_cost")
def test_letters_of_many_cases_are_approved_and_marked_as_sent(desk, ada):
    publish_sample_wording()
    case, without = received_case(), received_case()
    for letter in without.case_letters.all():
        case_letters.discard_letter_draft(
            letter_id=letter.pk, reason="NOT_NEEDED", by=ada, at=MONDAY
        )

    asked = read_results(post_bulk_action(desk, "approve_letters", [case, without]))
    assert asked[case.number] == "Will be done Acknowledgment of the application"
    assert "has no letter to approve" in asked[without.number]
    done = read_results(post_bulk_action(desk, "approve_letters", [case, without], confirmed="1"))
    assert done[case.number].startswith("Approved")
    letter = case.case_letters.get()
    assert (letter.state, letter.approved_by) == (CaseLetter.State.APPROVED, ada)
    again = read_results(post_bulk_action(desk, "approve_letters", [case], confirmed="1"))
    assert "has no letter to approve" in again[case.number]

    sent = {"confirmed": "1", "sent_on": "3/2/2026"}
    early = read_results(post_bulk_action(desk, "mark_letters_sent", [case], **sent))
    assert "The letter is not ready yet" in early[case.number]
    file_without_typesetting(at=MONDAY + timedelta(hours=6))
    done = read_results(post_bulk_action(desk, "mark_letters_sent", [case], **sent))
    assert done[case.number].startswith("Marked as sent")
    letter.refresh_from_db()
    assert letter.state == CaseLetter.State.SENT


@pytest.mark.usefixtures("typeset_at_no_cost")
def test_letters_are_approved_and_marked_as_sent_in_their_own_lists(desk):
    publish_sample_wording()
    letters = [received_case().case_letters.get() for _ in range(2)]

    page = desk.get(reverse("correspondence:drafts")).content.decode()
    assert f'name="letter" value="{letters[0].pk}" form="many"' in page
    assert 'name="act" value="approve_letter"' in page
    asked = post_letters(desk, "approve_letter", letters)
    assert "Approve 2 letters" in asked.content.decode()
    post_letters(desk, "approve_letter", letters[:1], confirmed="1")
    answer = post_letters(desk, "approve_letter", letters, confirmed="1")

    assert answer.status_code == 422
    results = read_results(answer)
    assert "This letter is no longer a draft" in results[letters[0].case.number]
    assert "Approved" in results[letters[1].case.number]
    file_without_typesetting(at=MONDAY + timedelta(hours=6))
    to_send = desk.get(reverse("correspondence:to_send")).content.decode()
    assert 'name="act" value="mark_letter_sent"' in to_send
    post_letters(desk, "mark_letter_sent", letters, confirmed="1", sent_on="3/2/2026")
    assert set(CaseLetter.objects.values_list("state", flat=True)) == {"SENT"}


def test_a_letter_of_a_hidden_case_is_passed_over(desk):
    publish_sample_wording()
    case = received_case()
    restrictions.restrict_case(
        case_id=case.pk, ground="PUBLIC", reason="Known.", by=person(Role.DIRECTOR), at=MONDAY
    )

    answer = post_letters(desk, "approve_letter", case.case_letters.all(), confirmed="1")

    assert read_results(answer) == {}
    assert case.case_letters.get().state == CaseLetter.State.DRAFT


@pytest.mark.usefixtures("typeset_at_no_cost")
def test_parties_who_owe_records_are_reminded_once_a_day(desk, ada, set_clock):
    case, other = noticed_case(), noticed_case()
    early = read_results(post_bulk_action(desk, "remind", [case]))
    assert "The records are not overdue. They are due" in early[case.number]
    set_clock(MONDAY + timedelta(days=30))
    desk.force_login(ada)
    page = desk.get(reverse("records:outstanding")).content.decode()
    assert 'name="act" value="remind"' in page
    assert 'value="close"' not in page

    done = post_bulk_action(desk, "remind", [case, other], confirmed="1")

    assert set(read_results(done).values()) == {"Reminder approved"}
    letter = case.case_letters.get(kind=LetterKind.RECORDS_REMINDER)
    assert letter.state == CaseLetter.State.APPROVED
    event = Event.objects.get(case=case, kind="REMINDED")
    assert (event.by, event.facts["way"]) == (ada, "LETTER")
    again = read_results(post_bulk_action(desk, "remind", [case], confirmed="1"))
    assert "A reminder letter was approved today already." in again[case.number]
    assert case.case_letters.filter(kind=LetterKind.RECORDS_REMINDER).count() == 1


def test_determinations_of_many_cases_are_marked_as_sent(client, set_clock):
    case = make_issued_case()
    issued_at = case.determinations.get().issued_at
    file_without_typesetting(at=issued_at)
    set_clock(issued_at + timedelta(hours=1))
    client.force_login(person(Role.MAILROOM))
    assert 'value="mark_determination_sent"' in client.get("/queues/mail/").content.decode()

    done = post_bulk_action(client, "mark_determination_sent", [case], confirmed="1", sent_on="t")

    assert read_results(done) == {case.number: "Marked as sent, case closed"}
    assert Case.objects.get(pk=case.pk).status == "CLOSED"
