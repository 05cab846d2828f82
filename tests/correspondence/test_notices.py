"""Notices of assignment: one for each recipient, in words by the channel, then marked as sent."""

import html
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse

import letters.services
from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event, PartyRole, Priority
from cases.services import endings
from correspondence.services import notices
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from letters.models import Letter, Service
from tests.factories import BY_EMAIL, MONDAY, eligible_case, parties, person, received_case
from tests.letters.factories import file_all_letters, publish_sample_wording

pytestmark = pytest.mark.django_db

MADE = MONDAY + timedelta(hours=2)
FILED = MONDAY + timedelta(hours=3)
SENT = MONDAY + timedelta(hours=4)
TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def coordinator(module_db):
    publish_sample_wording()
    return person(Role.COORDINATOR)


def make_parties_with_channels(**by_role):
    """The usual parties, some of whom want their letters another way."""
    return [
        replace(
            party,
            **BY_EMAIL | {"preferred_channel": by_role.get(party.role.value, "MAIL")},
            fax="916-555-0100",
        )
        for party in parties()
    ]


def make_notices(case, by, at=MADE):
    return notices.make_notices(case_id=case.pk, by=by, at=at)


def mark_notices_sent(case, by, sent_on=TODAY, at=SENT):
    return notices.mark_notices_sent(case_id=case.pk, sent_on=sent_on, by=by, at=at)


def letters_of(case):
    return Letter.objects.filter(reference=case.number)


def services_of(case):
    return list(Service.objects.filter(letter__reference=case.number))


def read_deadline_text(notice):
    return " ".join(notice.letter.words["deadline"])


def test_each_party_that_the_law_names_gets_a_notice_of_its_own(coordinator):
    case = eligible_case()

    made = make_notices(case, coordinator)

    assert [notice.party.role for notice in made] == [
        PartyRole.CLAIMS_ADMINISTRATOR,
        PartyRole.EMPLOYEE,
        PartyRole.EMPLOYEE_ATTORNEY,
        PartyRole.REQUESTING_PHYSICIAN,
    ]
    for notice in made:
        assert notice.letter.words["recipient"]["name"] == notice.party.name
        assert notice.service.recipient_name == notice.party.name
        assert notice.service.address == notice.party.address
        assert notice.letter.state == Letter.State.QUEUED
    event = case.events.latest("pk")
    assert (event.kind, event.sentence) == (
        Event.Kind.NOTICES_MADE,
        "4 notices of assignment (NOARFI) made.",
    )
    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE  # made is not sent


def test_the_days_follow_from_each_recipients_channel(coordinator):
    case = eligible_case(
        parties=make_parties_with_channels(CLAIMS_ADMINISTRATOR="ELECTRONIC", EMPLOYEE="FAX")
    )

    by_role = {notice.party.role: notice for notice in make_notices(case, coordinator)}

    wire = by_role["CLAIMS_ADMINISTRATOR"], by_role["EMPLOYEE"]
    mail = by_role["EMPLOYEE_ATTORNEY"], by_role["REQUESTING_PHYSICIAN"]
    assert all(
        "12" in read_deadline_text(notice) and "15" not in read_deadline_text(notice)
        for notice in wire
    )
    assert all(
        "15" in read_deadline_text(notice) and "12" not in read_deadline_text(notice)
        for notice in mail
    )
    assert [notice.service.method for notice in wire] == ["ELECTRONIC", "FAX"]
    assert [notice.service.address for notice in wire] == ["claims@example.org", "916-555-0100"]


def test_an_expedited_case_asks_for_the_records_within_a_day(coordinator):
    case = eligible_case(priority=Priority.EXPEDITED)

    for notice in make_notices(case, coordinator):
        assert "24 hours" in read_deadline_text(notice)
        assert "15" not in read_deadline_text(notice)


def test_a_withdrawn_treatment_is_not_in_the_notice(coordinator):
    case = eligible_case(items=[ItemOnForm("Brace"), ItemOnForm("Norco")])
    endings.terminate_items(
        case_id=case.pk,
        item_ids=[case.items.get(position=1).pk],
        reason="A letter says so.",
        by=coordinator,
        at=MADE,
    )

    assert make_notices(case, coordinator)[0].letter.words["treatments"] == ["Norco"]


def test_making_the_notices_twice_is_refused_and_adds_no_letter(coordinator):
    case = eligible_case()
    make_notices(case, coordinator)

    with pytest.raises(NotAllowed, match="The notices of assignment already exist"):
        make_notices(case, coordinator)

    assert letters_of(case).count() == 4


@pytest.mark.parametrize("role", ["CLAIMS_ADMINISTRATOR", "REQUESTING_PHYSICIAN"])
def test_no_notice_is_made_without_a_recipient_that_the_law_names(coordinator, role):
    case = eligible_case(parties=parties(**{role: ""}))

    with pytest.raises(NotAllowed, match="The case has no"):
        make_notices(case, coordinator)

    assert not letters_of(case).exists()
    assert not case.notices.exists()


def test_a_fact_that_the_notice_states_is_named_when_it_is_missing(coordinator):
    case = eligible_case(ur_decision=URDecisionOnForm(decided_on=None))

    with pytest.raises(letters.services.LetterRefused, match="date of the utilization review"):
        make_notices(case, coordinator)

    assert not letters_of(case).exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR}))
def test_other_roles_cannot_make_notices(coordinator, role):
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        make_notices(eligible_case(), person(role))


def test_a_case_that_is_not_eligible_gets_no_notice(coordinator):
    with pytest.raises(NotAllowed, match="is in the “Screening” stage"):
        make_notices(received_case(), coordinator)


# --- Marked as sent -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filed_case(coordinator):
    """A case whose notices are filed and lie in the tray."""
    case = eligible_case()
    make_notices(case, coordinator)
    file_all_letters(at=FILED)
    return case


@pytest.fixture
def made(filed_case):
    return Case.objects.get(pk=filed_case.pk)


def test_marking_as_sent_moves_the_case_and_starts_the_records_deadline(coordinator, made):
    case = mark_notices_sent(made, coordinator)

    assert (case.stage, case.assigned_on) == (Status.NOTICE_SENT, TODAY)
    assert set(case.notices.values_list("sent_on", flat=True)) == {TODAY}
    for service in services_of(case):
        assert (service.state, service.served_on, service.served_by) == (
            "SERVED",
            TODAY,
            coordinator,
        )
    assert case.deadlines.get(deadline_kind="noarfi").met_at == SENT
    records = case.deadlines.get(deadline_kind="records")
    assert records.given == {"noarfi": "2026-03-02", "method": "mail_ca"}
    assert records.due_on == date(2026, 3, 17)  # 15 days after
    assert [step for step in records.steps if "15" in step["sentence"]]
    assert (case.due_on, case.due_deadline_kind) == (records.due_on, "records")
    event = case.events.latest("pk")
    assert (event.kind, event.by) == (Event.Kind.NOTICES_SENT, coordinator)


def test_records_requested_electronically_are_due_in_twelve_days(coordinator):
    case = eligible_case(parties=make_parties_with_channels(CLAIMS_ADMINISTRATOR="FAX"))
    make_notices(case, coordinator)
    file_all_letters(at=FILED)

    mark_notices_sent(case, coordinator)

    assert case.deadlines.get(deadline_kind="records").due_on == date(
        2026, 3, 16
    )  # the 14th is Saturday


def test_the_case_page_shows_how_the_date_was_counted(client, coordinator, made):
    mark_notices_sent(made, coordinator)
    client.force_login(coordinator)

    page = html.unescape(client.get(made.get_absolute_url()).content.decode())

    assert "How this is counted" in page
    for step in made.deadlines.get(deadline_kind="records").steps:
        assert step["sentence"] in page


def test_notices_cannot_be_marked_before_their_letters_are_ready(coordinator):
    case = eligible_case()
    make_notices(case, coordinator)

    with pytest.raises(NotAllowed, match="not ready yet"):
        mark_notices_sent(case, coordinator)

    case.refresh_from_db()
    assert case.stage == Status.ELIGIBLE
    assert {service.state for service in services_of(case)} == {"PREPARED"}
    assert not case.deadlines.filter(deadline_kind="records").exists()


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (TODAY + timedelta(days=1), "in the future"),
        (TODAY - timedelta(days=1), "before the case was found eligible"),
    ],
)
def test_an_impossible_date_is_refused_and_nothing_is_marked(coordinator, made, day, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        mark_notices_sent(made, coordinator, sent_on=day)

    assert {service.state for service in services_of(made)} == {"PREPARED"}


def test_a_day_before_the_letters_date_is_refused(coordinator):
    case = eligible_case()
    make_notices(case, coordinator, at=MADE + timedelta(days=2))
    file_all_letters(at=FILED + timedelta(days=2))

    with pytest.raises(NotAllowed, match="dated 03/04/2026"):
        mark_notices_sent(case, coordinator, sent_on=date(2026, 3, 3), at=SENT + timedelta(days=2))


def test_marking_twice_is_refused(coordinator, made):
    mark_notices_sent(made, coordinator)

    with pytest.raises(NotAllowed, match="is in the “Awaiting records” stage"):
        mark_notices_sent(made, coordinator)

    assert made.events.filter(kind=Event.Kind.NOTICES_SENT).count() == 1


def test_there_is_nothing_to_mark_before_the_notices_are_made(coordinator):
    with pytest.raises(NotAllowed, match="There are no notices yet"):
        mark_notices_sent(eligible_case(), coordinator)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COORDINATOR, Role.MAILROOM}))
def test_other_roles_cannot_mark_notices_as_sent(role):
    with pytest.raises(NotAllowed, match="Your role does not let you"):
        mark_notices_sent(eligible_case(), person(role))


# --- The page -------------------------------------------------------------------------------------


def test_the_page_takes_a_case_from_eligible_to_awaiting_records(client, coordinator, set_clock):
    case = eligible_case()
    page = reverse("correspondence:notices", args=[case.number])

    set_clock(MADE)
    client.force_login(coordinator)
    assert "Pacific Comp Claims" in client.get(page).content.decode()
    assert client.post(reverse("correspondence:make_notices", args=[case.number])).url == page
    again = client.post(reverse("correspondence:make_notices", args=[case.number]))
    assert again.status_code == 422
    assert "The notices of assignment already exist" in again.content.decode()

    to_send = reverse("correspondence:mark_notices_sent", args=[case.number])
    early = client.post(to_send, {"sent_on": "t"})
    assert early.status_code == 422
    assert "not ready yet" in early.content.decode()
    file_all_letters(at=MADE)
    for keyed, sentence in (("3/3/26", "in the future"), ("3/1/26", "before the case"), ("x", "x")):
        answer = client.post(to_send, {"sent_on": keyed})
        assert answer.status_code == 422
        assert sentence in html.unescape(answer.content.decode())
        assert f'value="{keyed}"' in answer.content.decode()

    assert client.post(to_send, {"sent_on": "t"}).url == case.get_absolute_url()
    case.refresh_from_db()
    assert case.stage == Status.NOTICE_SENT
    assert client.post(to_send, {"sent_on": "t"}).status_code == 422
