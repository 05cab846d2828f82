"""Correcting what was keyed: the received date apart from the entered one, and one's own slips."""

import html
from datetime import date, timedelta

import pytest

from accounts.refusals import BadFact, NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import DuplicateProposal, Event
from cases.services import duplicate_outcomes, endings, parties, restrictions
from intake.services import corrections, receiving
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from maintenance.derived import compare_claims_of_decisions, compare_search_keys
from tests.cases.test_parties import make_details
from tests.factories import MONDAY, eligible_case, person, received_case
from tests.factories import parties as party_rows

pytestmark = pytest.mark.django_db
FRIDAY = MONDAY - timedelta(days=3)


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Rosa Okafor")


@pytest.fixture
def supervisor():
    return person(Role.SUPERVISOR)


def correct_received(case, by, to=FRIDAY, why="The stamp says Friday.", seen=None):
    return corrections.correct_received_date(
        case_id=case.pk, received_at=to, why=why, seen_version=seen, by=by, at=MONDAY
    )


@pytest.mark.capability("IN-4")
def test_the_received_date_is_separate_from_the_entered_date_and_corrected_with_a_reason(clerk):
    case = received_case(by=clerk)
    before, due_before = case.received_at, case.due_on

    correct_received(case, clerk)

    case.refresh_from_db()
    assert (case.received_at, case.received_on) == (FRIDAY, FRIDAY.date())
    assert case.application.received_at == FRIDAY
    assert case.application.entered_at == MONDAY
    event = case.events.get(kind=Event.Kind.RECEIVED_CORRECTED)
    assert event.facts == {"old": before.isoformat(), "new": FRIDAY.isoformat()}
    assert (event.by, event.why) == (clerk, "The stamp says Friday.")
    assert case.due_on < due_before  # the screening deadline was counted again
    running = case.deadlines.get(deadline_kind="screening", replaced_at__isnull=True)
    assert running.given == {"received": "2026-02-27"}


@pytest.mark.capability("IN-4")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"why": "  "}, "Enter the reason"),
        ({"to": MONDAY + timedelta(minutes=1)}, "is in the future"),
        ({"to": MONDAY - timedelta(hours=2)}, "the received date on file"),
        ({"to": MONDAY - timedelta(days=40)}, "UR decision is dated after this day"),
    ],
)
def test_an_impossible_correction_is_refused(clerk, changes, sentence):
    case = received_case(by=clerk)
    with pytest.raises(NotAllowed, match=sentence):
        correct_received(case, clerk, **changes)
    assert not case.events.filter(kind=Event.Kind.RECEIVED_CORRECTED).exists()


@pytest.mark.capability("IN-4")
def test_only_a_supervisor_corrects_the_date_after_acceptance(clerk, supervisor):
    case = eligible_case(by=clerk)
    with pytest.raises(NotAllowed, match="until eligibility is decided"):
        correct_received(case, clerk)

    correct_received(case, supervisor)

    case.refresh_from_db()
    assert case.received_on == FRIDAY.date()


@pytest.mark.capability("IN-4")
def test_a_clerk_cannot_correct_the_entry_of_another_clerk(clerk, supervisor):
    case = received_case(by=clerk)
    for other in (person(Role.INTAKE), person(Role.COORDINATOR)):
        with pytest.raises(NotAllowed):
            correct_received(case, other)
    with pytest.raises(Stale):
        correct_received(case, supervisor, seen=case.version + 1)


# --- By the page ---------------------------------------------------------------------------------


@pytest.fixture
def desk(client, clerk, set_clock):
    set_clock(MONDAY)
    client.force_login(clerk)
    return client


def as_shown(client, case):
    """What the page would send if no one touched it."""
    form = client.get(f"/cases/{case.number}/correct/").context["keyed"]
    sent = {name: form[name].value() or "" for name in form.fields}
    sent = {
        name: f"{value:%m/%d/%Y}" if isinstance(value, date) else value
        for name, value in sent.items()
    }
    for column in ("title", "category", "quantity", "unit", "body_part"):
        sent[f"item_{column}"] = [getattr(row, column) for row in form.rows]
    sent["item_id"] = [row.item_id for row in form.rows]
    return sent | {"version": str(case.version)}


def test_a_clerk_corrects_their_own_errors_and_the_old_values_stay_readable(desk, clerk):
    case = received_case(by=clerk, claim_number="06-2213-77")
    sent = as_shown(desk, case)
    address = f"/cases/{case.number}/correct/"
    assert "No changes" in desk.post(address, sent, follow=True).content.decode()

    answer = desk.post(
        address,
        sent
        | {"claim_number": "06-2213-78", "diagnosis": "M54.2", "signed_on": "2/21/26"}
        | {"item_title": ["Cervical ESI C3-4", "Norco"], "item_category": ["", ""]}
        | {"item_quantity": ["1", ""], "item_unit": ["", ""], "item_body_part": ["", ""]},
    )

    assert answer.status_code == 302
    case.refresh_from_db()
    assert (case.claim_number_normal, case.diagnosis) == ("06221378", "M54.2")
    assert case.ur_decision.claim_number_normal == "06221378"
    assert case.application.signed_on == date(2026, 2, 21)
    titles = case.items.order_by("position").values_list("title", flat=True)
    assert list(titles) == ["Cervical ESI C3-4", "Norco"]
    event = case.events.get(kind=Event.Kind.CHANGED)
    assert event.facts["claim number"] == ["06-2213-77", "06-2213-78"]
    assert event.facts["treatment 2"] == ["", "Norco"]
    assert case.history.filter(claim_number="06-2213-77").exists()
    assert receiving.fold_claim_number(text=" none ") == ""


def test_a_correction_removes_no_treatment(desk, clerk):
    case = received_case(by=clerk)
    sent = as_shown(desk, case) | {"item_title": [""], "item_quantity": [""]}

    answer = desk.post(f"/cases/{case.number}/correct/", sent)

    assert answer.status_code == 422
    assert "withdraw it on the page of the case" in answer.content.decode()


@pytest.fixture
def three(clerk):
    """A case of three treatments."""
    titles = ("Injection", "Brace", "Norco")
    return received_case(by=clerk, items=[ItemOnForm(title) for title in titles])


@pytest.fixture(params=["page", "service"])
def correct_rows(request, desk, clerk, three):
    """Sends rows of (id of an item or None, title), and gives what was refused, or nothing."""

    def by_page(rows):
        titles = {"item_title": [title for _, title in rows]}
        ids = {"item_id": [str(pk or "") for pk, _ in rows]}
        address = f"/cases/{three.number}/correct/"
        answer = desk.post(address, as_shown(desk, three) | titles | ids)
        return "" if answer.status_code == 302 else html.unescape(answer.content.decode())

    def by_service(rows):
        try:
            corrections.correct_application(
                case_id=three.pk,
                values={},
                items={pk: ItemOnForm(title) for pk, title in rows if pk and title},
                added=[ItemOnForm(title) for pk, title in rows if not pk],
                why="",
                seen_version=None,
                by=clerk,
                at=MONDAY,
            )
        except NotAllowed as refusal:
            return str(refusal)
        return ""

    return {"page": by_page, "service": by_service}[request.param]


def items_of(case):
    rows = case.items.order_by("position")
    return [(row.pk, row.position, row.title, row.history.count()) for row in rows]


def test_rows_in_another_order_are_corrected_each_on_its_own_item(three, correct_rows):
    (first, *_), (second, *_), (third, *_) = before = items_of(three)

    assert correct_rows([(second, "Brace"), (first, "Injection"), (third, "Norco")]) == ""
    assert items_of(three) == before

    assert correct_rows([(third, "Norco"), (second, "Brace, lumbar"), (first, "Injection")]) == ""
    assert items_of(three) == [before[0], (second, 2, "Brace, lumbar", 2), before[2]]
    facts = three.events.get(kind=Event.Kind.CHANGED).facts
    assert facts == {"treatment 2": ["Brace", "Brace, lumbar"]}


def test_a_row_before_the_others_is_a_new_item_and_leaves_them_as_they_are(three, correct_rows):
    before = items_of(three)

    rows = [(None, "Massage"), *((pk, title) for pk, _, title, _ in before)]
    assert correct_rows(rows) == ""

    *kept, (_, *new) = items_of(three)
    assert (kept, new) == (before, [4, "Massage", 1])


@pytest.mark.parametrize("more", [[], [(None, "Massage")]], ids=["alone", "and one added"])
def test_the_first_of_three_rows_cleared_is_refused_by_its_name(three, correct_rows, more):
    (first, *_), (second, *_), (third, *_) = before = items_of(three)

    refusal = correct_rows([(first, ""), (second, "Brace"), (third, "Norco"), *more])

    assert "Treatment 1, “Injection”, was cleared." in refusal
    assert items_of(three) == before


def test_an_item_of_another_case_is_refused(three, correct_rows, clerk):
    other = received_case(by=clerk, claim_number="06-2213-79").items.get()
    before = items_of(three)

    rows = [*((pk, title) for pk, _, title, _ in before), (other.pk, "Massage")]
    assert "belongs to another case" in correct_rows(rows)

    assert items_of(three) == before
    assert other.history.count() == 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [("first", "sent twice"), ("x7", "belongs to no treatment"), ("²", "belongs to no")],
)
def test_a_row_that_names_no_item_or_one_twice_is_refused(desk, three, changed, says):
    sent = as_shown(desk, three)
    ids = sent["item_id"]
    sent["item_id"] = [*ids[:2], ids[0] if changed == "first" else changed]

    answer = desk.post(f"/cases/{three.number}/correct/", sent)

    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_correction_that_would_match_another_case_is_refused(desk, clerk):
    lead = received_case(by=clerk, claim_number="06-2213-77")
    case = received_case(by=clerk, claim_number="06-2213-78")
    sent = as_shown(desk, case) | {"claim_number": "06-2213-77"}

    page = desk.post(f"/cases/{case.number}/correct/", sent)

    assert page.status_code == 422
    assert f"{lead.number} disputes the same UR decision" in page.content.decode()


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


@pytest.fixture
def pair(clerk):
    """Two applications about one UR decision: the lead and its possible duplicate."""
    lead = received_case(by=clerk, claim_number="06-2213-77")
    repeat = received_case(by=clerk, claim_number="06-2213-77")
    assert (repeat.stage, repeat.ur_decision) == (Status.DUPLICATE, lead.ur_decision)
    return lead, repeat


def resolve(pair, answer, by):
    lead, repeat = pair
    return duplicate_outcomes.decide_duplicate(
        proposal_id=DuplicateProposal.objects.get(case=repeat, other=lead).pk,
        answer=answer,
        reason="Both forms are on file.",
        item_ids=[] if answer == "DIFFERENT" else [repeat.items.get().pk],
        by=by,
        at=MONDAY,
    )


def end_repeat(pair, how, by):
    repeat = pair[1]
    if how in DuplicateProposal.Answer:
        resolve(pair, how, by)
        return
    endings.withdraw_case(case_id=repeat.pk, reason="A letter.", by=by, at=MONDAY)
    if how == "closed":
        endings.close_case(case_id=repeat.pk, reason="Withdrawn.", by=by, at=MONDAY)


@pytest.mark.capability("IN-4")
@pytest.mark.parametrize("how", ["DUPLICATE", "PRIOR", "DIFFERENT", "withdrawn", "closed"])
def test_claim_and_date_are_corrected_when_the_duplicate_is_resolved_or_ended(
    desk, pair, coordinator, how
):
    lead, repeat = pair
    end_repeat(pair, how, coordinator)
    sent = as_shown(desk, lead) | {"claim_number": "06-2213-78", "ur_decided": "02/11/2026"}

    answer = desk.post(f"/cases/{lead.number}/correct/", sent)

    assert answer.status_code == 302
    lead.refresh_from_db()
    repeat.refresh_from_db()
    decision = lead.ur_decision
    assert (lead.claim_number, decision.claim_number_normal) == ("06-2213-78", "06221378")
    assert decision.decided_on == date(2026, 2, 11)
    facts = lead.events.get(kind=Event.Kind.CHANGED).facts
    assert facts["decided on"] == ["2026-02-12", "2026-02-11"]
    # The other case keeps what its own form states.
    assert repeat.ur_decision != decision
    assert repeat.ur_decision.claim_number_normal == repeat.claim_number_normal == "06221377"
    assert repeat.ur_decision.decided_on == date(2026, 2, 12)
    assert list(compare_claims_of_decisions(lambda: None)) == []
    # An application about the corrected decision is found as a repeat of this case.
    again = received_case(
        claim_number="06-2213-78", ur_decision=URDecisionOnForm(decided_on=date(2026, 2, 11))
    )
    assert again.duplicate_of == lead


@pytest.mark.capability("IN-4")
def test_a_correction_refused_for_a_duplicate_links_to_the_page_that_resolves_it(
    desk, client, pair, coordinator
):
    lead, repeat = pair
    sent = as_shown(desk, lead) | {"claim_number": "06-2213-78"}
    proposal = DuplicateProposal.objects.get(case=repeat, other=lead)

    page = desk.post(f"/cases/{lead.number}/correct/", sent)

    assert page.status_code == 422
    text = page.content.decode()
    assert f"{repeat.number} disputes the same UR decision" in text
    # A clerk cannot compare the cases; the page of related cases shows what waits.
    related = f"/cases/{repeat.number}/related/"
    assert f'href="{related}"' in text
    assert "06-2213-78" in text  # what was typed is kept
    assert desk.get(related).status_code == 200

    both = person(Role.INTAKE, Role.SUPERVISOR)
    client.force_login(both)
    text = client.post(f"/cases/{lead.number}/correct/", sent).content.decode()
    assert f'href="/cases/{repeat.number}/related/{proposal.pk}/"' in text
    assert client.get(f"/cases/{repeat.number}/related/{proposal.pk}/").status_code == 200


@pytest.mark.capability("IN-4")
def test_a_pair_that_only_the_correction_reveals_can_be_resolved_and_then_corrected(
    desk, clerk, coordinator
):
    lead = received_case(by=clerk, claim_number="06-2213-77")
    # Nothing but the corrected number is common to both.
    names = {"EMPLOYEE": "Iker Zubiri", "REQUESTING_PHYSICIAN": "Olga Petrov"}
    case = received_case(
        by=clerk,
        claim_number="99-0001",
        parties=party_rows(**names),
        date_of_injury=date(2020, 5, 6),
        items=[ItemOnForm("Acupuncture")],
    )
    assert not DuplicateProposal.objects.filter(case=case, other=lead).exists()
    sent = as_shown(desk, case) | {"claim_number": "06-2213-77"}

    assert desk.post(f"/cases/{case.number}/correct/", sent).status_code == 422
    assert desk.post(f"/cases/{case.number}/correct/", sent).status_code == 422

    assert DuplicateProposal.objects.filter(case=case, other=lead).count() == 1
    resolve((lead, case), "DIFFERENT", coordinator)
    assert desk.post(f"/cases/{case.number}/correct/", sent).status_code == 302
    case.refresh_from_db()
    assert case.ur_decision.claim_number_normal == "06221377"
    assert (case.ur_decision.running_number, lead.ur_decision.running_number) == (2, 1)
    assert case.ur_decision.different_because


@pytest.mark.capability("IN-4")
def test_a_correction_to_the_decision_of_an_ended_case_is_saved(desk, clerk, coordinator):
    ended = received_case(by=clerk, claim_number="06-2213-77")
    endings.withdraw_case(case_id=ended.pk, reason="A letter.", by=coordinator, at=MONDAY)
    case = received_case(by=clerk, claim_number="06-2213-78")
    sent = as_shown(desk, case) | {"claim_number": "06-2213-77"}

    assert desk.post(f"/cases/{case.number}/correct/", sent).status_code == 302

    case.refresh_from_db()
    assert (case.ur_decision.claim_number_normal, case.ur_decision.running_number) == (
        "06221377",
        2,
    )


@pytest.mark.capability("IN-4")
def test_a_refused_correction_does_not_name_a_restricted_case(desk, clerk):
    hidden = received_case(claim_number="06-2213-77")
    restrictions.restrict_case(
        case_id=hidden.pk,
        ground="OTHER",
        reason="A colleague’s case.",
        by=person(Role.DIRECTOR),
        at=MONDAY,
    )
    case = received_case(by=clerk, claim_number="06-2213-78")
    sent = as_shown(desk, case) | {"claim_number": "06-2213-77"}

    page = desk.post(f"/cases/{case.number}/correct/", sent)

    assert page.status_code == 422
    assert "A restricted case disputes the same UR decision" in page.content.decode()
    assert hidden.number not in page.content.decode()
    assert "Open the possible duplicate" not in page.content.decode()


def test_a_form_opened_before_another_correction_of_the_treatments_is_out_of_date(three, clerk):
    seen = three.version

    def correct(**titles):
        rows = {f"t{row.position}": row for row in three.items.order_by("position")}
        return corrections.correct_application(
            case_id=three.pk,
            values={},
            items={row.pk: ItemOnForm(titles.get(name, row.title)) for name, row in rows.items()},
            why="Typing error",
            seen_version=seen,
            by=clerk,
            at=MONDAY,
        )

    assert correct(t1="Corrected first") == ["treatment 1"]
    # Its other rows would put the old title of the first treatment back.
    with pytest.raises(Stale):
        correct(t2="Corrected second")
    assert three.items.get(position=1).title == "Corrected first"


def test_the_received_date_is_corrected_by_the_page(desk, clerk):
    case = received_case(by=clerk)
    address = f"/cases/{case.number}/correct/"
    refused = desk.post(
        address, {"received": "2/27/26", "received_time": "", "reason": "", "version": case.version}
    )
    assert refused.status_code == 422
    assert "Enter the reason for the correction." in refused.content.decode()
    stale = {"received": "2/27/26", "reason": "Stamp", "version": "99"}
    assert desk.post(address, stale).status_code == 409

    sent = {"received": "2/27/26", "reason": "The stamp", "version": str(case.version)}
    assert "Corrected: received date" in desk.post(address, sent, follow=True).content.decode()


def test_my_intakes_link_to_the_page_and_others_see_why_it_is_closed(desk, clerk, client):
    case = received_case(by=clerk)
    assert f"/cases/{case.number}/correct/" in desk.get("/intake/").content.decode()
    client.force_login(person(Role.INTAKE))
    page = client.get(f"/cases/{case.number}/correct/").content.decode()
    assert "Only the clerk who entered this application" in page


def test_a_corrected_claim_number_and_name_are_found_by_the_search_for_duplicates(desk, clerk):
    coordinator = person(Role.COORDINATOR)
    case = received_case(by=clerk, claim_number="06-2213-77")
    desk.post(
        f"/cases/{case.number}/correct/",
        as_shown(desk, case) | {"claim_number": "99-8877-66", "date_of_injury": "3/4/2023"},
    )
    employee = case.parties.get(role="EMPLOYEE")
    parties.change_party_details(
        case_id=case.pk, party_id=employee.pk, since=None, why="Misspelled.", by=coordinator,
        details=make_details(employee, name="Aurelia Zamorano"), at=MONDAY,
    )  # fmt: skip

    assert list(compare_search_keys(lambda: None)) == []
    keys = set(case.keys.values_list("key", flat=True))
    assert "c<9988" in keys
    assert "i20230304zamo" in keys


def test_a_correction_sent_twice_is_done_once(desk, clerk):
    case = received_case(by=clerk)
    sent = as_shown(desk, case) | {"diagnosis": "M54.2"}
    sent["item_title"] = [*sent["item_title"], "Norco"]
    for column in ("category", "quantity", "unit", "body_part"):
        sent[f"item_{column}"] = [*sent[f"item_{column}"], ""]
    sent["item_id"] = [*sent["item_id"], ""]
    address = f"/cases/{case.number}/correct/"

    pages = [desk.post(address, sent, follow=True).content.decode() for _ in range(2)]

    for page in pages:
        assert "Corrected: diagnosis, treatment 2." in page
    assert case.items.count() == 2
    assert case.events.filter(kind=Event.Kind.CHANGED).count() == 1
    other = desk.post(address, sent | {"diagnosis": "M99"})
    assert other.status_code == 409
    assert f'href="{address}">Open the current version' in other.content.decode()


# --- dates that cannot all be true ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"served_on": date(2026, 2, 11)}, "served_on"),
        ({"signed_on": date(2026, 2, 11)}, "signed_on"),
        ({"served_on": date(2026, 3, 3)}, "served_on"),
        ({"decided_on": date(2026, 2, 13)}, "served_on"),
    ],
)
def test_a_correction_that_makes_the_dates_impossible_is_refused(clerk, values, field):
    case = received_case(by=clerk, signed_on=date(2026, 2, 20))
    items = {row.pk: ItemOnForm(row.title) for row in case.items.all()}

    with pytest.raises(BadFact) as refused:
        corrections.correct_application(
            case_id=case.pk,
            values=values,
            items=items,
            why="Misread",
            seen_version=None,
            by=clerk,
            at=MONDAY,
        )

    assert refused.value.field == field
    assert not case.events.filter(kind=Event.Kind.CHANGED).exists()


def test_a_receipt_before_the_service_of_the_ur_decision_or_the_signature_is_refused(clerk):
    case = received_case(by=clerk, signed_on=date(2026, 2, 20))

    with pytest.raises(NotAllowed, match="The application was signed after this day"):
        correct_received(case, clerk, to=MONDAY - timedelta(days=14))
    with pytest.raises(NotAllowed, match="The UR decision is dated after this day"):
        correct_received(case, clerk, to=MONDAY - timedelta(days=24))


def test_the_page_of_corrections_names_an_impossible_date_beside_its_field(
    client, clerk, set_clock
):
    set_clock(MONDAY)
    case = received_case(by=clerk)
    client.force_login(clerk)
    url = f"/cases/{case.number}/correct/"
    form = client.get(url).context["keyed"]
    sent = {
        name: form[name].value() if form[name].value() is not None else "" for name in form.fields
    }
    sent |= {"version": case.version, "served_on": "2/11/26", "ur_decided": "2/12/26"}
    sent |= {"item_id": [row.pk for row in case.items.all()]}
    sent |= {"item_title": [row.title for row in case.items.all()]}

    answer = client.post(url, sent)

    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert '<a href="#id_served_on">UR decision served on: Served on Wed, Feb 11, 2026' in page
