"""Restricted cases: who may restrict, clear and lift, and who finds the case."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.services import set_active
from cases.models import Case, CaseClearance, CaseLink, CaseRestriction, Event
from cases.models.restrictions import is_hidden
from cases.services import consolidation, duplicates, own_conflicts, restrictions
from desk import queues
from maintenance.models import Finding
from maintenance.services import nightly, repairs
from queues.services import bulk, claims
from tests.cases.test_own_conflicts import (
    record_member_affiliation,
    record_staff_member,
    resolve_conflict,
)
from tests.factories import MONDAY, eligible_case, parties, person, received_case
from tests.records.factories import sign_attestation
from tests.reviewers import factories as panel

pytestmark = pytest.mark.django_db


@pytest.fixture
def director():
    return person(Role.DIRECTOR)


def restrict(case, by, *, cleared=(), related=()):
    return restrictions.restrict_case(
        case_id=case.pk,
        ground="EMPLOYEE",
        reason="Works in the mail room",
        cleared=[one.pk for one in cleared],
        related=[one.pk for one in related],
        by=by,
        at=MONDAY,
    )


def clear(case, user, by):
    return restrictions.clear_person(
        case_id=case.pk, user_id=user.pk, reason="Decides eligibility", by=by, at=MONDAY
    )


@pytest.mark.capability("RC-9")
def test_only_cleared_people_find_a_restricted_case(director):
    case, open_one = received_case(), eligible_case()
    clerk, supervisor = person(Role.INTAKE), person(Role.SUPERVISOR)

    restrict(case, director, cleared=[supervisor])

    for user, finds in ((director, True), (supervisor, True), (clerk, False)):
        found = set(Case.objects.visible_to(user).values_list("pk", flat=True))
        assert (case.pk in found) == finds
        assert open_one.pk in found


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DIRECTOR, Role.SUPERVISOR}))
def test_other_roles_cannot_restrict(role):
    case = received_case()
    with pytest.raises(NotAllowed, match="Only the medical director or a supervisor"):
        restrict(case, person(role))
    assert not case.restrictions.exists()


def test_restricting_and_clearing_are_events_with_versions(director):
    case, clerk = received_case(), person(Role.INTAKE)
    row = restrict(case, director)
    clearance = clear(case, clerk, director)
    restrictions.end_clearance(
        clearance_id=clearance.pk, reason="Moved away", by=director, at=MONDAY
    )
    restrictions.lift_restriction(case_id=case.pk, reason="Left us", by=director, at=MONDAY)

    kinds = list(case.events.order_by("pk").values_list("kind", flat=True))
    assert kinds[-5:] == [
        Event.Kind.RESTRICTED,
        Event.Kind.CLEARED,
        Event.Kind.CLEARED,
        Event.Kind.CLEARANCE_ENDED,
        Event.Kind.RESTRICTION_LIFTED,
    ]
    assert row.history.count() == 2
    assert clearance.history.count() == 2
    assert not CaseClearance.objects.filter(ended_at=None).exists()
    assert not is_hidden(case.pk, clerk)


def test_a_keeper_without_clearance_cannot_clear_themself(director):
    case, supervisor = received_case(), person(Role.SUPERVISOR)
    restrict(case, director)
    with pytest.raises(NotAllowed, match="You have no clearance"):
        clear(case, supervisor, supervisor)
    with pytest.raises(NotAllowed, match="You have no clearance"):
        restrictions.lift_restriction(case_id=case.pk, reason="Mine", by=supervisor, at=MONDAY)


def test_the_last_keeper_stays_cleared(director):
    case, clerk = received_case(), person(Role.INTAKE)
    restrict(case, director, cleared=[clerk])
    own = case.clearances.get(user=director)
    with pytest.raises(NotAllowed, match="last clearance"):
        restrictions.end_clearance(clearance_id=own.pk, reason="Done", by=director, at=MONDAY)


def test_a_person_with_an_affiliation_is_not_cleared(director):
    case, clerk = received_case(), person(Role.INTAKE)
    case.barred_staff = [clerk.pk]
    case.store(by=None, at=MONDAY)
    with pytest.raises(NotAllowed, match="affiliation"):
        restrict(case, director, cleared=[clerk])
    assert not case.restrictions.exists()


def test_a_case_is_restricted_once(director):
    case = received_case()
    restrict(case, director)
    with pytest.raises(NotAllowed, match="already restricted"):
        restrict(case, director)


# --- Cases that are restricted together -----------------------------------------------------------

CLAIM = "06-2213-00000001"
STRANGER = {"EMPLOYEE": "Ada Unrelated"}


def linked_pair():
    """A case, and another application against the same UR decision, by another name."""
    first = received_case(claim_number=CLAIM)
    return first, received_case(claim_number=CLAIM, parties=parties(**STRANGER))


def find_visible(user):
    return set(Case.objects.visible_to(user))


@pytest.mark.capability("RC-9")
def test_linked_cases_are_restricted_in_one_act_and_lifted_in_one(director):
    first, second = linked_pair()
    stranger = received_case(parties=parties(EMPLOYEE="Bo Other"))
    third = received_case(claim_number=CLAIM, parties=parties(EMPLOYEE="Cy Third"))
    clerk, supervisor = person(Role.INTAKE), person(Role.SUPERVISOR)

    with pytest.raises(NotAllowed, match=f"select {second.number}, {third.number} as well"):
        restrict(first, director)
    with pytest.raises(NotAllowed, match="related to this one"):
        restrict(first, director, related=[second, third, stranger])
    assert find_visible(clerk) == {first, second, third, stranger}
    restrict(second, director, cleared=[supervisor], related=[first, third])

    assert find_visible(clerk) == {stranger}
    assert find_visible(supervisor) == find_visible(director) == {first, second, third, stranger}
    # One list of cleared people applies to all of them, whichever page is used.
    clearance = clear(first, clerk, director)
    assert find_visible(clerk) == {first, second, third, stranger}
    restrictions.end_clearance(
        clearance_id=clearance.pk, reason="Moved away", by=supervisor, at=MONDAY
    )
    assert find_visible(clerk) == {stranger}
    restrictions.lift_restriction(case_id=third.pk, reason="Left us", by=director, at=MONDAY)
    assert find_visible(clerk) == {first, second, third, stranger}
    assert not CaseClearance.objects.filter(ended_at=None).exists()
    for case in (first, second, third):
        kinds = list(case.events.values_list("kind", flat=True))
        assert Event.Kind.RESTRICTED in kinds
        assert Event.Kind.RESTRICTION_LIFTED in kinds


def test_consolidated_cases_are_restricted_together(director):
    lead, case = eligible_case(), eligible_case()
    coordinator = person(Role.COORDINATOR)
    consolidation.consolidate_case(
        case_id=case.pk, lead_id=lead.pk, reason="Same physician", by=coordinator, at=MONDAY
    )
    with pytest.raises(NotAllowed, match=case.number):
        restrict(lead, director)
    restrict(lead, director, related=[case])
    assert find_visible(coordinator) == set()


def test_another_case_of_the_worker_is_restricted_if_it_was_selected(director):
    first, same_worker = received_case(), received_case()
    clerk = person(Role.INTAKE)
    restrict(first, director)
    assert find_visible(clerk) == {same_worker}

    restrictions.restrict_related_cases(
        case_id=first.pk, related=[same_worker.pk], reason="Same worker", by=director, at=MONDAY
    )

    assert find_visible(clerk) == set()
    assert find_visible(director) == {first, same_worker}


def test_an_application_linked_to_a_restricted_case_is_restricted_when_it_arrives(director, client):
    first, clerk = received_case(claim_number=CLAIM), person(Role.INTAKE)
    restrict(first, director)

    second = received_case(claim_number=CLAIM, by=clerk)

    assert second.duplicate_of == first
    assert find_visible(clerk) == set()
    assert find_visible(director) == {first, second}
    client.force_login(clerk)
    assert client.get(second.get_absolute_url()).status_code == 404


def test_a_case_compared_as_a_duplicate_of_a_restricted_one_is_restricted(director):
    first, coordinator = received_case(), person(Role.COORDINATOR)
    second = received_case()
    (proposal,) = second.possible_duplicates.all()
    restrict(first, director, cleared=[coordinator])
    duplicates.resolve_duplicate(
        proposal_id=proposal.pk,
        answer="DUPLICATE",
        reason="The same letter",
        item_ids=[second.items.get().pk],
        by=coordinator,
        at=MONDAY,
    )
    assert find_visible(person(Role.INTAKE)) == set()
    assert find_visible(coordinator) == {first, second}


def test_cases_restricted_before_keep_their_own_people(director):
    first, second = linked_pair()
    other_director = person(Role.DIRECTOR)
    restrict(first, director, related=[second])
    restrictions.lift_restriction(case_id=first.pk, reason="By mistake", by=director, at=MONDAY)
    # Restricted on its own while its link was not there.
    CaseRestriction(
        case=second, ground="OTHER", reason="x", begun_at=MONDAY, begun_by=other_director
    ).store(by=other_director, at=MONDAY)
    restrict(first, director)
    assert is_hidden(second.pk, director)


def test_the_page_lists_related_cases_and_needs_the_linked_ones(client, director):
    first, second = linked_pair()
    client.force_login(director)
    page = reverse("cases:restriction", args=[first.number])
    shown = client.get(page).content.decode()
    assert f"{second.number}: linked to this case" in shown
    sent = {"ground": "PUBLIC", "reason": "A senator"}

    refused = client.post(page, sent)
    assert refused.status_code == 422
    assert f"select {second.number} as well" in refused.content.decode()
    assert client.post(page, sent | {"related": [second.pk]}).status_code == 302

    assert second.number in client.get(page).content.decode()
    clerk = person(Role.INTAKE)
    client.force_login(clerk)
    for case in (first, second):
        for name in ("desk:case", "records:list", "cases:parties", "cases:restriction"):
            assert client.get(reverse(name, args=[case.number])).status_code in {403, 404}
    for address in (
        reverse("desk:jump") + f"?q={second.number}",
        reverse("desk:jump") + f"?q={CLAIM}",
        reverse("intake:my_intakes"),
    ):
        answer = client.get(address, follow=True)
        assert f"/cases/{second.number}/" not in answer.content.decode()
    assert not sum(queues.count_queues(user=clerk).values())
    client.force_login(director)
    lift = reverse("cases:lift_restriction", args=[second.number])
    assert first.number in client.get(lift).content.decode()
    assert client.post(lift, {"reason": "Left office"}).status_code == 302
    assert find_visible(clerk) == {first, second}


def test_lists_and_bulk_actions_leave_it_out(director):
    case, coordinator = received_case(), person(Role.COORDINATOR)
    restrict(case, director)
    assert claims.claim_next_case(by=coordinator, at=MONDAY) is None
    done = bulk.run_bulk_action(
        action="note", row_ids=[case.pk], typed={"text": "Hello"}, by=coordinator, at=MONDAY
    )
    assert done == []
    clear(case, coordinator, director)
    assert claims.claim_next_case(by=coordinator, at=MONDAY).case_id == case.pk


def test_an_earlier_claim_does_not_show_it(director):
    case, coordinator = received_case(), person(Role.COORDINATOR)
    claims.claim_case(case_id=case.pk, by=coordinator, at=MONDAY)
    restrict(case, director)
    assert not claims.list_own_claims(user=coordinator, at=MONDAY).exists()


@pytest.mark.capability("RC-9")
def test_it_answers_like_an_absent_case_and_the_refusal_is_recorded(client, director):
    case, coordinator = received_case(), person(Role.COORDINATOR)
    restrict(case, director)
    client.force_login(coordinator)
    hidden = client.get(reverse("desk:case", args=[case.number]))
    absent = client.get(reverse("desk:case", args=["CM26-9999999"]))
    assert hidden.status_code == absent.status_code == 404
    assert case.number not in hidden.content.decode()
    refused = AccessLogEntry.objects.filter(user=coordinator, granted=False)
    # Both are refusals of a number, so that the log does not tell them apart either.
    numbers = refused.order_by("pk").values_list("reference", flat=True)
    assert list(numbers) == [case.number, "CM26-9999999"]


def test_the_assigned_reviewer_keeps_the_own_review_alone(client, director):
    user = person(Role.REVIEWER)
    assignment = sign_attestation(panel.offered_case(reviewer=panel.fit_reviewer(user=user)))
    case = assignment.case
    restrict(case, director)
    client.force_login(user)
    assert client.get(reverse("determinations:my_reviews")).content.count(case.number.encode()), (
        "the list of the reviewer"
    )
    assert client.get(reverse("records:list", args=[case.number])).status_code == 200
    client.force_login(person(Role.QA))
    assert client.get(reverse("records:list", args=[case.number])).status_code == 404


def test_the_page_restricts_clears_and_shows_the_list(client, director):
    case, clerk = received_case(), person(Role.INTAKE)
    client.force_login(director)
    page = reverse("cases:restriction", args=[case.number])
    answer = client.post(page, {"ground": "PUBLIC", "reason": "A senator", "cleared": []})
    assert answer.status_code == 302
    answer = client.post(
        reverse("cases:clear_person", args=[case.number]),
        {"person": clerk.pk, "reason": "Keys the corrections"},
    )
    assert answer.status_code == 302
    shown = client.get(page).content.decode()
    assert clerk.name in shown
    assert "A senator" in shown
    assert "Restricted" in client.get(reverse("desk:case", args=[case.number])).content.decode()
    assert case.number in client.get(reverse("cases:restricted_cases")).content.decode()
    clearance = case.clearances.get(user=clerk)
    answer = client.post(
        reverse("cases:end_clearance", args=[case.number, clearance.pk]), {"reason": "Moved away"}
    )
    assert answer.status_code == 302
    assert is_hidden(case.pk, clerk)
    answer = client.post(
        reverse("cases:lift_restriction", args=[case.number]), {"reason": "Left office"}
    )
    assert answer.status_code == 302
    assert not is_hidden(case.pk, clerk)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("director", "This person is already cleared for this case."),
        ("barred", "This person cannot be cleared. Choose a person from the list."),
        ("nobody", "This person cannot be cleared. Choose a person from the list."),
    ],
)
def test_a_person_who_cannot_be_cleared_is_refused_beside_the_field(client, director, who, says):
    case, barred = received_case(), person(Role.INTAKE)
    bar(case, barred)
    restrict(case, director)
    client.force_login(director)
    chosen = {"director": director.pk, "barred": barred.pk, "nobody": 987654}[who]
    answer = client.post(
        reverse("cases:clear_person", args=[case.number]),
        {"person": chosen, "reason": "Keys the corrections"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'id="id_person_error">{says}', page)
    assert "Keys the corrections" in page
    assert case.clearances.count() == 1


def test_the_refusal_to_end_the_last_clearance_is_said_once(client, director):
    case = received_case()
    restrict(case, director)
    client.force_login(director)
    url = reverse("cases:end_clearance", args=[case.number, case.clearances.get().pk])
    answer = client.post(url, {"reason": "Moved away"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("This is the last clearance") == 1
    assert page.count('id="why-not"') == 1  # the gray button names it
    assert "Moved away" in page
    assert client.get(url).content.decode().count("This is the last clearance") == 1


def test_a_refused_form_keeps_what_was_typed(client, director):
    case = received_case()
    client.force_login(director)
    answer = client.post(
        reverse("cases:restriction", args=[case.number]), {"ground": "", "reason": "A senator"}
    )
    assert answer.status_code == 422
    assert "A senator" in answer.content.decode()


def test_another_case_does_not_name_a_restricted_one(client, director):
    first, coordinator = received_case(), person(Role.COORDINATOR)
    other = eligible_case()
    Event.objects.create(
        case=other,
        kind=Event.Kind.NOTE,
        happened_at=MONDAY,
        by=coordinator,
        sentence=f"See {first.number} of the same worker.",
    )
    restrict(first, director)
    client.force_login(coordinator)
    shown = client.get(reverse("desk:case", args=[other.number])).content.decode()
    assert first.number not in shown
    assert "See another case of the same worker." in shown


def test_a_command_restores_the_list_only_if_nobody_can_keep_it(director):
    case, next_director = received_case(), person(Role.DIRECTOR)
    restrict(case, director)

    def restore(email):
        call_command("restore_clearance", case.number, email, reason="All keepers have left")

    with pytest.raises(CommandError, match="can still clear others"):
        restore(next_director.email)
    set_active(user_id=director.pk, active=False, by=None, at=MONDAY)
    with pytest.raises(CommandError, match="Only the medical director"):
        restore(person(Role.INTAKE).email)
    with pytest.raises(CommandError, match="no user"):
        restore("nobody@example.org")
    restore(next_director.email)

    assert not is_hidden(case.pk, next_director)
    event = case.events.latest("pk")
    assert (event.kind, event.by) == (Event.Kind.CLEARED, None)


def test_the_command_refuses_a_case_that_is_not_restricted(director):
    with pytest.raises(CommandError, match="is not restricted"):
        call_command("restore_clearance", received_case().number, director.email, reason="x")
    with pytest.raises(CommandError, match="no case"):
        call_command("restore_clearance", "CM26-9999999", director.email, reason="x")


# --- Someone can keep the list of every case ------------------------------------------------------


def bar(case, *people):
    case.refresh_from_db()
    case.barred_staff = [one.pk for one in people]
    case.store(by=None, at=MONDAY, why="Conflicts", fields=["barred_staff"])


def link(case, other, by):
    CaseLink(kind="DUPLICATE", case=case, other=other, reason="same").store(by=by, at=MONDAY)
    restrictions.spread_restriction(case=case, other=other, by=by, at=MONDAY)


def pair_that_bars(keeper, *, cleared=()):
    """A restricted case, and one restricted with it that bars one of the keepers."""
    first = received_case(claim_number=CLAIM)
    second = received_case(claim_number="06-2213-00000002", parties=parties(**STRANGER))
    restrict(first, cleared[0], cleared=cleared)
    bar(second, keeper)
    link(second, first, cleared[0])
    return first, second


@pytest.mark.capability("RC-9")
def test_a_keeper_who_is_barred_from_a_joint_case_keeps_no_list(director):
    first, second = pair_that_bars(director, cleared=[director])
    clerk = person(Role.INTAKE)
    for act in (
        lambda: restrictions.lift_restriction(case_id=first.pk, reason="x", by=director, at=MONDAY),
        lambda: clear(first, clerk, director),
    ):
        with pytest.raises(NotAllowed, match="one restricted with it"):
            act()
    assert find_visible(clerk) == set()
    with pytest.raises(CommandError, match="affiliation"):
        call_command("restore_clearance", first.number, director.email, reason="x")
    other = person(Role.DIRECTOR)
    call_command("restore_clearance", str(first.pk), other.email, reason="The first is barred")
    restrictions.lift_restriction(case_id=second.pk, reason="x", by=other, at=MONDAY)
    assert find_visible(clerk) == {first, second}


@pytest.mark.capability("RC-9")
def test_the_last_keeper_of_a_joint_case_stays_cleared(director):
    supervisor, barred = person(Role.SUPERVISOR), person(Role.SUPERVISOR)
    first, second = pair_that_bars(barred, cleared=[director, supervisor, barred])
    with pytest.raises(NotAllowed, match="one restricted with it"):
        end(first, director, by=barred)
    end(first, director, by=supervisor)
    with pytest.raises(NotAllowed, match="last clearance"):
        end(first, supervisor, by=supervisor)
    assert not is_hidden(second.pk, supervisor)


def end(case, user, *, by):
    clearance = case.clearances.get(user=user, ended_at=None)
    restrictions.end_clearance(clearance_id=clearance.pk, reason="Away", by=by, at=MONDAY)


@pytest.mark.capability("RC-9")
def test_a_keeper_who_was_barred_after_clearance_clears_nobody(director):
    case, supervisor = received_case(), person(Role.SUPERVISOR)
    restrict(case, director, cleared=[supervisor])
    bar(case, supervisor)
    with pytest.raises(NotAllowed, match="affiliation"):
        clear(case, person(Role.INTAKE), supervisor)
    with pytest.raises(NotAllowed, match="affiliation"):
        end(case, director, by=supervisor)


def find_affiliation_of(user, case, *, relation="EMPLOYMENT", by=None):
    """Record that someone who works here has an affiliation with the employer, and check again."""
    record_member_affiliation(record_staff_member(user), relation=relation)
    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=by, at=MONDAY)
    case.refresh_from_db()


@pytest.mark.capability("RC-9", "CO-4")
@pytest.mark.parametrize("by_a_person", [True, False])
def test_a_cleared_person_with_a_later_affiliation_loses_the_case(client, director, by_a_person):
    case, coordinator, clerk = received_case(), person(Role.COORDINATOR), person(Role.INTAKE)
    restrict(case, director, cleared=[coordinator, clerk])
    client.force_login(coordinator)
    assert client.get(case.get_absolute_url()).status_code == 200

    find_affiliation_of(coordinator, case, by=director if by_a_person else None)

    assert case.barred_staff == [coordinator.pk]
    assert find_visible(coordinator) == set()
    assert client.get(case.get_absolute_url()).status_code == 404
    assert find_visible(clerk) == {case}
    ended = case.clearances.get(user=coordinator)
    assert (ended.ended_at, ended.ended_by) == (MONDAY, director if by_a_person else None)
    assert ended.history.count() == 2
    # Once the restriction is lifted, everyone reads the timeline: it does not name the person.
    event = case.events.filter(kind=Event.Kind.CLEARANCE_ENDED).get()
    assert coordinator.name not in event.sentence + event.why
    client.force_login(director)
    shown = client.get(reverse("cases:restriction", args=[case.number])).content.decode()
    assert f"{director.name if by_a_person else 'The system'}: A conflict check" in shown


@pytest.mark.capability("RC-9", "CO-4")
def test_a_person_whose_possible_affiliation_was_resolved_can_be_cleared_again(director):
    clerk, case = person(Role.INTAKE, name="Marisol Quintanar"), received_case()
    restrict(case, director, cleared=[clerk])
    record_staff_member(clerk)
    own_conflicts.check_own_conflicts_of_case(case_id=case.pk, by=None, at=MONDAY)
    assert find_visible(clerk) == set()
    resolve_conflict(case, director)
    assert find_visible(clerk) == set()
    clear(case, clerk, director)
    assert find_visible(clerk) == {case}


@pytest.mark.capability("RC-9", "CO-4", "OP-1")
def test_the_last_keeper_loses_the_case_too_and_the_nightly_run_says_so(director):
    case, other = received_case(), person(Role.DIRECTOR)
    restrict(case, director)
    find_affiliation_of(director, case)
    assert find_visible(director) == set()
    nightly.run_checks(at=MONDAY)
    (finding,) = Finding.objects.filter(code="restriction_incomplete")
    assert (finding.row, finding.reference) == (str(case.pk), "")
    call_command("restore_clearance", str(case.pk), other.email, reason="The first is barred")
    assert find_visible(other) == {case}


@pytest.mark.capability("RC-9", "OP-1")
def test_the_nightly_run_names_a_cleared_person_who_is_barred(director):
    case, clerk = received_case(), person(Role.INTAKE)
    restrict(case, director, cleared=[clerk])
    bar(case, clerk)
    nightly.run_checks(at=MONDAY)
    (finding,) = Finding.objects.filter(code="restriction_incomplete")
    assert finding.reference == case.number
    assert "has, or may have, an affiliation" in finding.sentence
    assert clerk.name not in finding.sentence


@pytest.mark.capability("RC-9", "AD-5")
def test_the_repair_of_who_is_barred_ends_clearances_too(director):
    case, clerk = received_case(), person(Role.INTAKE)
    find_affiliation_of(clerk, case)
    bar(case)  # as someone could write into the database
    restrict(case, director, cleared=[clerk])
    admin = person(Role.ADMINISTRATOR)
    repairs.repair(
        command="repair_derived_fields", reason="Changed by hand", apply=True, by=admin, at=MONDAY
    )
    case.refresh_from_db()
    assert case.barred_staff == [clerk.pk]
    assert find_visible(clerk) == set()


@pytest.mark.capability("RC-9")
def test_a_case_that_bars_the_keeper_is_not_restricted_by_that_keeper_as_well(director):
    first, same_worker = received_case(), received_case()
    restrict(first, director)
    bar(same_worker, director)
    with pytest.raises(NotAllowed, match="affiliation"):
        restrictions.restrict_related_cases(
            case_id=first.pk, related=[same_worker.pk], reason="Same", by=director, at=MONDAY
        )


@pytest.mark.capability("RC-9", "OP-1")
def test_the_nightly_run_names_restrictions_that_nobody_keeps_or_that_lack_a_case(director):
    first, second = pair_that_bars(director, cleared=[director])
    third = received_case(parties=parties(EMPLOYEE="Cy Third"))
    CaseLink(kind="PRIOR", case=third, other=second, reason="x").store(by=director, at=MONDAY)
    nightly.run_checks(at=MONDAY)
    found = Finding.objects.filter(code="restriction_incomplete").order_by("pk")
    assert set(found.values_list("row", "reference")) == {
        (str(first.pk), ""),
        (str(second.pk), second.number),
    }
    assert third.number in found.get(reference=second.number).sentence


def test_a_case_that_was_restricted_leaves_every_count_at_once(client, director):
    case, coordinator = received_case(), person(Role.COORDINATOR)
    client.force_login(coordinator)
    counts = reverse("desk:side_counts")
    before = client.get(counts).content
    assert sum(queues.count_queues(user=coordinator).values()) == 2  # the case and its draft
    restrict(case, director)
    assert client.get(counts).content != before
    assert sum(queues.count_queues(user=coordinator).values()) == 0
