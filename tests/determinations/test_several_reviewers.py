"""Several reviewers decide one case: each alone, and all of them before quality assurance."""

from datetime import date, timedelta

import pytest

from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event
from determinations import composition, policies
from determinations.models import DecidedItem, Review
from determinations.services import quality, writing
from reviewers.services import assignment as assignments
from reviewers.services import seats
from tests.determinations.factories import (
    REVIEWED,
    WHOLE,
    make_approved_case,
    make_issued_case,
    read_everything,
    reviewer_of,
    write_review,
)
from tests.factories import MONDAY, person
from tests.records.factories import add_record, case_with_records
from tests.reviewers.factories import fit_reviewer, rank_panel, sign_attestation

pytestmark = pytest.mark.django_db

OFFERED = MONDAY + timedelta(days=1)


def panel_of(size, **changes):
    """The assignments of a case in review with this many reviewers."""
    return list(case_with_reviewers(size, **changes).assignments.order_by("seat"))


@WHOLE
def case_with_reviewers(size, **changes):
    """A case in review with this many reviewers, by the Administrative Director's approval."""
    case = case_with_records(**changes)
    coordinator = person(Role.COORDINATOR)
    if size > 1:
        seats.approve_reviewer_seats(
            case_id=case.pk,
            seat_count=size,
            approved_by="R. Alvarado",
            approved_on=date(2026, 3, 2),
            reference="DWC 26-0114",
            reason="Two bodies of knowledge are needed",
            by=coordinator,
            at=OFFERED,
        )
    held = []
    for _ in range(size):
        reviewer = fit_reviewer()
        held.append(
            assignments.assign_reviewer(
                case_id=case.pk,
                reviewer_id=reviewer.pk,
                candidate_list_id=rank_panel(case, by=coordinator, at=OFFERED).pk,
                seen_version=None,
                override_code="OTHER",
                override_reason="Asked for in the test",
                by=coordinator,
                at=OFFERED,
            )
        )
    for one in held:
        sign_attestation(one, at=OFFERED + timedelta(hours=1))
    return Case.objects.get(pk=case.pk)


def submit_review(assignment, *, at=REVIEWED):
    return writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=at)


def case_of(held):
    return Case.objects.get(pk=held[0].case_id)


@pytest.mark.parametrize(
    ("votes", "outcome", "how"),
    [
        (("UPHELD",), "UPHELD", "ONE_REVIEWER"),
        (("UPHELD", "OVERTURNED"), "OVERTURNED", "EVEN_SPLIT"),
        (("UPHELD", "UPHELD", "OVERTURNED"), "UPHELD", "MAJORITY"),
        (("UPHELD", "OVERTURNED", "OVERTURNED", "UPHELD"), "OVERTURNED", "EVEN_SPLIT"),
        (("UPHELD", "OVERTURNED", "UPHELD", "OVERTURNED", "UPHELD"), "UPHELD", "MAJORITY"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_the_determination_follows_from_one_to_five_opinions(votes, outcome, how):
    held = panel_of(len(votes))
    for assignment, vote in zip(held, votes, strict=True):
        write_review(assignment, outcome=vote)
    made = [submit_review(assignment) for assignment in held]

    assert [one is None for one in made] == [True] * (len(votes) - 1) + [False]
    decided = DecidedItem.objects.get(determination=made[-1])
    assert (decided.outcome, decided.how) == (outcome, how)
    assert case_of(held).stage == Status.QA


def test_the_first_reviewer_to_submit_waits_and_cannot_change_the_review():
    one, two = held = panel_of(2)
    write_review(one)
    write_review(two)
    assert submit_review(one) is None

    case = case_of(held)
    assert case.stage == Status.IN_REVIEW
    assert policies.live_determination(case) is None
    one.refresh_from_db()
    assert "It waits for reviewer 2" in policies.why_not_write(reviewer_of(one), one)
    with pytest.raises(NotAllowed, match="waits for reviewer 2"):
        submit_review(one)
    event = case.events.filter(kind=Event.Kind.SUBMITTED).get()
    assert event.sentence == "Review submitted (submission 1). Waiting for reviewer 2."


def test_a_new_record_returns_the_first_review():
    one, two = held = panel_of(2)
    write_review(one)
    submit_review(one)
    later = REVIEWED + timedelta(hours=2)
    add_record(case_of(held), at=later, text="A new report", received_on=later.date())
    write_review(two, at=later + timedelta(hours=1))
    made = submit_review(two, at=later + timedelta(hours=2))

    assert made is None
    assert Review.objects.get(assignment=one).state == Review.State.RETURNED
    assert case_of(held).stage == Status.IN_REVIEW
    writing.open_review(assignment_id=one.pk, by=reviewer_of(one), at=later + timedelta(hours=3))
    read_everything(one, at=later + timedelta(hours=3))
    assert submit_review(one, at=later + timedelta(hours=4)) is not None


def test_quality_may_return_one_review_and_leave_the_other_as_it_is():
    one, two = held = panel_of(2)
    for assignment in held:
        write_review(assignment)
        submit_review(assignment)
    case = case_of(held)
    quality.return_review(
        case_id=case.pk, comment="Name the level.", item_id=None, seat=2, seen_version=None,
        by=person(Role.QA), at=REVIEWED,
    )  # fmt: skip

    states = [Review.objects.get(assignment=one).state for one in held]
    assert states == [Review.State.SUBMITTED, Review.State.RETURNED]
    assert policies.why_not_write(reviewer_of(two), two.__class__.objects.get(pk=two.pk)) == ""
    one.refresh_from_db()
    assert "waits for reviewer 2" in policies.why_not_write(reviewer_of(one), one)
    assert submit_review(two) is not None
    assert case_of(held).stage == Status.QA


def test_a_seat_that_is_not_there_gets_nothing_back():
    held = panel_of(1)
    write_review(held[0])
    submit_review(held[0])

    with pytest.raises(NotAllowed, match="Choose a reviewer"):
        quality.return_review(
            case_id=held[0].case_id, comment="Why?", item_id=None, seat=2, seen_version=None,
            by=person(Role.QA), at=REVIEWED,
        )  # fmt: skip


def test_the_letter_contains_each_different_analysis_and_no_names(client):
    held = panel_of(2)
    write_review(held[0], outcome="UPHELD", rationale="Nine days of relief are too few.")
    write_review(held[1], outcome="OVERTURNED", rationale="The record shows six weeks of relief.")
    for assignment in held:
        submit_review(assignment)
    case = make_issued_case(make_approved_case(case_of(held)))

    words = str(policies.live_determination(case).letter.words)
    assert "Nine days of relief" in words
    assert "six weeks of relief" in words
    assert "Reviewer 1" in words
    assert "Reviewer 2" in words
    for assignment in held:
        assert assignment.reviewer.last_name not in words
    determination = policies.live_determination(case)
    assert determination.outcome == "Overturn"
    assert determination.credential_statements.count() == 2


@pytest.mark.parametrize("layout", ["determination-today", "determination-2014"])
def test_the_letter_speaks_of_several_reviewers_and_says_who_prevails(layout):
    held = panel_of(2)
    for assignment, vote in zip(held, ("UPHELD", "OVERTURNED"), strict=True):
        write_review(assignment, outcome=vote)

    made = composition.compose_determination(case_of(held), at=REVIEWED, layout=layout).document

    opening, first, second, closing = made.how_made
    assert "sent the complete case file to each expert reviewer" in opening
    assert first.startswith("Reviewer 1 is a medical doctor")
    assert second.startswith("Reviewer 2 is a medical doctor")
    assert closing.startswith("Each reviewer has been in active clinical practice")
    assert made.items[0].outcome == "Overturned"
    assert "If they are evenly divided, the item is Overturned." in made.decisions_lead_in


def test_the_letter_of_one_reviewer_names_no_number():
    held = panel_of(1)
    write_review(held[0])

    made = composition.compose_determination(case_of(held), at=REVIEWED).document

    assert "Reviewer 1" not in str(made)
    assert "an expert reviewer" in made.how_made[0]


def test_the_letter_ends_with_the_appeal_and_whom_to_call(settings):
    held = panel_of(1)
    write_review(held[0])

    made = composition.compose_determination(case_of(held), at=REVIEWED).document

    closing = " ".join(made.closing)
    # The form, the place, and the way to count, with the days of the rules of that day.
    for words in (
        "“Petition Appealing Administrative Director’s Independent Medical Review Determination”",
        "with the Workers’ Compensation Appeals Board",
        "within 30 days after the date this determination was served on you, plus 5 days",
        "10 days at an address in another state, or 20 days",
        "authorize it within 5 business days",
        "reimbursed within 20 days",
    ):
        assert words in closing
    assert settings.IMRO_PHONE in closing


def test_a_reviewer_previews_only_their_own_text(client):
    held = panel_of(2)
    write_review(held[0], rationale="Nine days of relief are too few.")
    write_review(held[1], rationale="The record shows six weeks of relief.")
    mine = composition.compose_determination(case_of(held), at=REVIEWED, only_seat=1)

    words = str(mine.document)
    assert "Nine days of relief" in words
    assert "six weeks of relief" not in words
    client.force_login(User.objects.get(pk=reviewer_of(held[0]).pk))
    page = client.get(f"/reviews/{held[0].pk}/")
    assert "six weeks of relief" not in page.content.decode()


def test_the_page_of_quality_returns_one_seat(client):
    held = panel_of(2)
    for assignment in held:
        write_review(assignment)
        submit_review(assignment)
    case = case_of(held)
    client.force_login(person(Role.QA))

    page = client.get(f"/cases/{case.number}/quality/")
    assert "Return to" in page.content.decode()
    client.post(
        f"/cases/{case.number}/quality/return/",
        {"comment": "Name the level.", "seat": "1", "version": case.version},
    )
    assert Review.objects.get(assignment=held[0]).state == Review.State.RETURNED
    assert Review.objects.get(assignment=held[1]).state == Review.State.SUBMITTED
