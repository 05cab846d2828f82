"""Taking cases out of the lists: one person a case, the most pressing first, and no one starves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.refusals import NotAllowed, TakenByAnother
from accounts.roles import Role
from cases.models import Case
from cases.services import endings, restrictions
from eligibility.services import screening
from queues.models import CaseSkip, StageDuration, WorkClaim
from queues.services import claims
from queues.services.claims import LEASE
from tests.factories import MONDAY, SIX_YES, eligible_case, noticed_case, person, received_case

pytestmark = pytest.mark.every_database

HOUR = timedelta(hours=1)


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Clerk")


@pytest.fixture
def ben(db):
    return person(Role.COORDINATOR, name="Ben Clerk")


def set_due_date(case, day):
    case.due_on = day
    case.store(by=None, at=MONDAY, fields=["due_on"])
    return case


def claim_next(who, *, at=MONDAY, queue="eligibility"):
    found = claims.claim_next_case(queue=queue, by=who, at=at)
    return found and found.case


def decide_eligibility(case, *, by, at):
    screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES, notes={}, seen_version=None, by=by, at=at
    )


def test_work_next_gives_each_person_another_case_most_urgent_first(ada, ben):
    later, sooner = received_case(), received_case()
    set_due_date(later, date(2026, 3, 9)), set_due_date(sooner, date(2026, 3, 4))

    assert (claim_next(ada), claim_next(ben)) == (sooner, later)
    assert claim_next(person(Role.COORDINATOR)) is None


def test_work_next_explains_its_choice(ada):
    case = set_due_date(received_case(), date(2026, 3, 3))
    StageDuration.objects.create(measured_at=MONDAY, status="SCREENING", median_days=2, cases=9)

    taken = claims.claim_next_case(queue="eligibility", by=ada, at=MONDAY)

    assert taken.case == case
    assert taken.why == "Due tomorrow; 2 days of work usually remain; unassigned."


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (-2, "Overdue by 2 days;"),
        (0, "Due today;"),
        (1, "Due tomorrow;"),
        (4, "Due Fri, Mar 6, in 4"),
    ],
)
def test_the_reason_shows_how_close_the_due_date_is(ada, days, sentence):
    set_due_date(received_case(), date(2026, 3, 2) + timedelta(days=days))

    assert claims.claim_next_case(by=ada, at=MONDAY).why.startswith(sentence)


def test_cases_are_ordered_by_time_to_spare_and_not_by_due_date_alone(ada):
    quick, slow = (
        set_due_date(noticed_case(), date(2026, 3, 10)),
        set_due_date(eligible_case(), date(2026, 3, 12)),
    )
    StageDuration.objects.create(measured_at=MONDAY, status="NOTICE_SENT", median_days=1, cases=9)
    StageDuration.objects.create(measured_at=MONDAY, status="ELIGIBLE", median_days=8, cases=9)

    assert claim_next(ada, queue="", at=MONDAY + 5 * HOUR) == slow
    assert quick.due_on < slow.due_on


@pytest.mark.capability("AD-2")
def test_work_next_passes_over_the_case_that_the_person_already_has(ada, ben):
    first, second = received_case(), received_case()
    assert claim_next(ada) == first

    assert claims.preview_next_case(user=ada, queue="eligibility", at=MONDAY + HOUR) == second
    assert claim_next(ada, at=MONDAY + HOUR) == second
    assert claim_next(ada, at=MONDAY + HOUR) is None
    assert claims.list_own_claims(user=ada, at=MONDAY + HOUR).count() == 2


@pytest.mark.capability("AD-2")
def test_work_next_takes_dated_cases_first_and_expedited_ones_first_within_a_day(ada):
    undated, regular, expedited, sooner = (received_case() for _ in range(4))
    endings.withdraw_case(case_id=undated.pk, reason="A letter.", by=ada, at=MONDAY)
    undated.refresh_from_db()
    assert undated.due_on < date(2026, 3, 4)
    set_due_date(regular, date(2026, 3, 9)), set_due_date(sooner, date(2026, 3, 4))
    expedited.priority = "EXPEDITED"
    expedited.store(by=None, at=MONDAY, fields=["priority"])
    set_due_date(expedited, date(2026, 3, 9))

    taken = [claims.claim_next_case(by=ada, at=MONDAY) for _ in range(4)]

    assert [claim.case for claim in taken] == [sooner, expedited, regular, undated]
    assert taken[-1].why.startswith("No due date; waiting since Mon, Mar 2;")
    assert claims.claim_next_case(by=ada, at=MONDAY) is None


# --- Skipping -------------------------------------------------------------------------------------


@pytest.mark.capability("AD-2")
def test_a_skipped_case_comes_last_for_the_person_and_a_supervisor_sees_the_reason(ada, ben):
    case, other = received_case(), received_case()
    assert claim_next(ada) == case

    skip = claims.skip_case(case_id=case.pk, reason="Waits for a call.", by=ada, at=MONDAY + HOUR)

    assert claims.preview_next_case(user=ada, queue="eligibility", at=MONDAY + HOUR) == other
    assert claim_next(ben, at=MONDAY + HOUR) == case
    claims.release_case(case_id=case.pk, by=ben, at=MONDAY + HOUR)
    assert [claim_next(ada, at=MONDAY + HOUR), claim_next(ada, at=MONDAY + HOUR)] == [other, case]
    assert skip.history.get().history_user == ada
    (listed,) = claims.list_skips(reader=person(Role.SUPERVISOR), limit=9)
    assert (listed.case, listed.by, listed.reason) == (case, ada, "Waits for a call.")

    # Once it has moved on, the skip says nothing about the work that waits.
    decide_eligibility(case, by=ben, at=MONDAY + HOUR)
    assert claims.list_skips(reader=person(Role.SUPERVISOR), limit=9) == []


@pytest.mark.capability("AD-2")
def test_a_case_is_skipped_with_a_reason_and_not_under_a_colleague(ada, ben):
    case = received_case()
    with pytest.raises(NotAllowed, match="Enter why you skip the case"):
        claims.skip_case(case_id=case.pk, reason=" ", by=ada, at=MONDAY)
    with pytest.raises(NotAllowed, match="waiting for the coordinator"):
        claims.skip_case(case_id=case.pk, reason="No.", by=person(Role.QA), at=MONDAY)
    claims.claim_case(case_id=case.pk, by=ben, at=MONDAY)
    with pytest.raises(TakenByAnother, match="Ben Clerk has had this"):
        claims.skip_case(case_id=case.pk, reason="No.", by=ada, at=MONDAY)
    assert not CaseSkip.objects.exists()


@pytest.mark.capability("AD-2")
def test_a_case_is_skipped_from_its_page_and_the_next_one_is_shown(client, ada, set_clock):
    set_clock(MONDAY)
    case, other = received_case(), received_case()
    client.force_login(ada)
    client.post(reverse("queues:claim_next"), {"queue": "eligibility"})
    address = reverse("queues:skip", args=[case.number])
    assert f'href="{address}"' in client.get(case.get_absolute_url()).content.decode()
    assert f'href="{address}"' in client.get("/").content.decode()

    refused = client.post(address, {"reason": ""})
    done = client.post(address, {"reason": "Waits for a call."}, follow=True)

    assert refused.status_code == 422
    assert done.redirect_chain[-1][0] == reverse("desk:work_next", args=["eligibility"])
    assert done.context["case"] == other
    assert not WorkClaim.objects.live(at=MONDAY).exists()
    assert f'href="{address}"' not in client.get(case.get_absolute_url()).content.decode()
    client.force_login(person(Role.SUPERVISOR))
    page = client.get(reverse("queues:skipped")).content.decode()
    assert case.number in page
    assert "Waits for a call." in page
    assert "Ada Clerk" in page


@pytest.mark.capability("AD-2")
def test_skips_are_paged_and_leave_hidden_cases_out(client, ada, monkeypatch):
    monkeypatch.setattr("queues.views.claims.SKIPS_SHOWN", 1)
    first, second, hidden = (received_case() for _ in range(3))
    for case in (first, second, hidden):
        claims.skip_case(case_id=case.pk, reason="Later.", by=ada, at=MONDAY)
    restrictions.restrict_case(
        case_id=hidden.pk, ground="OTHER", reason="R.", by=person(Role.DIRECTOR), at=MONDAY
    )
    client.force_login(person(Role.SUPERVISOR))

    page = client.get(reverse("queues:skipped"))
    older = client.get(reverse("queues:skipped"), {"before": page.context["older"]})

    assert [skip.case for skip in page.context["skips"]] == [second]
    assert [skip.case for skip in older.context["skips"]] == [first]


def test_a_claim_ends_when_the_case_leaves_its_list(ada, ben):
    case, other = received_case(), received_case()
    assert claim_next(ada) == case
    decide_eligibility(case, by=ada, at=MONDAY)

    assert claim_next(ada, at=MONDAY + HOUR) == other
    assert claim_next(ben, queue="notices", at=MONDAY + HOUR) == case


def test_a_released_case_goes_to_others_first_and_then_to_the_same_person(ada, ben):
    case, other = received_case(), received_case()
    assert claim_next(ada) == case
    claims.release_case(case_id=case.pk, by=ada, at=MONDAY + HOUR)

    assert claim_next(ada, at=MONDAY + HOUR) == other
    assert claim_next(ben, at=MONDAY + HOUR) == case
    claims.release_case(case_id=case.pk, by=ben, at=MONDAY + HOUR)
    claims.release_case(case_id=other.pk, by=ada, at=MONDAY + HOUR)
    assert claim_next(ada, at=MONDAY + HOUR) == case, (
        "what I gave back is still better than nothing"
    )


@pytest.mark.capability("defect 18")
def test_an_absent_clerk_blocks_no_case_and_cases_due_the_same_day_are_all_reached(ada, ben):
    """Ada takes a case and goes home; twelve cases fall due on one day; Ben works on alone."""
    tied = [set_due_date(received_case(), date(2026, 3, 6)) for _ in range(12)]
    assert claim_next(ada) == tied[0]
    now, done = MONDAY, []

    while case := claim_next(ben, at=now):
        decide_eligibility(case, by=ben, at=now)
        done.append(case)
        now += timedelta(minutes=30)

    assert done == tied[1:9] + [tied[0]] + tied[9:], "after the lease the first one comes first"
    assert now < MONDAY + timedelta(days=1)
    assert not Case.objects.filter(status="SCREENING").exists()


@pytest.mark.capability("defect 17")
def test_every_open_case_can_be_claimed_by_someone_or_waits_for_its_reviewer(ada):
    people = [person(role) for role in Role]
    reach = {stage for one in people for stage in claims.stages_for(user=one)}

    from cases.lifecycle import NEXT_ROLE, Status, is_open

    left = {stage for stage in Status if is_open(stage)} - reach
    assert {NEXT_ROLE[stage] for stage in left} <= {"REVIEWER"}


def test_a_case_is_claimed_and_released(ada, ben):
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY + timedelta(minutes=42))

    with pytest.raises(TakenByAnother, match=r"Ada Clerk has had this since 9:42 AM PT\."):
        claims.claim_case(case_id=case.pk, by=ben, at=MONDAY + HOUR)
    with pytest.raises(NotAllowed, match="is not assigned to you"):
        claims.release_case(case_id=case.pk, by=ben, at=MONDAY + HOUR)
    claims.release_case(case_id=case.pk, by=ada, at=MONDAY + HOUR)
    assert claims.claim_case(case_id=case.pk, by=ben, at=MONDAY + HOUR).by == ben


def test_an_expired_claim_is_closed_by_the_next_one(ada, ben):
    case = received_case()
    first = claims.claim_case(case_id=case.pk, by=ada, at=MONDAY)

    claims.claim_case(case_id=case.pk, by=ben, at=MONDAY + LEASE)

    first.refresh_from_db()
    assert first.released_at == first.until == MONDAY + LEASE
    assert list(WorkClaim.objects.live(at=MONDAY + LEASE).values_list("by", flat=True)) == [ben.pk]


@pytest.mark.parametrize("role", [Role.QA, Role.INTAKE, Role.AUDITOR, Role.REVIEWER])
def test_only_the_role_that_acts_next_can_claim_a_case(ada, role):
    case, other = received_case(), person(role)

    with pytest.raises(NotAllowed, match=r"waiting for the coordinator|may not work on cases"):
        claims.claim_case(case_id=case.pk, by=other, at=MONDAY)
    assert claims.claim_next_case(by=other, at=MONDAY) is None


def test_a_claim_does_not_stop_others_from_acting_on_the_case(ada, ben):
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY)

    decide_eligibility(case, by=ben, at=MONDAY + HOUR)

    assert Case.objects.get(pk=case.pk).status == "ELIGIBLE"


def test_the_database_allows_one_open_claim_for_each_case(ada, ben):
    case = received_case()
    claims.claim_case(case_id=case.pk, by=ada, at=MONDAY)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkClaim.objects.create(
            case=case, by=ben, queue="eligibility", claimed_at=MONDAY, until=MONDAY + LEASE
        )


# --- The pages ------------------------------------------------------------------------------------


def test_the_button_claims_the_case_opens_it_and_shows_the_reason(client, ada, set_clock):
    set_clock(MONDAY)
    case = received_case()
    client.force_login(ada)

    assert client.get(reverse("queues:claim_next")).status_code == 405
    answer = client.post(reverse("queues:claim_next"), {"queue": "eligibility"}, follow=True)

    assert answer.redirect_chain[-1][0] == case.get_absolute_url()
    assert f"{case.number} is assigned to you. Due " in answer.content.decode()
    given = client.post(
        reverse("queues:release", args=[case.number]),
        {"back": "/queues/eligibility/?priority=REGULAR"},
        follow=True,
    )
    assert given.redirect_chain[-1][0] == "/queues/eligibility/?priority=REGULAR"
    assert f"{case.number} is unassigned." in given.content.decode()


def test_the_button_reports_that_no_case_is_left(client, ada):
    client.force_login(ada)

    answer = client.post(reverse("queues:claim_next"), {"queue": "eligibility"}, follow=True)

    assert "No other case is left to take" in answer.content.decode()
    assert client.post(reverse("queues:claim_next"), {"queue": "nonsense"}).status_code == 404


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:x", "\\\\x"]
)
def test_the_return_address_must_be_one_of_our_pages(client, ada, back):
    case = received_case()
    client.force_login(ada)

    answer = client.post(reverse("queues:claim", args=[case.number]), {"back": back})

    assert answer.url == case.get_absolute_url()


def test_a_refused_claim_shows_the_reason_and_a_link_back(client, ada, ben):
    case = received_case()
    client.force_login(ada)

    unheld = client.post(reverse("queues:release", args=[case.number]), {"back": "/queues/mail/"})
    claims.claim_case(case_id=case.pk, by=ben, at=timezone.now())
    taken = client.post(reverse("queues:claim", args=[case.number]), {"back": "/queues/mail/"})

    assert (unheld.status_code, taken.status_code) == (422, 409)
    assert "is not assigned to you" in unheld.content.decode()
    assert "Ben Clerk has had this since" in taken.content.decode()
    for page in (unheld, taken):
        assert 'href="/queues/mail/"' in page.content.decode()


def test_the_name_of_a_reviewer_is_hidden_from_roles_that_may_not_know_it(ada):
    case = received_case()
    both = person(Role.COORDINATOR, Role.REVIEWER, name="Rita Secret")
    held = claims.claim_case(case_id=case.pk, by=User.objects.get(pk=both.pk), at=MONDAY)

    result = claims.describe_claim(claim=held, reader=person(Role.INTAKE))

    assert "Rita" not in result


# --- The race -------------------------------------------------------------------------------------


def run_concurrently(people, act):
    start = Barrier(len(people))

    def run(who):
        try:
            start.wait(10)
            return act(who)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


def test_eight_clerks_who_press_the_button_at_once_get_eight_cases(committed_db):
    cases = [received_case() for _ in range(10)]
    people = [person(Role.COORDINATOR) for _ in range(8)]

    taken = run_concurrently(
        people, lambda who: claims.claim_next_case(queue="eligibility", by=who, at=MONDAY)
    )

    assert len({claim.case_id for claim in taken}) == 8
    assert {claim.case_id for claim in taken} <= {case.pk for case in cases}
    assert WorkClaim.objects.filter(released_at__isnull=True).count() == 8


def test_one_of_eight_clerks_gets_a_case_and_seven_are_refused(committed_db):
    case = received_case()
    people = [person(Role.COORDINATOR) for _ in range(8)]

    def want(who):
        try:
            return claims.claim_case(case_id=case.pk, by=who, at=MONDAY).by_id
        except TakenByAnother as refusal:
            return str(refusal)

    answers = run_concurrently(people, want)

    assert len([one for one in answers if isinstance(one, int)]) == 1
    assert len([one for one in answers if "has had this since 9:00 AM PT." in str(one)]) == 7
