"""Commitments and holds whose day has come: on My day and in Work next, one's own first."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.hold_reasons import HOLD_REASONS
from cases.models import Hold, PartyRole
from cases.services import commitments, endings, holds, restrictions
from deadlines.days import local_day
from queues.services import claims
from tests.factories import MONDAY, noticed_case, person, received_case

pytestmark = pytest.mark.django_db

TODAY = local_day(MONDAY)
DAY = timedelta(days=1)
THURSDAY = MONDAY + 3 * DAY


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Clerk")


@pytest.fixture
def ben(db):
    return person(Role.COORDINATOR, name="Ben Clerk")


def promise(case, by, *, due_on, description="Call back about the records"):
    return commitments.add_commitment(
        case_id=case.pk,
        party_id=case.parties.get(role=PartyRole.EMPLOYEE).pk,
        description=description,
        due_on=due_on,
        informed_on=TODAY,
        letter_reference="Letter of March 2",
        why="The worker asked.",
        by=by,
        at=MONDAY,
    )


def hold_until(case, by, day):
    """A hold that only a person can end, with this planned end."""
    reason = next(code for code, reason in HOLD_REASONS.items() if reason.needs_an_end)
    fields = {"round": 1, "reason": reason, "starts_on": TODAY, "planned_end": day}
    return Hold(case=case, begun_at=MONDAY, begun_by=by, **fields).store(by=by, at=MONDAY)


def shown_on_my_day(client, who, set_clock, at):
    set_clock(at)
    client.force_login(who)
    answer = client.get("/")
    return answer, [(one.case_id, one.is_own) for one in answer.context["passed_days"]]


@pytest.mark.capability("CK-8")
def test_my_day_shows_passed_commitments_and_holds_with_ones_own_first(client, ada, ben, set_clock):
    of_ben, of_ada, held, later = (received_case() for _ in range(4))
    promise(of_ben, ben, due_on=TODAY + DAY)
    promise(of_ada, ada, due_on=TODAY + 2 * DAY)
    hold_until(held, ada, TODAY + 3 * DAY)
    promise(later, ada, due_on=TODAY + 9 * DAY)

    answer, shown = shown_on_my_day(client, ada, set_clock, THURSDAY)

    assert shown == [(of_ada.pk, True), (held.pk, True), (of_ben.pk, False)]
    page = answer.content.decode()
    assert "Promised to Marisol Quintanar: Call back about the records." in page
    assert "1 day overdue" in page
    assert "Planned end of the hold: " in page
    assert shown_on_my_day(client, person(Role.QA), set_clock, THURSDAY)[1] == []


@pytest.mark.capability("CK-8")
def test_a_commitment_is_shown_from_the_day_before_until_it_is_kept(client, ada, set_clock):
    case = received_case()
    commitment = promise(case, ada, due_on=TODAY + 4 * DAY)

    assert shown_on_my_day(client, ada, set_clock, MONDAY + 2 * DAY)[1] == []
    assert shown_on_my_day(client, ada, set_clock, THURSDAY)[1] == [(case.pk, True)]
    commitments.keep_commitment(
        commitment_id=commitment.pk, kept_on=TODAY + 3 * DAY, by=ada, at=THURSDAY
    )
    assert shown_on_my_day(client, ada, set_clock, THURSDAY)[1] == []


@pytest.mark.capability("CK-8")
def test_moved_hidden_and_closed_commitments_are_not_shown(client, ada, ben, set_clock):
    moved, hidden, closed = (received_case() for _ in range(3))
    first = promise(moved, ada, due_on=TODAY + DAY)
    for case in (hidden, closed):
        promise(case, ada, due_on=TODAY + DAY)
    commitments.move_commitment(
        commitment_id=first.pk,
        due_on=TODAY + 9 * DAY,
        informed_on=TODAY,
        letter_reference="Call of March 2",
        why="The records are late.",
        by=ada,
        at=MONDAY,
    )
    restrictions.restrict_case(
        case_id=hidden.pk,
        ground="PUBLIC",
        reason="A known person.",
        cleared=[ben.pk],
        by=person(Role.DIRECTOR),
        at=MONDAY,
    )
    endings.withdraw_case(case_id=closed.pk, reason="A letter.", by=ada, at=MONDAY)
    closed.refresh_from_db()
    endings.close_case(case_id=closed.pk, reason="Ended.", by=ada, at=MONDAY)

    assert shown_on_my_day(client, ada, set_clock, THURSDAY)[1] == []


@pytest.mark.capability("CK-8")
def test_work_next_takes_passed_commitments_first_also_of_cases_on_hold(ada, ben):
    sooner, of_ben, on_hold = received_case(), received_case(), noticed_case()
    sooner.due_on = TODAY
    sooner.store(by=None, at=MONDAY, fields=["due_on"])
    promise(of_ben, ben, due_on=TODAY + DAY)
    promise(on_hold, ada, due_on=TODAY + 3 * DAY)
    holds.begin_hold(
        case_id=on_hold.pk,
        reason="PARTY_ASKED",
        starts_on=TODAY,
        planned_end=TODAY + 9 * DAY,
        by=ada,
        at=MONDAY + DAY / 2,
    )

    before = claims.preview_next_case(user=ada, at=MONDAY + DAY / 2)
    assert before == sooner
    taken = [claims.claim_next_case(by=ada, at=THURSDAY) for _ in range(3)]

    assert [claim.case for claim in taken] == [on_hold, of_ben, sooner]
    assert taken[0].why.startswith("Due Thu, Mar 5, 2026. Promised to Marisol Quintanar: Call back")
    assert claims.claim_next_case(by=ada, at=THURSDAY) is None


@pytest.mark.capability("CK-8")
def test_a_long_commitment_is_shortened_in_the_reason_and_listed_on_the_preview(
    client, ada, set_clock
):
    case = received_case()
    promise(case, ada, due_on=TODAY, description="x" * 200)
    set_clock(MONDAY)
    client.force_login(ada)

    page = client.get(reverse("desk:work_next", args=["eligibility"])).content.decode()

    assert "Commitments and holds" in page
    assert reverse("cases:end_hold", args=[case.number, 1]) not in page
    assert len(claims.claim_next_case(by=ada, at=MONDAY).why) == 200
