"""Confirm and replace deadline rules; confirm, add and end holidays.

Every change is dated, has a reason, and keeps the earlier row. It does not move the dates of cases:
they are recalculated by the next action on the case, or for all cases by ``date_recalculation``.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if

from . import policies
from .calendars import FIRST_DAY, LAST_DAY, BadHoliday, calendars_from, format_day
from .days import local_day
from .models import DeadlineRule, HolidayRule, Law
from .rules import BadRules

# The columns in which a row may differ from the row that it replaces, besides its days.
TERMS = (
    "kind", "length", "length_by_method", "calendar", "roll", "extensions", "extends_by_address",
    "defines_calendar", "legal_holds", "cutoff", "deemed_received", "outer_days", "usd_per_day",
    "usd_limit", "source", "note",
)  # fmt: skip


@transaction.atomic
def confirm_rule(
    *,
    rule_id: int,
    compared_with: str,
    on: date,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> DeadlineRule:
    """Record that a rule was confirmed against the text of the law.

    :param compared_with: which text, and its date.
    :raises NotAllowed: wrong role, already confirmed, no text named, or a day in the future.
    :raises Stale: the row was changed after the page was loaded.
    """
    # Locked, so that what is confirmed is the version that the page showed.
    rule: DeadlineRule = DeadlineRule.objects.select_for_update().get(pk=rule_id)
    _confirm_row(rule, compared_with, on, seen_version, by=by, at=at)
    return rule


@transaction.atomic
def confirm_rules(
    *,
    seen_versions: Mapping[int, int],
    compared_with: str,
    on: date,
    by: User,
    at: datetime,
) -> list[DeadlineRule]:
    """Record that several rules were confirmed against one text of the law: all of them, or none.

    :param seen_versions: the ids of the rules, each with the version that the page showed.
    :raises NotAllowed: as ``confirm_rule``, or no rule is selected.
    :raises Stale: one of the rows was changed after the page was loaded.
    """
    rules = list(_lock_rows(DeadlineRule, seen_versions))
    for rule in rules:
        _confirm_row(rule, compared_with, on, seen_versions[rule.pk], by=by, at=at)
    return rules


@transaction.atomic
def supersede_rule(
    *,
    rule_id: int,
    terms: Mapping[str, Any],
    effective_from: date,
    effective_to: date | None = None,
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> DeadlineRule:
    """Replace a rule from a day on; the old row ends on the day before.

    A deadline follows the rule in force on the day of its trigger, so deadlines with an earlier
    trigger do not change. The new row is unconfirmed. A penalty without an amount may get its
    amount from its own first day on; then the row itself changes.

    :param terms: columns of ``TERMS`` in which the new row differs.
    :param effective_to: its last day, if not the last day of the old row.
    :raises NotAllowed: wrong role, no reason, days on which the old row is not in force, a gap or
        an overlap. The message names both rows.
    :raises Stale: the row was changed after the page was loaded.
    """
    refuse_if(policies.why_not_manage_rules(by))
    old: DeadlineRule = DeadlineRule.objects.select_for_update().get(pk=rule_id)
    old.refuse_if_stale(seen_version)
    refuse_if("" if why.strip() else "Enter the reason for the change.")
    rows = preview_superseding(
        rule=old, terms=terms, effective_from=effective_from, effective_to=effective_to
    )
    try:
        # Each row without the other would leave a gap or an overlap.
        DeadlineRule.objects.store_together(rows, by=by, at=at, why=why.strip())
    except BadRules as refusal:
        raise NotAllowed(str(refusal)) from refusal
    return rows[-1]


def preview_superseding(
    *,
    rule: DeadlineRule,
    terms: Mapping[str, Any],
    effective_from: date,
    effective_to: date | None = None,
) -> list[DeadlineRule]:
    """Return the old row as it would end and the new row, or only the completed row, unstored.

    :raises NotAllowed: the new row cannot begin on that day, or is invalid.
    """
    # A mistake in the calling code, not something that a user could correct.
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise TypeError(f"not a term of a rule: {', '.join(sorted(unknown))}")
    # The confirmation is not copied: nobody has compared the new row with the law yet.
    columns = {name: getattr(rule, name) for name in TERMS} | dict(terms)
    new = DeadlineRule(
        deadline_kind=rule.deadline_kind,
        effective_from=effective_from,
        effective_to=effective_to or rule.effective_to,
        **columns,
    )
    # Nothing was counted by such a row, so it is completed and not replaced.
    completes = rule.lacks_amount and effective_from == rule.effective_from
    if (not completes and effective_from <= rule.effective_from) or (
        rule.effective_to is not None and effective_from > rule.effective_to
    ):
        raise NotAllowed(
            f"{new} cannot replace {rule}: choose a first day after the first day of that row "
            "and not after its last day."
        )
    try:
        new.as_rule()
    except BadRules as refusal:
        raise NotAllowed(str(refusal)) from refusal
    # A second copy, so that a preview does not change the row of the caller.
    old: DeadlineRule = DeadlineRule.objects.get(pk=rule.pk)
    if completes:
        # The same row: no two rows of a rule begin on one day. Its versions keep what it was.
        new.pk, new.version, new._state.adding = old.pk, old.version, False
        return [new]
    old.effective_to = effective_from - timedelta(days=1)
    return [old, new]


def rules_as_changed(*, rows: Sequence[DeadlineRule | HolidayRule]) -> Law:
    """Return the rules and calendars as they would be with these rows, stored or not.

    Two queries.
    """
    changed = {row.pk for row in rows if isinstance(row, DeadlineRule) and row.pk}
    rules = DeadlineRule.objects.exclude(pk__in=changed).as_rules()
    rules += [row.as_rule() for row in rows if isinstance(row, DeadlineRule)]
    days_off = [row for row in rows if isinstance(row, HolidayRule)]
    kept = HolidayRule.objects.exclude(pk__in=[row.pk for row in days_off if row.pk])
    holidays = [row.as_holiday() for row in kept.select_related("confirmed_by").order_by("pk")]
    return rules, calendars_from((*holidays, *(row.as_holiday() for row in days_off)))


@transaction.atomic
def confirm_holiday(
    *,
    holiday_id: int,
    compared_with: str,
    on: date,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> HolidayRule:
    """Record that a holiday was confirmed against the text of the law; see ``confirm_rule``."""
    row: HolidayRule = HolidayRule.objects.select_for_update().get(pk=holiday_id)
    _confirm_row(row, compared_with, on, seen_version, by=by, at=at)
    return row


@transaction.atomic
def confirm_holidays(
    *,
    seen_versions: Mapping[int, int],
    compared_with: str,
    on: date,
    by: User,
    at: datetime,
) -> list[HolidayRule]:
    """Record that holidays were confirmed against one text of the law; see ``confirm_rules``."""
    rows = list(_lock_rows(HolidayRule, seen_versions))
    for row in rows:
        _confirm_row(row, compared_with, on, seen_versions[row.pk], by=by, at=at)
    return rows


@transaction.atomic
def add_holiday(
    *,
    calendar: str,
    name: str,
    pattern: str,
    source: str,
    effective_from: date,
    effective_to: date | None = None,
    sunday_moves_to_monday: bool = False,
    saturday_moves_to_friday: bool = False,
    note: str = "",
    why: str,
    by: User,
    at: datetime,
) -> HolidayRule:
    """Add a holiday to one calendar, starting on a day. The new row is unconfirmed.

    :param pattern: when it falls; see ``deadlines.calendars.Holiday``.
    :raises NotAllowed: wrong role, no reason, name or source, an invalid pattern, no day on which
        it falls, days outside 2012 to 2060, or days that leave a gap after, or overlap, another row
        of the same name. The message names that row.
    """
    refuse_if(policies.why_not_manage_rules(by))
    # Lock the rows of the calendar, so that two people cannot add the same holiday.
    list(HolidayRule.objects.select_for_update().filter(calendar=calendar).values_list("pk"))
    refuse_if("" if why.strip() else "Enter the reason for adding the holiday.")
    row = preview_holiday(
        calendar=calendar,
        name=name,
        pattern=pattern,
        source=source,
        effective_from=effective_from,
        effective_to=effective_to,
        sunday_moves_to_monday=sunday_moves_to_monday,
        saturday_moves_to_friday=saturday_moves_to_friday,
        note=note,
    )
    return row.store(by=by, at=at, why=why.strip())


def preview_holiday(
    *,
    calendar: str,
    name: str,
    pattern: str,
    source: str,
    effective_from: date,
    effective_to: date | None = None,
    sunday_moves_to_monday: bool = False,
    saturday_moves_to_friday: bool = False,
    note: str = "",
) -> HolidayRule:
    """Build the row of a new holiday without saving it. One query.

    :raises NotAllowed: as ``add_holiday``, except for the role and the reason.
    """
    refuse_if("" if name.strip() else "Enter the name of the holiday.")
    refuse_if("" if source.strip() else "Enter the source of the holiday.")
    refuse_if(_why_not_in_range(effective_from, effective_to))
    row = HolidayRule(
        calendar=calendar,
        name=name.strip(),
        pattern=" ".join(pattern.split()),
        source=source.strip(),
        effective_from=effective_from,
        effective_to=effective_to,
        sunday_moves_to_monday=sunday_moves_to_monday,
        saturday_moves_to_friday=saturday_moves_to_friday,
        note=note.strip(),
    )
    try:
        row.refuse_unusable()
    except BadHoliday as refusal:
        raise BadFact("pattern", str(refusal)) from refusal
    except BadRules as refusal:
        raise NotAllowed(str(refusal)) from refusal
    years = range(effective_from.year, (effective_to or LAST_DAY).year + 1)
    if not any(row.as_holiday().falls_on(year) for year in years):
        raise BadFact("pattern", "It falls on no day on which it is in force. Check the days.")
    return row


@transaction.atomic
def end_holiday(
    *,
    holiday_id: int,
    effective_to: date,
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> HolidayRule:
    """Set the last day on which a holiday may fall. Earlier days stay.

    :raises NotAllowed: wrong role, no reason, a day before its first day, or a gap to a row of the
        same name, which the message names.
    :raises Stale: the row was changed after the page was loaded.
    """
    refuse_if(policies.why_not_manage_rules(by))
    row: HolidayRule = HolidayRule.objects.select_for_update().get(pk=holiday_id)
    row.refuse_if_stale(seen_version)
    refuse_if("" if why.strip() else "Enter the reason for ending the holiday.")
    ended = preview_holiday_end(row=row, effective_to=effective_to)
    return ended.store(by=by, at=at, why=why.strip(), fields=["effective_to"])


def preview_holiday_end(*, row: HolidayRule, effective_to: date) -> HolidayRule:
    """Return the row of a holiday as it would end, not stored. Two queries.

    :raises NotAllowed: as ``end_holiday``, except for the role and the reason.
    """
    if problem := _why_not_in_range(row.effective_from, effective_to):
        raise BadFact("effective_to", problem)
    # A second copy, so that a preview does not change the row of the caller.
    ended: HolidayRule = HolidayRule.objects.get(pk=row.pk)
    ended.effective_to = effective_to
    try:
        ended.refuse_unusable()
    except BadRules as refusal:
        raise NotAllowed(str(refusal)) from refusal
    return ended


def _lock_rows(
    model: type[DeadlineRule] | type[HolidayRule], seen_versions: Mapping[int, int]
) -> Any:
    """Lock the selected rows, in order, so that what is confirmed is what the page showed."""
    refuse_if("" if seen_versions else "Select at least one row.")
    return model.objects.select_for_update().filter(pk__in=seen_versions).order_by("pk")


def _confirm_row(
    row: DeadlineRule | HolidayRule,
    compared_with: str,
    on: date,
    seen_version: int | None,
    *,
    by: User,
    at: datetime,
) -> None:
    refuse_if(policies.why_not_manage_rules(by))
    row.refuse_if_stale(seen_version)
    refuse_if(f"{row} has already been confirmed." if row.is_confirmed else "")
    refuse_if("" if compared_with.strip() else "Enter the text with which it was compared.")
    refuse_if("That day is in the future." if on > local_day(at) else "")
    row.confirmed_by, row.confirmed_on = by, on
    why = f"Compared with {compared_with.strip()}"
    row.store(by=by, at=at, why=why, fields=["confirmed_by", "confirmed_on"])


def _why_not_in_range(first: date, last: date | None) -> str:
    if last is not None and last < first:
        return f"It would end on {format_day(last)}, before it begins on {format_day(first)}."
    if not FIRST_DAY <= first <= LAST_DAY or (last is not None and last > LAST_DAY):
        return f"Holidays are on file for {FIRST_DAY.year} to {LAST_DAY.year}. Check the year."
    return ""
