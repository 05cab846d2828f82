"""A changed rule or holiday lists exactly the dates of open cases that move.

The list is compared with a second computation: the change is stored, every active deadline of
every case is computed again under the stored law, and the change is rolled back.
"""

import random
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from accounts.roles import Role
from cases.models import Case, Deadline
from cases.services import case_deadlines, date_recalculation, endings, extensions, holds
from deadlines import services
from deadlines.calendars import LAST_DAY, CannotCount
from deadlines.days import PACIFIC, local_day
from deadlines.engine import compute_deadline
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import DeadlineRule, HolidayRule, rules_on_file
from deadlines.results import UnknownDeadline
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

CASES, CLOSED = 40, 3
PLANS = 6  # each of them is one change of every kind below
ONE_DAY = timedelta(days=1)
TODAY = local_day(MONDAY)
METHODS = ["in_hand", "mail_ca", "mail_us", "electronic", "express", "fax"]


def some_day(pick):
    """A day around the change of the law of 2020 or in the present year."""
    first = pick.choice([date(2019, 10, 1), date(2025, 10, 1)])
    return first + timedelta(days=pick.randrange(200))


def some_hour(pick):
    day = some_day(pick)
    return datetime(day.year, day.month, day.day, pick.randrange(24), 15, tzinfo=PACIFIC)


# The trigger facts of each kind of deadline.
FACTS = {
    "noarfi": lambda pick: {"found_eligible": str(some_day(pick))},
    "records": lambda pick: {"noarfi": str(some_day(pick)), "method": pick.choice(METHODS[1:4])},
    "records_expedited": lambda pick: {"received": some_hour(pick).isoformat()},
    "eligibility_information": lambda pick: {"received": str(some_day(pick))},
    "reviewer_information": lambda pick: {"received": str(some_day(pick))},
    "determination_regular": lambda pick: {"records_complete": str(some_day(pick))},
    "determination_formulary": lambda pick: {"records_complete": str(some_day(pick))},
    "application_after_liability": lambda pick: {
        "served": str(some_day(pick)), "method": pick.choice(METHODS),
    },
    "petition": lambda pick: {
        "mailed": str(some_day(pick)),
        # Only in hand and by mail are covered before and after 2020.
        "method": pick.choice(METHODS[:2]),
    },
    "authorize": lambda pick: {"received": str(some_day(pick))},
    "reimburse": lambda pick: {"received": str(some_day(pick))},
    "ur_decision": lambda pick: {
        "rfa": some_hour(pick).isoformat(), "method": "fax", "recommended": str(some_day(pick)),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(module_db):
    """Cases with deadlines of several kinds and triggers; some are closed, held or extended."""
    pick = random.Random(4610)
    coordinator = person(Role.COORDINATOR)
    first = received_case()
    found = [first, *(copy_of(first, place) for place in range(1, CASES))]
    for place, case in enumerate(found):
        kinds = sorted(FACTS)
        if place % 5 == 0:
            kinds = [name for name in kinds if not name.startswith("determination")]
        for deadline_kind in pick.sample(kinds, 3):
            start(case, deadline_kind, FACTS[deadline_kind](pick), by=coordinator)
        if place % 5 == 0:
            start(case, "determination_regular", {"records_complete": str(TODAY)}, by=coordinator)
            extensions.extend_determination(
                case_id=case.pk, days=2, approved_by="A. Director", approved_on=TODAY,
                letter_reference="A letter", good_cause="Records", by=coordinator, at=MONDAY,
            )  # fmt: skip
        if place % 5 == 1:
            holds.begin_hold(
                case_id=case.pk, reason="OFFICE_CLOSED", starts_on=TODAY,
                planned_end=TODAY + timedelta(days=4), by=coordinator, at=MONDAY,
            )  # fmt: skip
        if place % 5 == 2:
            case_deadlines.satisfy_deadline(
                case=case, deadline_kind=pick.choice(kinds), by=coordinator, at=MONDAY
            )
    return found


def copy_of(case, place):
    """Another case in the same state. Forty applications received one by one would take long."""
    copy = Case.objects.get(pk=case.pk)
    copy.pk, copy.version, copy._state.adding = None, 0, True
    copy.number, copy.ur_decision = f"CM26-9{place:06}", None
    return copy.store(by=None, at=MONDAY)


@pytest.fixture(scope="module")
def closed_cases(cases):
    """Closed cases with active deadlines, as a petition to the WCAB is."""
    pick = random.Random(4611)
    coordinator = person(Role.COORDINATOR)
    found = [received_case() for _ in range(CLOSED)]
    for case in found:
        ending = {"case_id": case.pk, "reason": "Withdrawn", "by": coordinator, "at": MONDAY}
        endings.withdraw_case(**ending)
        endings.close_case(**ending)
        case.refresh_from_db()
        for deadline_kind in ("petition", "authorize", "reimburse"):
            start(case, deadline_kind, FACTS[deadline_kind](pick), by=coordinator)
    return found


def start(case, deadline_kind, given, *, by):
    return case_deadlines.start_deadline(
        case=case, deadline_kind=deadline_kind, given=given, by=by, at=MONDAY, sets_due_date=False
    )


@pytest.fixture
def director():
    return person(Role.DIRECTOR)


# --- two ways to find what moves ------------------------------------------------------------------


def listed(rows, deadline_kind=""):
    """The dates that the page lists, by deadline."""
    changes = date_recalculation.find_date_changes(
        on=LAST_DAY, law=services.rules_as_changed(rows=rows), deadline_kind=deadline_kind
    )
    moving = [one for one in changes if one.moves]
    assert len(moving) == len({one.old.pk for one in moving})
    return {one.old.pk: dates_of(one.new) if one.new else "cannot be counted" for one in moving}


def dates_of(row):
    return row.due_on, row.file_by, row.due_at, row.target_on, row.unknown


def recomputed(known_holds=None):
    """The dates that move under the law on file, by deadline: every one is computed again.

    :param known_holds: filled with the holds of each deadline, which no change of the law changes.
    """
    rules, calendars = rules_on_file()
    known_holds = {} if known_holds is None else known_holds
    found = {}
    for case in Case.objects.all():
        for old in case.deadlines.all():
            if old.met_at or old.replaced_at or old.round != case.round or not case.is_open:
                continue
            key = case.pk, old.deadline_kind
            if key not in known_holds:
                known_holds[key] = case_deadlines.list_deadline_holds(case, old.deadline_kind)
            try:
                total = compute_deadline(
                    old.deadline_kind,
                    old.given,
                    rules=rules,
                    calendars=calendars,
                    holds=known_holds[key],
                )
            except CannotCount:
                found[old.pk] = "cannot be counted"
                continue
            if isinstance(total, UnknownDeadline):
                new = (None, None, None, None, total.sentence)
            else:
                new = (total.due_on, total.file_by, total.due_at, total.target_on, "")
            if new != dates_of(old):
                found[old.pk] = new
    return found


def stored_and_recomputed(known_holds, action, **changes):
    """Store the change, compute every date again, and roll back."""
    with transaction.atomic():
        action(**changes)
        found = recomputed(known_holds)
        transaction.set_rollback(True)
    return found


# --- changes --------------------------------------------------------------------------------------


def replace_a_rule(pick, known_holds, director):
    """Replace the rule of a stored deadline: what is listed, and what is recomputed."""
    active = Deadline.objects.filter(met_at=None, replaced_at=None, case__is_open=True)
    deadline = pick.choice(list(active.order_by("pk")))
    trigger = deadline.given[DEADLINE_KINDS[deadline.deadline_kind].trigger]
    day = date.fromisoformat(trigger[:10])
    rule = rule_on(deadline.deadline_kind, day)
    # The trigger is before, on or after the last day of the old rule, or long after it.
    begins = pick.choice([day - timedelta(days=90), day, day + ONE_DAY, day + timedelta(days=30)])
    begins = max(begins, rule.effective_from + ONE_DAY)
    if rule.effective_to is not None:
        begins = min(begins, rule.effective_to)
    terms = {"source": "As amended"}
    if rule.length:
        terms["length"] = max(1, rule.length + pick.choice([-2, -1, 1, 30]))
    if rule.calendar:
        terms["calendar"] = pick.choice(["gov6700", "judicial", "office"])
    if rule.extensions:
        terms["extensions"] = {
            way: row | {"days": row["days"] + pick.choice([0, 1])}
            for way, row in rule.extensions.items()
        }
    change = {"terms": terms, "effective_from": begins}
    return (
        listed(services.preview_superseding(rule=rule, **change), rule.deadline_kind),
        stored_and_recomputed(
            known_holds, services.supersede_rule, rule_id=rule.pk, why="Amended",
            seen_version=rule.version, by=director, at=MONDAY, **change,
        ),
    )  # fmt: skip


def add_a_holiday(pick, known_holds, director):
    """Add a holiday on or near a due date."""
    due = pick.choice(list(Deadline.objects.exclude(due_on=None).order_by("pk"))).due_on
    day = due - timedelta(days=pick.randrange(3))
    change = {
        "calendar": pick.choice(["gov6700", "judicial", "office"]),
        "name": "Founders’ Day",
        "pattern": pick.choice([str(day), f"{day:%m-%d}"]),
        "source": "A new act",
        "effective_from": date(day.year, 1, 1),
        "sunday_moves_to_monday": pick.random() < 0.5,
        "saturday_moves_to_friday": pick.random() < 0.5,
    }
    return (
        listed([services.preview_holiday(**change)]),
        stored_and_recomputed(
            known_holds, services.add_holiday, why="Enacted", by=director, at=MONDAY, **change
        ),
    )


def end_a_holiday(pick, known_holds, director):
    """End a holiday before some of the due dates."""
    row = pick.choice(list(HolidayRule.objects.filter(effective_to=None).order_by("pk")))
    ends = max(row.effective_from, pick.choice([date(2019, 10, 1), date(2025, 10, 1)]))
    return (
        listed([services.preview_holiday_end(row=row, effective_to=ends)]),
        stored_and_recomputed(
            known_holds, services.end_holiday, holiday_id=row.pk, effective_to=ends, why="Repealed",
            seen_version=row.version, by=director, at=MONDAY,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("change", [replace_a_rule, add_a_holiday, end_a_holiday])
def test_a_change_lists_exactly_the_dates_that_move(cases, closed_cases, director, change):
    known_holds = {}
    assert not recomputed(known_holds)
    pick = random.Random(f"{change.__name__} 4610.6")
    sizes = []
    for _ in range(PLANS):
        shown, expected = change(pick, known_holds, director)
        assert shown == expected
        sizes.append(len(expected))

    # The plans would prove little if they moved nothing, or everything.
    assert max(sizes) > 0, sizes
    assert max(sizes) < Deadline.objects.filter(replaced_at=None).count(), sizes


# --- the edges ------------------------------------------------------------------------------------


def rule_on(deadline_kind, day):
    return DeadlineRule.objects.in_force_on(day).get(deadline_kind=deadline_kind)


def with_trigger(case, director, day):
    """The case with a deadline of the notice that begins on a day."""
    return start(case, "noarfi", {"found_eligible": str(day)}, by=director)


def test_a_trigger_on_the_last_day_of_the_old_rule_keeps_its_date(cases, director):
    begins = date(2026, 2, 3)
    last = with_trigger(cases[0], director, begins - ONE_DAY)
    first = with_trigger(cases[3], director, begins)
    rule = rule_on("noarfi", begins)
    change = {"terms": {"length": 9}, "effective_from": begins}

    shown = listed(services.preview_superseding(rule=rule, **change), "noarfi")

    assert last.pk not in shown
    assert shown[first.pk][0] > first.due_on

    services.supersede_rule(
        rule_id=rule.pk, why="Amended", seen_version=None, by=director, at=MONDAY, **change
    )
    assert shown == recomputed()


def test_a_rule_superseded_twice_while_a_case_is_open_moves_it_once(cases, director):
    triggered = with_trigger(cases[0], director, date(2026, 2, 10))
    for begins, length in ((date(2026, 2, 3), 9), (date(2026, 2, 11), 20)):
        services.supersede_rule(
            rule_id=rule_on("noarfi", date(2026, 3, 2)).pk, terms={"length": length},
            effective_from=begins, why="Amended", seen_version=None, by=director, at=MONDAY,
        )  # fmt: skip
    changes = [one for one in date_recalculation.find_date_changes(on=LAST_DAY) if one.moves]

    # Nine business days after February 10; the 16th is a holiday.
    (mine,) = [one for one in changes if one.old.pk == triggered.pk]
    assert mine.new.due_on == date(2026, 2, 24)

    date_recalculation.recalculate_dates(why="Amended", by=director, at=MONDAY)
    assert case_deadlines.find_due_date(cases[0], "noarfi") == date(2026, 2, 24)
    assert not recomputed()


def test_a_closed_case_and_a_satisfied_deadline_are_not_listed(cases, closed_cases, director):
    day = date(2026, 2, 4)
    open_case, closed_case, done_case = cases[0], closed_cases[0], cases[3]
    moves, closed, done = (
        with_trigger(case, director, day) for case in (open_case, closed_case, done_case)
    )
    case_deadlines.satisfy_deadline(case=done_case, deadline_kind="noarfi", by=director, at=MONDAY)
    assert not closed_case.is_open
    assert closed.replaced_at is None

    shown = listed(
        [
            services.preview_holiday(
                calendar="office", name="Founders’ Day", pattern=str(moves.due_on),
                source="A new act", effective_from=day,
            )
        ]
    )  # fmt: skip

    assert moves.pk in shown
    assert not {closed.pk, done.pk} & {*shown}
    assert not {*shown} & {
        *Deadline.objects.filter(case__is_open=False).values_list("pk", flat=True)
    }


def test_a_date_that_could_no_longer_be_counted_is_listed_with_the_problem(cases, director):
    deadline = with_trigger(cases[0], director, date(2026, 2, 4))
    rule = rule_on("noarfi", date(2026, 2, 4))
    rows = services.preview_superseding(
        rule=rule,
        terms={"kind": "CALENDAR", "length": 20_000},
        effective_from=date(2026, 2, 4),
    )

    changes = date_recalculation.find_date_changes(
        on=LAST_DAY, law=services.rules_as_changed(rows=rows)
    )

    (mine,) = [one for one in changes if one.old.pk == deadline.pk]
    assert mine.new is None
    assert mine.moves
    assert "2012 to 2060" in mine.problem


def test_a_deadline_that_restarts_moves_with_the_rule_of_the_new_deadline(cases, director):
    """While liability was disputed the time to apply did not run; it restarts by another rule."""
    case, coordinator = cases[3], person(Role.COORDINATOR)
    served = {"served": str(TODAY - timedelta(days=10)), "method": "mail_ca"}
    restarted = start(case, "application", served, by=coordinator)
    hold = holds.begin_hold(
        case_id=case.pk, reason="LIABILITY", starts_on=TODAY, deadline_kind="application",
        planned_end=TODAY + timedelta(days=20), by=coordinator, at=MONDAY,
    )  # fmt: skip
    holds.end_hold(
        hold_id=hold.pk, ended_on=TODAY + timedelta(days=3), reason="Accepted", method="in_hand",
        by=coordinator, at=MONDAY + timedelta(days=4),
    )  # fmt: skip
    restarted = case.deadlines.get(deadline_kind="application", replaced_at=None)
    begins = TODAY + timedelta(days=2)
    rule = rule_on("application_after_liability", begins)
    change = {"terms": {"length": 60}, "effective_from": begins}

    shown = listed(services.preview_superseding(rule=rule, **change), rule.deadline_kind)

    assert restarted.pk in shown
    services.supersede_rule(
        rule_id=rule.pk, why="Amended", seen_version=None, by=director, at=MONDAY, **change
    )
    assert shown == recomputed()
