"""Two people at the same work, through the pages: nothing is lost, and the second is answered."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Case
from cases.services import holds
from deadlines.days import local_day
from intake.models import IntakeDraft
from maintenance.models import Finding
from maintenance.services import nightly
from queues.models import WorkClaim
from tests.eligibility.test_clear_cases import clear_case, page_of, tick
from tests.eligibility.test_decisions import LATER
from tests.eligibility.test_eligibility_page import make_form_data as make_decision_data
from tests.eligibility.test_screening_races import accept_in_bulk, decide
from tests.factories import MONDAY, person, received_case
from tests.intake.test_intake_page import make_form_data
from tests.queues.test_bulk import post_bulk_action, read_results
from tests.races import answers_after

TODAY = local_day(LATER)


def desk_of(*roles, **fields):
    client = Client()
    client.force_login(person(*roles, **fields))
    return client


# --- Two clerks on one draft ----------------------------------------------------------------------


@pytest.fixture
def clerks(db, set_clock):
    set_clock(MONDAY)
    return desk_of(Role.INTAKE, name="Rosa Okafor"), desk_of(Role.INTAKE, name="Ben Akande")


def autosave(desk, **typed):
    return desk.post(reverse("intake:save_draft"), make_form_data(received="t", **typed) | typed)


def test_a_second_clerk_neither_reads_nor_changes_nor_cancels_the_draft_of_another(clerks):
    rosa, ben = clerks
    key = str(uuid4())
    assert autosave(rosa, key=key, revision="0", last_name="Rosas").status_code == 200

    answer = autosave(ben, key=key, revision="1", last_name="Bens")

    assert answer.status_code == 422
    assert "belongs to someone else" in answer.json()["error"]
    assert "Rosas" not in answer.content.decode()
    draft = IntakeDraft.objects.get()
    canceled = ben.post(
        reverse("intake:cancel_draft", args=[draft.key]), {"reason": "UNREADABLE", "note": ""}
    )
    assert canceled.status_code == 422
    assert "Only the clerk who started this form" in page_of(canceled)
    draft.refresh_from_db()
    assert (draft.content["last_name"], draft.ended_at) == (["Rosas"], None)


def test_one_form_saved_by_two_clerks_is_one_case_and_the_second_keeps_what_was_typed(clerks):
    """As after signing in under another name in a second tab, when that person agrees to save."""
    rosa, ben = clerks
    key = str(uuid4())
    autosave(rosa, key=key, revision="0", last_name="Rosas")
    assert (
        ben.post(reverse("intake:intake"), make_form_data(key=key, last_name="Bens")).status_code
        == 302
    )
    case = Case.objects.get()

    answer = rosa.post(reverse("intake:intake"), make_form_data(key=key, last_name="Rosas"))

    assert answer.status_code in {409, 422}
    assert case.number in page_of(answer)
    assert "Rosas" in page_of(answer)
    assert Case.objects.count() == 1
    assert IntakeDraft.objects.get().case == case


# --- Two coordinators on one bulk run -------------------------------------------------------------


@pytest.fixture
def coordinators(db, set_clock):
    set_clock(LATER)
    return [desk_of(Role.COORDINATOR, name=name) for name in ("Ada Clerk", "Ben Clerk")]


def test_of_two_coordinators_who_assign_the_same_list_each_case_has_one(coordinators):
    ada, ben = coordinators
    cases = [received_case() for _ in range(3)]
    assert post_bulk_action(ada, "claim", cases[:2]).status_code in {200, 302}

    answer = post_bulk_action(ben, "claim", cases)

    results = read_results(answer)
    assert answer.status_code == 422
    assert results[cases[2].number] == "Assigned"
    assert all("Ada Clerk has had this since" in results[one.number] for one in cases[:2])
    assert WorkClaim.objects.filter(released_at=None).count() == 3


def test_of_two_coordinators_who_clear_the_same_applications_the_second_decides_none(
    coordinators,
):
    ada, ben = coordinators
    keyer = person(Role.COORDINATOR)
    cases = [clear_case(keyer) for _ in range(3)]
    selected, address = tick(*cases), reverse("eligibility:clear_cases")
    ada.post(address, selected)

    answer = ben.post(address, selected)

    page = page_of(answer)
    assert answer.status_code in {200, 409, 422}
    assert all(one.number in page for one in cases)
    assert page.count("is in the “Eligible” stage") == 3
    assert [one.eligibility_decisions.count() for one in cases] == [1, 1, 1]


@pytest.mark.postgres
@pytest.mark.every_database
def test_a_bulk_run_waits_for_another_one_and_decides_no_case_twice(committed_db):
    first, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    case = clear_case(first)

    answers = answers_after(
        lambda: accept_in_bulk(case, first), {"second": lambda: accept_in_bulk(case, second)}
    )

    assert "is in the “Eligible” stage" in answers["second"]
    assert case.eligibility_decisions.get().decided_by == first


# --- A hold that begins while another acts --------------------------------------------------------


def list_findings():
    """What the nightly run finds wrong: a date that is not what its rule gives, for example."""
    return [(one.code, one.reference) for one in Finding.objects.open()]


def begin_hold(case, by, *, at=LATER):
    return holds.begin_hold(
        case_id=case.pk, reason="OFFICE_CLOSED", starts_on=TODAY,
        planned_end=TODAY + timedelta(days=5), by=by, at=at,
    )  # fmt: skip


def test_a_decision_typed_while_a_hold_began_is_kept_and_saved_on_the_second_try(coordinators):
    ada, _ = coordinators
    supervisor, case = desk_of(Role.SUPERVISOR), received_case()
    address = reverse("eligibility:eligibility", args=[case.number])
    typed = make_decision_data(case, note_TIMELY="Stamped on page 1.")
    began = supervisor.post(
        reverse("cases:begin_hold", args=[case.number]),
        {"reason": "OFFICE_CLOSED", "starts_on": "t", "planned_end": "3/9/2026", "channel": ""},
    )
    assert began.status_code == 302

    answer = ada.post(address, typed)

    page = page_of(answer)
    assert answer.status_code == 409
    assert "Someone else changed this after you opened it." in page
    assert "Stamped on page 1." in page
    assert not case.eligibility_decisions.exists()
    # The page says of the hold, and its form carries the current version.
    assert "On hold" in page
    (version,) = set(re.findall(r'name="version" value="(\d+)"', page))
    again = ada.post(address, typed | {"version": version})
    case.refresh_from_db()
    assert again.status_code == 302
    assert case.stage == Status.ELIGIBLE
    assert case.holds.get().ended_on is None
    nightly.run_checks(at=LATER)
    assert list_findings() == []


@pytest.mark.postgres
@pytest.mark.every_database
def test_a_decision_waits_for_a_hold_that_begins_and_no_date_is_wrong_afterward(committed_db):
    first, second = person(Role.SUPERVISOR), person(Role.COORDINATOR)
    case = received_case()

    answers = answers_after(
        lambda: begin_hold(case, first), {"decision": lambda: decide(case, second)}
    )

    assert isinstance(answers["decision"], Stale)
    assert not case.eligibility_decisions.exists()
    decide(Case.objects.get(pk=case.pk), second)
    assert case.holds.get().ended_on is None
    nightly.run_checks(at=LATER)
    assert list_findings() == []
