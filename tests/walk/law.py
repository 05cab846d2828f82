"""What keeps the law on file: rules of deadlines, holidays, and the dates that follow from them."""

from datetime import date

from cases.services import date_recalculation
from deadlines import services as rules
from deadlines.models import DeadlineRule, HolidayRule
from determinations.models import RuleText
from determinations.services import rule_texts


def change_deadline_rules(walk, director):
    """A rule is confirmed and superseded, a holiday begun and ended, the dates worked out again."""
    rule = DeadlineRule.objects.get(deadline_kind="noarfi", effective_to__isnull=True)
    seen = {"seen_version": None}
    compared = {"compared_with": "the code", "on": date(2026, 3, 2)}
    walk.act(rules.confirm_rule, by=director, rule_id=rule.pk, **compared, **seen)
    others = DeadlineRule.objects.unconfirmed().order_by("pk")[:2]
    walk.act(
        rules.confirm_rules,
        by=director,
        seen_versions={row.pk: row.version for row in others},
        **compared,
    )
    walk.act(
        rules.supersede_rule,
        by=director,
        rule_id=rule.pk,
        terms={"note": "As amended"},
        effective_from=date(2026, 3, 2),
        why="Amended",
        **seen,
    )
    begun = walk.act(
        rules.add_holiday,
        by=director,
        calendar="office",
        name="Founders’ Day",
        pattern="03-31",
        source="A new act",
        effective_from=date(2026, 1, 1),
        why="A new act",
    )
    walk.act(rules.confirm_holiday, by=director, holiday_id=begun.pk, **compared, **seen)
    holidays = HolidayRule.objects.unconfirmed().order_by("pk")[:2]
    walk.act(
        rules.confirm_holidays,
        by=director,
        seen_versions={row.pk: row.version for row in holidays},
        **compared,
    )
    walk.act(
        rules.end_holiday,
        by=director,
        holiday_id=begun.pk,
        effective_to=date(2026, 1, 2),
        why="Repealed",
        **seen,
    )
    text = RuleText.objects.earliest("pk")
    confirmed = {"rule_text_id": text.pk, "on": date(2026, 3, 2)}
    walk.act(rule_texts.confirm_rule_text, by=director, **confirmed)
    walk.act(date_recalculation.recalculate_dates, by=director, why="The law changed")
