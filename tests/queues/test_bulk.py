"""One act on many cases: each by itself, with its own outcome; asked first where it is final."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import Case, Event
from queues.models import WorkClaim
from queues.services import bulk, claims
from tests.factories import MONDAY, eligible_case, noticed_case, person, received_case
from tests.letters.factories import file_without_typesetting, publish_sample_wording

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
    monkeypatch.setattr(bulk, "MOST", 2)
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
