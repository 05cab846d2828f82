"""Ends before a determination: withdrawn, authorized in part or whole, closed, screened again."""

import html

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import DisputedItem, Event
from cases.services import endings
from eligibility.services import screening
from intake.services.receiving import ItemOnForm
from tests.factories import MONDAY, SIX_YES, eligible_case, person, received_case

pytestmark = pytest.mark.django_db

Ending = DisputedItem.Ending
THREE = [ItemOnForm("Brace"), ItemOnForm("Norco"), ItemOnForm("Massage")]


@pytest.fixture
def coordinator(client, set_clock):
    set_clock(MONDAY)
    user = person(Role.COORDINATOR)
    client.force_login(user)
    return user


def ineligible_case(by, **changes):
    case = received_case(**changes)
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES | {"SIGNED": "NO"},
        notes={"SIGNED": "The signature is the adjuster’s."},
        seen_version=None,
        by=by,
        at=MONDAY,
    )
    case.refresh_from_db()
    return case


def endings_of(case):
    return list(case.items.order_by("position").values_list("ending", flat=True))


def run_service(service, case, by, reason="A letter of 2 March says so.", **more):
    return service(case_id=case.pk, reason=reason, by=by, at=MONDAY, **more)


def test_withdrawing_ends_the_case_and_every_pending_item(coordinator):
    case = received_case(items=THREE)

    after = run_service(endings.withdraw_case, case, coordinator)

    assert (after.stage, after.is_open) == (Status.WITHDRAWN, True)
    assert endings_of(case) == [Ending.WITHDRAWN] * 3
    item = case.items.first()
    assert (item.ended_at, item.ended_because) == (MONDAY, "A letter of 2 March says so.")
    event = case.events.latest("pk")
    assert (event.kind, event.why) == (Event.Kind.WITHDRAWN, "A letter of 2 March says so.")


def test_some_authorized_items_end_and_the_case_continues(coordinator):
    case = received_case(items=THREE)
    one, _, three = case.items.order_by("position")

    after = run_service(endings.terminate_items, case, coordinator, item_ids=[three.pk, one.pk])

    assert after.stage == Status.SCREENING
    assert endings_of(case) == [Ending.AUTHORIZED, Ending.PENDING, Ending.AUTHORIZED]
    assert case.events.latest("pk").sentence.startswith("Items 1, 3 end:")


def test_one_authorized_item_reads_as_one(coordinator):
    case = received_case(items=THREE)

    run_service(
        endings.terminate_items, case, coordinator, item_ids=[case.items.get(position=2).pk]
    )

    assert case.events.latest("pk").sentence.startswith("Item 2 ends:")


def test_when_the_last_items_are_authorized_the_case_is_terminated(coordinator):
    case = received_case(items=THREE)
    one, two, three = case.items.order_by("position")
    run_service(endings.terminate_items, case, coordinator, item_ids=[one.pk])

    after = run_service(endings.terminate_items, case, coordinator, item_ids=[two.pk, three.pk])

    assert after.stage == Status.TERMINATED
    assert endings_of(case) == [Ending.AUTHORIZED] * 3


def test_only_pending_items_of_this_case_can_be_authorized(coordinator):
    case, other = received_case(items=THREE), received_case()
    one = case.items.get(position=1)
    run_service(endings.terminate_items, case, coordinator, item_ids=[one.pk])

    for wrong in ([], [one.pk], [other.items.get().pk], [987654]):
        with pytest.raises(NotAllowed, match="still pending"):
            run_service(endings.terminate_items, case, coordinator, item_ids=wrong)

    assert other.items.get().ending == Ending.PENDING


@pytest.mark.parametrize(
    "service", [endings.withdraw_case, endings.close_case, screening.screen_case_again]
)
@pytest.mark.parametrize("reason", ["", "   "])
def test_every_end_needs_a_reason(coordinator, service, reason):
    case = ineligible_case(coordinator)

    with pytest.raises(NotAllowed, match="Enter (why|the reason)"):
        run_service(service, case, coordinator, reason=reason)
    with pytest.raises(NotAllowed, match="Enter (why|the reason)"):
        run_service(endings.terminate_items, case, coordinator, reason=reason, item_ids=[1])


def test_closing_an_ineligible_case_ends_its_items_as_ineligible(coordinator):
    case = ineligible_case(coordinator, items=THREE)

    after = run_service(endings.close_case, case, coordinator)

    assert (after.stage, after.is_open, after.closed_at) == (Status.CLOSED, False, MONDAY)
    assert (after.next_role, after.queue) == ("", "")
    assert endings_of(case) == [Ending.INELIGIBLE] * 3


def test_closing_keeps_how_each_item_ended(coordinator):
    case = received_case(items=THREE)
    run_service(
        endings.terminate_items, case, coordinator, item_ids=[case.items.get(position=1).pk]
    )
    run_service(endings.withdraw_case, case, coordinator)
    run_service(endings.close_case, case, coordinator)

    assert endings_of(case) == [Ending.AUTHORIZED, Ending.WITHDRAWN, Ending.WITHDRAWN]


def test_an_open_case_is_not_simply_closed(coordinator):
    with pytest.raises(NotAllowed, match="To close it, it must be in"):
        run_service(endings.close_case, received_case(), coordinator)


def test_an_ended_case_does_not_end_again(coordinator):
    case = received_case()
    run_service(endings.withdraw_case, case, coordinator)

    with pytest.raises(NotAllowed, match="can no longer be closed early"):
        run_service(endings.withdraw_case, case, coordinator)
    with pytest.raises(NotAllowed, match="can no longer be closed early"):
        run_service(endings.terminate_items, case, coordinator, item_ids=[case.items.get().pk])


def test_reviewing_eligibility_again_restarts_the_deadline_and_keeps_the_finding(coordinator):
    case = ineligible_case(coordinator)

    after = run_service(screening.screen_case_again, case, coordinator)

    assert after.stage == Status.SCREENING
    assert case.eligibility_decisions.get().result == "INELIGIBLE"
    assert case.deadlines.filter(deadline_kind="screening", replaced_at__isnull=True).count() == 1
    assert case.deadlines.filter(deadline_kind="screening").count() == 2
    assert case.events.latest("pk").kind == Event.Kind.REOPENED


def test_a_duplicate_of_a_closed_lead_case_is_reviewed_separately(coordinator):
    lead = received_case(claim_number="06-1")
    case = received_case(claim_number="06-1")
    run_service(endings.withdraw_case, lead, coordinator)
    run_service(endings.close_case, lead, coordinator)

    after = run_service(screening.screen_case_again, case, coordinator)

    assert (after.stage, after.duplicate_of) == (Status.SCREENING, None)
    assert case.links.get().other == lead  # what was thought then stays readable


def test_a_duplicate_is_closed_as_ineligible(coordinator):
    received_case(claim_number="06-1")
    case = received_case(claim_number="06-1")

    run_service(endings.close_case, case, coordinator, reason="Sent twice.")

    assert endings_of(case) == [Ending.INELIGIBLE]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_other_roles_cannot_end_a_case(role, coordinator):
    case, stranger = ineligible_case(coordinator), person(role)

    for service in (endings.withdraw_case, endings.close_case, screening.screen_case_again):
        with pytest.raises(NotAllowed, match="Your role does not let you"):
            run_service(service, case, stranger)
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        run_service(endings.terminate_items, case, stranger, item_ids=[case.items.get().pk])


# --- The pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["cases:withdraw", "cases:terminate", "cases:close", "eligibility:screen_again"]
)
def test_a_page_without_a_reason_is_refused(client, coordinator, name):
    case = received_case()

    answer = client.post(reverse(name, args=[case.number]), {"reason": " "})

    assert answer.status_code == 422
    assert "Enter a reason." in answer.content.decode()
    case.refresh_from_db()
    assert case.stage == Status.SCREENING


@pytest.mark.parametrize("name", ["cases:close", "eligibility:screen_again"])
def test_a_page_in_the_wrong_state_reports_it_and_keeps_the_reason(client, coordinator, name):
    case = eligible_case()
    url = reverse(name, args=[case.number])

    assert "is in the “Eligible” stage" in html.unescape(client.get(url).content.decode())
    answer = client.post(url, {"reason": "Because I said so."})

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert "is in the “Eligible” stage" in page
    assert "Because I said so." in page


def test_the_page_ends_the_chosen_items_only(client, coordinator):
    case = received_case(items=THREE)
    url = reverse("cases:terminate", args=[case.number])
    two = case.items.get(position=2)

    nothing = client.post(url, {"reason": "A letter."})
    assert nothing.status_code == 422
    assert "Choose items of this case" in nothing.content.decode()
    refused = client.post(url, {"reason": "", "item": [two.pk, "x"]})
    assert f'value="{two.pk}" checked' in refused.content.decode()

    assert client.post(url, {"reason": "A letter.", "item": two.pk}).status_code == 302
    assert endings_of(case) == [Ending.PENDING, Ending.AUTHORIZED, Ending.PENDING]


def test_the_pages_withdraw_and_close(client, coordinator):
    case = received_case()

    for name in ("cases:withdraw", "cases:close"):
        answer = client.post(reverse(name, args=[case.number]), {"reason": "A letter."})
        assert answer.url == case.get_absolute_url()
        assert client.get(answer.url).status_code == 200

    case.refresh_from_db()
    assert case.stage == Status.CLOSED
