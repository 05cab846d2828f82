"""Rules of deadlines and holidays.

Confirmed, superseded, begun and ended by a person, each dated.
"""

from datetime import date, timedelta

import pytest
from django.core.checks import run_checks

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.models import Deadline, Event
from cases.services import case_deadlines, date_recalculation
from deadlines import services as rules
from deadlines.calendars import LAST_DAY, format_day
from deadlines.days import local_day
from deadlines.models import DeadlineRule, HolidayRule, rules_on_file
from tests.factories import MONDAY, eligible_case, person, received_case

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)


@pytest.fixture
def director():
    return person(Role.DIRECTOR)


def rule_of(deadline_kind="noarfi"):
    return DeadlineRule.objects.get(deadline_kind=deadline_kind, effective_to__isnull=True)


def supersede(rule, by, *, begins, **terms):
    more = {key: terms.pop(key) for key in ("effective_to", "seen_version") if key in terms}
    return rules.supersede_rule(
        rule_id=rule.pk,
        terms=terms,
        effective_from=begins,
        why="The regulation was amended",
        by=by,
        at=MONDAY,
        **({"seen_version": rule.version} | more),
    )


def confirm(rule, by, **changes):
    return rules.confirm_rule(
        **{
            "rule_id": rule.pk,
            "compared_with": "8 CCR 9792.10.5, register of March 2026",
            "on": TODAY,
            "seen_version": rule.version,
            "by": by,
            "at": MONDAY,
        }
        | changes
    )


def unconfirmed_listed():
    return " ".join(
        message.msg
        for message in run_checks(databases=["default"], include_deployment_checks=True)
        if message.id == "imr_portal.I005"
    )


def test_a_confirmed_rule_shows_who_confirmed_it_when_and_with_which_text(director):
    rule = confirm(rule_of(), director)

    assert (rule.confirmed_by, rule.confirmed_on) == (director, TODAY)
    version = rule.history.latest("history_id")
    assert (version.history_user, version.history_date) == (director, MONDAY)
    assert "register of March 2026" in version.history_change_reason


def test_confirmed_rules_and_holidays_leave_the_list_of_check_deploy(director):
    assert "deadline rules" in unconfirmed_listed()
    assert "holiday rules" in unconfirmed_listed()

    for rule in DeadlineRule.objects.all():
        confirm(rule, director)
    for row in HolidayRule.objects.all():
        rules.confirm_holiday(
            holiday_id=row.pk, compared_with="the code", on=TODAY, seen_version=None,
            by=director, at=MONDAY,
        )  # fmt: skip

    assert "deadline rules" not in unconfirmed_listed()
    assert "holiday rules" not in unconfirmed_listed()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"compared_with": "  "}, "with which it was compared"),
        ({"on": TODAY + timedelta(days=1)}, "in the future"),
    ],
)
def test_a_confirmation_without_its_facts_is_refused(director, changes, said):
    with pytest.raises(NotAllowed, match=said):
        confirm(rule_of(), director, **changes)

    assert not rule_of().is_confirmed


def test_a_row_is_confirmed_only_once(director):
    rule = confirm(rule_of(), director)

    with pytest.raises(NotAllowed, match="already"):
        confirm(rule, director)


def test_a_superseded_rule_ends_on_the_day_before_and_the_new_one_is_unconfirmed(director):
    old = confirm(rule_of(), director)

    new = supersede(old, director, begins=date(2026, 4, 1), length=2)

    old.refresh_from_db()
    assert (old.effective_to, old.is_confirmed) == (date(2026, 3, 31), True)
    assert (new.length, new.effective_to, new.is_confirmed) == (2, None, False)
    assert new.source == old.source
    assert new.history.get().history_change_reason == "The regulation was amended"


@pytest.mark.parametrize("begins", [date(2012, 6, 1), date(2013, 1, 1)])
def test_an_overlap_is_refused_naming_both_rows(director, begins):
    with pytest.raises(NotAllowed) as refused:
        supersede(rule_of(), director, begins=begins, length=2)

    assert "“Notice of assignment” from Tue, Jan 1, 2013 with no end" in str(refused.value)
    assert f"{begins:%b} {begins.day}, {begins.year}" in str(refused.value)
    assert DeadlineRule.objects.filter(deadline_kind="noarfi").count() == 1


def test_a_gap_is_refused_naming_both_rows_and_stores_neither(director):
    first, second = DeadlineRule.objects.filter(deadline_kind="eligibility_information").order_by(
        "effective_from"
    )

    with pytest.raises(NotAllowed, match="Nothing would be in force") as refused:
        supersede(first, director, begins=date(2013, 6, 1), effective_to=date(2013, 9, 1), length=9)

    assert "from Sat, Jun 1, 2013 to Sun, Sep 1, 2013" in str(refused.value)
    assert str(second) in str(refused.value)
    assert DeadlineRule.objects.get(pk=first.pk).effective_to == first.effective_to
    assert DeadlineRule.objects.filter(deadline_kind="eligibility_information").count() == 2


def test_an_unusable_rule_is_refused(director):
    with pytest.raises(NotAllowed, match="calendar"):
        supersede(rule_of(), director, begins=date(2026, 4, 1), calendar="")


def test_a_rule_superseded_in_the_past_changes_no_deadline_triggered_before(director):
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")
    trigger = TODAY

    supersede(rule_of(), director, begins=trigger + timedelta(days=1), length=9)

    assert not [one for one in date_recalculation.find_date_changes(on=LAST_DAY) if one.moves]
    date_recalculation.recalculate_dates(why="New rule", by=director, at=MONDAY)
    assert case_deadlines.find_due_date(case, "noarfi") == before


def test_changes_are_listed_before_they_are_stored(director):
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")
    rows = rules.preview_superseding(rule=rule_of(), terms={"length": 9}, effective_from=TODAY)
    counts = DeadlineRule.history.count(), Deadline.history.count()

    found = date_recalculation.find_date_changes(
        on=LAST_DAY, law=rules.rules_as_changed(rows=rows), deadline_kind="noarfi"
    )

    (one,) = found
    assert (one.case, one.old.due_on, one.moves) == (case, before, True)
    assert one.new.due_on > before
    assert (DeadlineRule.history.count(), Deadline.history.count()) == counts
    assert case_deadlines.find_due_date(case, "noarfi") == before


def test_recomputed_dates_equal_the_listed_ones_and_are_recorded_on_the_case(director):
    case = eligible_case()
    before = case_deadlines.find_due_date(case, "noarfi")
    supersede(rule_of(), director, begins=TODAY, length=9)
    listed = [one for one in date_recalculation.find_date_changes(on=LAST_DAY) if one.moves]

    date_recalculation.recalculate_dates(why="Rule of April", by=director, at=MONDAY)

    assert case_deadlines.find_due_date(case, "noarfi") == listed[0].new.due_on
    event = case.events.get(kind=Event.Kind.CHANGED, why="Rule of April")
    ((label, was, becomes),) = event.facts["changes"]
    assert label == "Notice of assignment"
    assert format_day(before) in was
    assert format_day(listed[0].new.due_on) in becomes
    assert date_recalculation.find_date_changes(on=LAST_DAY) == []
    assert date_recalculation.recalculate_dates(why="Once more", by=director, at=MONDAY) == []


def test_confirming_a_rule_moves_no_date_and_writes_no_event(director):
    case = eligible_case()
    confirm(rule_of(), director)
    events = case.events.count()

    assert not [one for one in date_recalculation.find_date_changes(on=LAST_DAY) if one.moves]
    date_recalculation.recalculate_dates(why="Confirmed", by=director, at=MONDAY)

    assert case.events.count() == events


def begin_holiday(by, **changes):
    return rules.add_holiday(
        **{
            "calendar": "office",
            "name": "Founders’ Day",
            "pattern": "03-04",
            "source": "Gov. Code 6700",
            "effective_from": date(2026, 1, 1),
            "why": "A new act",
            "by": by,
            "at": MONDAY,
        }
        | changes
    )


def test_a_holiday_that_begins_closes_its_day_and_one_that_ended_does_not(director):
    row = begin_holiday(director)
    assert not rules_on_file()[1].get("office").is_open(date(2026, 3, 4))
    assert rules_on_file()[1].get("office").is_open(date(2025, 3, 4))

    rules.end_holiday(
        holiday_id=row.pk, effective_to=date(2026, 12, 31), why="Repealed",
        seen_version=row.version, by=director, at=MONDAY,
    )  # fmt: skip

    assert not rules_on_file()[1].get("office").is_open(date(2026, 3, 4))
    assert rules_on_file()[1].get("office").is_open(date(2027, 3, 4))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pattern": "someday"}, "does not say when"),
        ({"source": ""}, "source"),
        ({"why": ""}, "Enter the reason"),
        ({"effective_from": date(2061, 1, 1)}, "2012 to 2060"),
        ({"effective_to": date(2025, 1, 1)}, "before it begins"),
        ({"name": "Christmas Day"}, "Two rows would be in force"),
    ],
)
def test_an_impossible_holiday_is_refused(director, changes, said):
    if "name" in changes:
        changes = {"name": HolidayRule.objects.filter(calendar="office", effective_to=None)[0].name}

    with pytest.raises(NotAllowed, match=said):
        begin_holiday(director, **changes)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.SUPERVISOR, Role.AUDITOR])
def test_other_roles_cannot_change_rules(role):
    someone, rule = person(role), rule_of()
    row = HolidayRule.objects.first()
    acts = [
        lambda: confirm(rule, someone),
        lambda: supersede(rule, someone, begins=date(2026, 4, 1), length=2),
        lambda: begin_holiday(someone),
        lambda: date_recalculation.recalculate_dates(why="x", by=someone, at=MONDAY),
        lambda: rules.confirm_holiday(
            holiday_id=row.pk, compared_with="x", on=TODAY, seen_version=None, by=someone, at=MONDAY
        ),
        lambda: rules.end_holiday(
            holiday_id=row.pk, effective_to=TODAY, why="x", seen_version=None, by=someone, at=MONDAY
        ),
    ]
    for act in acts:
        with pytest.raises(NotAllowed, match="Your role"):
            act()


def test_a_row_changed_by_someone_else_is_not_overwritten(director):
    seen = rule_of()
    confirm(rule_of(), director)

    with pytest.raises(Stale):
        supersede(seen, director, begins=date(2026, 4, 1), length=2)


def test_a_case_without_a_moved_date_is_not_changed(director):
    received_case()

    assert date_recalculation.recalculate_dates(why="Nothing changed", by=director, at=MONDAY) == []
