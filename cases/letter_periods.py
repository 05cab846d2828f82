"""Facts of letters about the parties' time after a decision, from the deadline rules of the day."""

from collections.abc import Mapping
from datetime import date

from deadlines.models import DeadlineRule
from deadlines.rules import MAIL_METHODS, Rule, find_rule
from deadlines.shipped_rules import RULES
from letters.facts import Fact, FactName

PETITION_FACTS = (
    FactName("petition_days", "Days to petition the WCAB", printed=True),
    FactName("petition_days_ca", "Days added for an address in California", printed=True),
    FactName("petition_days_us", "Days added for an address in another state", printed=True),
    FactName("petition_days_abroad", "Days added for an address in another country", printed=True),
)
IMPLEMENTATION_FACTS = (
    FactName("authorize_days", "Business days to authorize a service", printed=True),
    FactName("reimburse_days", "Days to reimburse a service already provided", printed=True),
)


def collect_petition_facts(on: date) -> list[Fact]:
    """Collect the days to petition that a letter of a day states. One query.

    :returns: nothing if the rule of that day does not count by address; a sentence that needs the
        facts is then refused by name.
    :raises CannotCount: no rule is on file for the day.
    """
    rule = _find_rules_on(on, "petition")["petition"]
    if not rule.extends_by_address:
        return []
    days = {
        f"petition_days_{place}": rule.extensions[key].days for place, key in MAIL_METHODS.items()
    }
    return [
        _build_fact("petition_days", rule.length, rule),
        *(_build_fact(name, count, rule) for name, count in days.items()),
    ]


def collect_implementation_facts(on: date) -> list[Fact]:
    """Collect the claims administrator's days to implement that a letter of a day states.

    One query.

    :raises CannotCount: no rule is on file for the day.
    """
    rules = _find_rules_on(on, "authorize", "reimburse")
    return [_build_fact(f"{kind}_days", rule.length, rule) for kind, rule in rules.items()]


def _find_rules_on(on: date, *deadline_kinds: str) -> Mapping[str, Rule]:
    rules = DeadlineRule.objects.filter(deadline_kind__in=deadline_kinds).as_rules()
    return {kind: find_rule(kind, on, rules or RULES) for kind in deadline_kinds}


def _build_fact(name: str, days: int | None, rule: Rule) -> Fact:
    return Fact(
        name,
        str(days or ""),
        f"Deadline rule {rule}",
        valid_from=rule.effective_from,
        valid_to=rule.effective_to,
    )
