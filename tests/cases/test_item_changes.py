"""Items of an accepted case change only when two people agree, who both see before and after."""

import html
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import DisputedItem, Event, ItemChange
from cases.services import endings
from cases.services import item_changes as services
from cases.services.item_changes import ItemValues, ProposalOutdated
from correspondence import composition
from intake.services.receiving import ItemOnForm
from letters.kinds import LetterKind
from tests.correspondence.test_case_letters import read_preview_text
from tests.determinations.factories import make_issued_case, make_submitted_case
from tests.factories import (
    MONDAY,
    eligible_case,
    noticed_case,
    person,
    received_case,
    state_citations,
)
from tests.records.factories import in_review
from tests.reviewers.factories import get_category

pytestmark = pytest.mark.django_db

AT = MONDAY + timedelta(hours=5)
THREE = [ItemOnForm("Brace"), ItemOnForm("Norco", quantity=Decimal(90)), ItemOnForm("Massage")]


@pytest.fixture
def proposer(client, set_clock):
    set_clock(AT)
    user = person(Role.COORDINATOR, name="Petra First")
    client.force_login(user)
    return user


@pytest.fixture
def second():
    return person(Role.SUPERVISOR, name="Sam Second")


def get_item(case, position=1):
    return case.items.get(position=position)


def make_item_values(one, **changes):
    names = ItemValues.__dataclass_fields__
    return ItemValues(**{name: getattr(one, name) for name in names} | changes)


def propose_change(one, by, *, seen=None, why="The application says so.", **changes):
    return services.propose_item_change(
        item_id=one.pk,
        facts=make_item_values(one, **changes),
        seen_version=seen,
        why=why,
        by=by,
        at=AT,
    )


def propose_withdrawal(one, by, why="Withdrawn by letter."):
    return services.propose_item_withdrawal(
        item_id=one.pk, seen_version=None, why=why, by=by, at=AT
    )


def accept_change(change, by, at=AT):
    return services.accept_item_change(change_id=change.pk, by=by, at=at)


def refuse_change(change, by, reason="The form says otherwise."):
    return services.refuse_item_change(change_id=change.pk, reason=reason, by=by, at=AT)


def endings_of(case):
    return list(case.items.order_by("position").values_list("ending", flat=True))


# --- two people -----------------------------------------------------------------------------------


@pytest.mark.capability("IN-7")
def test_an_item_changes_only_when_a_second_person_accepts_the_change(proposer, second):
    case = eligible_case(items=THREE)
    norco = get_item(case, 2)

    change = propose_change(norco, proposer, requested_quantity=Decimal(60), unit="tablets")
    norco.refresh_from_db()
    assert (norco.requested_quantity, norco.version) == (Decimal(90), 1)

    accept_change(change, second)

    norco.refresh_from_db()
    change.refresh_from_db()
    assert (norco.requested_quantity, norco.unit, norco.version) == (Decimal(60), "tablets", 2)
    assert (change.state, change.proposed_by, change.decided_by) == ("ACCEPTED", proposer, second)
    asked, changed = case.events.order_by("pk")[2:]
    assert (asked.kind, asked.by, asked.sentence) == (
        Event.Kind.ITEM_CHANGE_ASKED,
        proposer,
        "Proposed: change item 2 (quantity, unit).",
    )
    assert (changed.kind, changed.by, changed.sentence) == (
        Event.Kind.ITEM_CHANGED,
        second,
        "Item 2 changed, as proposed.",
    )
    assert changed.facts["changes"] == [["Quantity", "90", "60"], ["Unit", "", "tablets"]]


@pytest.mark.capability("IN-7")
def test_no_one_accepts_or_refuses_their_own_proposal(proposer, second):
    case = eligible_case()
    change = propose_change(get_item(case), proposer, title="Another injection")
    for act in (accept_change, refuse_change):
        with pytest.raises(NotAllowed, match="You proposed this change"):
            act(change, proposer)
    change.refresh_from_db()
    assert change.is_waiting
    assert get_item(case).title != "Another injection"


@pytest.mark.capability("IN-7")
@pytest.mark.every_database
def test_the_database_refuses_the_same_person_as_proposer_and_approver(proposer):
    change = propose_change(get_item(eligible_case()), proposer, title="Another injection")
    change.state, change.decided_by, change.decided_at = "ACCEPTED", proposer, AT
    with pytest.raises(IntegrityError), transaction.atomic():
        change.store(by=proposer, at=AT)


@pytest.mark.capability("IN-7")
def test_a_refusal_needs_a_reason_and_leaves_the_item_unchanged(proposer, second):
    case = eligible_case()
    change = propose_change(get_item(case), proposer, title="Another injection")
    with pytest.raises(NotAllowed, match="Enter why"):
        refuse_change(change, second, reason=" ")

    refuse_change(change, second)

    change.refresh_from_db()
    assert (change.state, change.decided_because) == ("REFUSED", "The form says otherwise.")
    assert get_item(case).title == "Cervical epidural steroid injection at C3-4"
    event = case.events.order_by("pk").last()
    assert (event.kind, event.why) == (Event.Kind.ITEM_CHANGE_REFUSED, "The form says otherwise.")
    with pytest.raises(NotAllowed, match="was already refused"):
        accept_change(change, second)
    assert propose_change(get_item(case), proposer, title="Once more").is_waiting


@pytest.mark.capability("IN-7")
def test_an_item_is_added_by_two_people(proposer, second):
    case = eligible_case(items=THREE)
    change = services.propose_item(
        case_id=case.pk,
        facts=ItemValues(title="Lumbar support", service_from=date(2026, 1, 5)),
        why="Page 2 of the application.",
        by=proposer,
        at=AT,
    )
    assert case.items.count() == 3

    accept_change(change, second)

    added = get_item(case, 4)
    assert (added.title, added.service_from, added.ending) == (
        "Lumbar support",
        date(2026, 1, 5),
        "PENDING",
    )
    change.refresh_from_db()
    assert change.item == added


@pytest.mark.capability("IN-7")
def test_an_item_is_withdrawn_by_two_people_and_the_other_items_continue(proposer, second):
    case = noticed_case(items=THREE)
    accept_change(propose_withdrawal(get_item(case, 2), proposer), second)
    assert endings_of(case) == ["PENDING", "WITHDRAWN", "PENDING"]
    assert get_item(case, 2).ended_because == "Withdrawn by letter."
    case.refresh_from_db()
    assert case.status == Status.NOTICE_SENT


def test_the_case_is_withdrawn_with_its_last_item(proposer, second):
    case = eligible_case(items=THREE[:2])
    accept_change(propose_withdrawal(get_item(case, 1), proposer), second)
    last = propose_withdrawal(get_item(case, 2), proposer)
    with pytest.raises(NotAllowed, match="end a case early"):
        accept_change(last, second)  # a supervisor ends no case
    accept_change(last, person(Role.COORDINATOR))
    case.refresh_from_db()
    assert case.status == Status.WITHDRAWN
    assert endings_of(case) == ["WITHDRAWN", "WITHDRAWN"]
    last.refresh_from_db()
    assert last.state == "ACCEPTED"


@pytest.mark.capability("IN-6")
def test_each_item_keeps_its_own_state_and_history(proposer, second):
    case = noticed_case(items=THREE)
    accept_change(propose_change(get_item(case, 1), proposer, title="Lumbar brace"), second)
    accept_change(propose_withdrawal(get_item(case, 2), proposer), second)
    endings.terminate_items(
        case_id=case.pk,
        item_ids=[get_item(case, 3).pk],
        reason="Authorized by letter.",
        by=proposer,
        at=AT,
    )

    assert endings_of(case) == ["PENDING", "WITHDRAWN", "AUTHORIZED"]
    fields = {
        position: list(
            get_item(case, position).history.order_by("version").values_list("title", "ending")
        )
        for position in (1, 2, 3)
    }
    assert (fields[1][0], fields[1][-1]) == (("Brace", "PENDING"), ("Lumbar brace", "PENDING"))
    assert fields[2][-1] == ("Norco", "WITHDRAWN")
    assert fields[3][-1] == ("Massage", "AUTHORIZED")


# --- what moved in between ------------------------------------------------------------------------


def test_an_item_has_one_proposed_change_at_a_time(proposer, second):
    case = eligible_case(items=THREE)
    propose_change(get_item(case), proposer, title="Lumbar brace")
    with pytest.raises(NotAllowed, match="already awaits a second person"):
        propose_withdrawal(get_item(case), second)
    assert propose_withdrawal(get_item(case, 2), second).is_waiting


def test_a_proposal_on_changed_values_is_not_accepted(proposer, second):
    case = eligible_case(items=THREE)
    change = propose_change(get_item(case), proposer, title="Lumbar brace")
    endings.terminate_items(
        case_id=case.pk, item_ids=[get_item(case).pk], reason="Authorized.", by=proposer, at=AT
    )
    with pytest.raises(ProposalOutdated, match="has changed since this was proposed"):
        accept_change(change, second)
    assert get_item(case).title == "Brace"
    refuse_change(change, second)


def test_what_the_ur_decision_cites_does_not_outdate_a_proposal(proposer, second):
    case = eligible_case(items=THREE)
    change = propose_change(get_item(case), proposer, title="Back brace")
    state_citations(case, by=proposer, at=AT)
    assert get_item(case).version > change.item_version

    accept_change(change, second)

    assert get_item(case).title == "Back brace"


def test_a_renamed_category_does_not_outdate_a_proposal(proposer, second):
    category = get_category("Injection", "Facet")
    case = eligible_case(items=[ItemOnForm("Facet block", category_id=category.pk)])
    change = propose_change(get_item(case), proposer, title="Facet joint block")
    category.name = "Facet joint"
    category.store(by=proposer, at=AT)

    accept_change(change, second)

    assert get_item(case).title == "Facet joint block"


def test_the_categories_are_a_tree_in_which_each_is_named_once(client, proposer):
    for top, *kinds in (("Injection", "Injection", "Facet"), ("Rehabilitation", "Other")):
        get_category(top)
        for kind in kinds:
            get_category(top, kind)
    hidden = get_category("Therapies")
    hidden.is_active = False
    hidden.store(by=proposer, at=AT)
    case = eligible_case(items=THREE)

    page = client.get(reverse("cases:propose_item_change", args=[case.number, 1]))

    choices = page.context["form"]["category"].field.choices
    assert [(top, [label for _, label in kinds]) for top, kinds in list(choices)[1:]] == [
        ("Injection", ["Injection", "Injection: Facet", "Injection: Injection"]),
        ("Rehabilitation", ["Rehabilitation", "Rehabilitation: Other"]),
    ]
    assert '<optgroup label="Injection">' in page.content.decode()


def test_a_stale_page_proposes_nothing(proposer, second):
    case = eligible_case()
    seen = get_item(case).version
    accept_change(propose_change(get_item(case), proposer, title="Another injection"), second)
    with pytest.raises(Stale):
        propose_change(get_item(case), proposer, seen=seen, title="A third")


def test_an_item_cannot_change_after_the_case_was_signed(proposer, second):
    assignment = in_review(items=THREE[:1])
    change = propose_change(get_item(assignment.case), proposer, title="Lumbar brace")
    make_submitted_case(assignment)
    with pytest.raises(NotAllowed, match="is signed"):
        accept_change(change, second)


def test_facts_used_for_matching_cannot_change_after_the_assignment(proposer):
    case = in_review().case
    with pytest.raises(NotAllowed, match="Take the case back"):
        propose_change(get_item(case), proposer, body_part="Knee")
    with pytest.raises(NotAllowed, match="Take the case back"):
        services.propose_item(
            case_id=case.pk, facts=ItemValues(title="More"), why="x", by=proposer, at=AT
        )
    assert propose_change(get_item(case), proposer, title="Clearer words").is_waiting


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (received_case, "only intake can correct its items"),
        (make_submitted_case, "is signed"),
        (make_issued_case, "is signed"),
    ],
)
def test_items_cannot_change_before_acceptance_or_after_the_review(proposer, make, sentence):
    case = make()
    with pytest.raises(NotAllowed, match=sentence):
        propose_change(get_item(case), proposer, title="Other")
    with pytest.raises(NotAllowed, match=sentence):
        propose_withdrawal(get_item(case), proposer)


@pytest.mark.parametrize(
    ("changes", "why", "sentence"),
    [
        ({}, "Why.", "Nothing was changed"),
        ({"title": " "}, "Why.", "Enter the disputed treatment"),
        ({"title": "Other"}, " ", "Enter why"),
        ({"requested_quantity": Decimal(0)}, "Why.", "more than 0"),
        ({"service_to": date(2026, 1, 5)}, "Why.", "Check both"),
    ],
)
def test_an_empty_proposal_is_refused(proposer, changes, why, sentence):
    case = eligible_case()
    with pytest.raises(NotAllowed, match=sentence):
        propose_change(get_item(case), proposer, why=why, **changes)
    assert not ItemChange.objects.exists()


# --- roles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.propose_item_change"]))
def test_other_roles_cannot_propose_changes(role):
    case = eligible_case()
    with pytest.raises(NotAllowed, match="Your role"):
        propose_change(get_item(case), person(role), title="Other")


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.decide_item_change"]))
def test_other_roles_cannot_decide_on_changes(proposer, role):
    change = propose_change(get_item(eligible_case()), proposer, title="Other")
    for act in (accept_change, refuse_change):
        with pytest.raises(NotAllowed, match="a coordinator or a supervisor"):
            act(change, person(role))


# --- pages ----------------------------------------------------------------------------------------


def make_form_data(**changes):
    fields = {"title": "Lumbar brace", "why": "Page 2.", "requested_quantity": "1.50", "version": 1}
    return fields | changes


def read_text(answer):
    return html.unescape(answer.content.decode())


def test_a_change_is_proposed_on_one_page_and_decided_on_another(client, proposer, second):
    case = eligible_case(items=THREE)
    address = reverse("cases:propose_item_change", args=[case.number, 1])
    assert 'value="Brace"' in read_text(client.get(address)) or "Brace</textarea>" in read_text(
        client.get(address)
    )
    assert client.post(address, make_form_data()).status_code == 302
    change = ItemChange.objects.get()
    shown = read_text(client.get(case.get_absolute_url()))
    assert "Change of item 1 waits for a second person." in shown

    page = reverse("cases:item_change", args=[case.number, change.pk])
    own = read_text(client.get(page))
    assert "<del>Brace</del>" in own
    assert "<ins>Lumbar brace</ins>" in own
    assert "You proposed this change" in own
    assert client.post(page, {"answer": "accept"}).status_code == 422

    client.force_login(second)
    assert case.number in read_text(client.get(reverse("cases:item_changes")))
    assert client.post(page, {"answer": "refuse"}).status_code == 422
    assert client.post(page, {"answer": "accept"}).status_code == 302
    assert get_item(case).title == "Lumbar brace"
    assert case.number not in read_text(client.get(reverse("cases:item_changes")))
    assert "Accepted by Sam Second" in read_text(client.get(page))


def test_a_refused_proposal_keeps_what_was_typed(client, proposer):
    case = eligible_case()
    answer = client.post(
        reverse("cases:propose_item_change", args=[case.number, 1]),
        make_form_data(why="", body_part="Knee"),
    )
    assert answer.status_code == 422
    assert 'value="Knee"' in read_text(answer)
    stale = client.post(
        reverse("cases:propose_item_change", args=[case.number, 1]), make_form_data(version=7)
    )
    assert stale.status_code == 409
    assert "Lumbar brace" in read_text(stale)


@pytest.mark.capability("defect 10")
def test_posted_names_of_people_are_ignored(client, proposer, second):
    case = eligible_case()
    client.post(
        reverse("cases:propose_item_change", args=[case.number, 1]),
        make_form_data(proposed_by=second.pk, by=second.pk, decided_by=second.pk, state="ACCEPTED"),
    )
    change = ItemChange.objects.get()
    assert (change.proposed_by, change.decided_by, change.state) == (proposer, None, "PROPOSED")
    page = reverse("cases:item_change", args=[case.number, change.pk])
    answer = client.post(page, {"answer": "accept", "by": second.pk, "decided_by": second.pk})
    assert answer.status_code == 422
    assert get_item(case).title != "Lumbar brace"


@pytest.mark.capability("defect 12")
def test_a_change_or_item_of_another_case_is_not_found(client, proposer, second):
    case, other = eligible_case(items=THREE[:1]), eligible_case(items=THREE)
    change = propose_change(get_item(other, 2), proposer, title="Oxycodone")
    client.force_login(second)
    page = reverse("cases:item_change", args=[case.number, change.pk])
    assert client.get(page).status_code == 404
    assert client.post(page, {"answer": "accept"}).status_code == 404
    for name in ("propose_item_change", "propose_item_withdrawal"):
        address = reverse(f"cases:{name}", args=[case.number, 2])
        assert client.post(address, make_form_data()).status_code == 404
    change.refresh_from_db()
    assert change.is_waiting
    assert get_item(other, 2).title == "Norco"
    assert DisputedItem.objects.count() == 4


def test_adding_and_withdrawing_have_pages_too(client, proposer):
    case = eligible_case()
    assert client.get(reverse("cases:propose_item", args=[case.number])).status_code == 200
    assert (
        client.post(reverse("cases:propose_item", args=[case.number]), make_form_data()).status_code
        == 302
    )
    address = reverse("cases:propose_item_withdrawal", args=[case.number, 1])
    assert client.get(address).status_code == 200
    assert client.post(address, {"why": "Letter.", "version": 1}).status_code == 302
    assert list(ItemChange.objects.order_by("pk").values_list("kind", flat=True)) == [
        "ADD",
        "WITHDRAW",
    ]
    for change in ItemChange.objects.all():
        page = reverse("cases:item_change", args=[case.number, change.pk])
        assert client.get(page).status_code == 200


# --- the notices that were already made ---------------------------------------------------------


def corrected_notices(case):
    return case.case_letters.filter(kind=LetterKind.CORRECTED_NOTICE)


def test_a_changed_treatment_after_the_notices_drafts_a_corrected_notice(proposer, second):
    case = noticed_case(items=THREE)

    accept_change(propose_change(get_item(case), proposer, title="Back brace"), second)

    draft = corrected_notices(case).get()
    assert draft.state == "DRAFT"
    assert "Item 1 changed" in draft.reason
    assert composition.find_missing_parts(draft, at=AT) == []
    roles = [one.role for one in composition.list_chosen_recipients(draft, at=AT)]
    assert roles[:2] == ["CLAIMS_ADMINISTRATOR", "EMPLOYEE"]
    shown = read_preview_text(draft, proposer)
    assert "This letter corrects the list of disputed treatment" in shown
    assert "Back brace" in shown
    assert "Brace" not in shown.replace("Back brace", "")


def test_a_change_that_the_notices_do_not_name_drafts_nothing(proposer, second):
    case = noticed_case(items=THREE)

    accept_change(propose_change(get_item(case), proposer, requested_quantity=Decimal(2)), second)

    assert not corrected_notices(case).exists()


def test_a_changed_treatment_before_the_notices_drafts_nothing(proposer, second):
    case = eligible_case(items=THREE)

    accept_change(propose_change(get_item(case), proposer, title="Back brace"), second)

    assert not corrected_notices(case).exists()


def test_a_withdrawn_item_after_the_notices_drafts_a_corrected_notice(proposer, second):
    case = noticed_case(items=THREE)

    accept_change(propose_withdrawal(get_item(case, 2), proposer), second)

    assert corrected_notices(case).count() == 1
