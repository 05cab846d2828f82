"""Print the sum of any clock.

``manage.py deadline application served=2014-06-20 method=mail_ca``
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from deadlines.calendars import Calendars, CannotCount
from deadlines.clocks import CLOCKS, BadClockFact
from deadlines.engine import due
from deadlines.facts import Hold, read_day
from deadlines.models import ClockRule, rules_on_file
from deadlines.penalty import Penalty, records_penalty
from deadlines.rules import Rule
from deadlines.shipped_rules import RULES, default_calendars
from deadlines.sums import Sum, Unknown
from deadlines.timeliness import timeliness


class Command(BaseCommand):
    """Counts with the rules in the database, or with the shipped ones where it has none."""

    help = "Print the sum of a clock: its last day and how it comes about."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = "clocks and their facts:\n" + "\n".join(
            f"  {clock.name:32}{' '.join(clock.keys)}" for clock in CLOCKS.values()
        )
        parser.add_argument("clock", metavar="CLOCK")
        parser.add_argument("facts", nargs="*", metavar="key=value")
        parser.add_argument(
            "--hold",
            action="append",
            default=[],
            metavar="REASON:FROM[:TO]",
            help="a time during which the case stood still; may be given several times",
        )
        parser.add_argument("--received", metavar="DAY", help="say whether this day is in time")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(
        self, *, clock: str, facts: list[str], hold: list[str], received: str | None, **options: Any
    ) -> None:
        rules, calendars, origin = _rules()
        try:
            given = _read_facts(facts)
            holds = [_read_hold(text) for text in hold]
            answer: Sum | Unknown | Penalty
            if clock == "records_penalty":
                answer = records_penalty(given, rules=rules)
            else:
                answer = due(clock, given, rules=rules, calendars=calendars, holds=holds)
            row = answer.as_row() | {"rules": origin}
            if clock == "twelve_month_bar":
                row["barred_through"] = row["due"]
            lines = [answer.sentence] if isinstance(answer, Unknown) else answer.lines()
            if received and clock != "records_penalty":
                verdict = timeliness(
                    clock, received, given, rules=rules, calendars=calendars, holds=holds
                )
                row["timeliness"] = type(verdict).__name__.upper()
                row["timeliness_sentence"] = verdict.sentence
                lines.append(verdict.sentence)
        except CannotCount as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(row, indent=2, ensure_ascii=False))
            return
        lines.append(f"Rules: {origin}.{'' if row.get('confirmed') else ' Not confirmed.'}")
        self.stdout.write("\n".join(lines))


def _rules() -> tuple[Sequence[Rule], Calendars, str]:
    """The rules to count with and where they come from; a database is not needed to count."""
    try:
        rules, calendars = rules_on_file()
    except DatabaseError:
        return list(RULES), default_calendars(), "shipped"
    return rules, calendars, "database" if ClockRule.objects.exists() else "shipped"


def _read_facts(texts: list[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BadClockFact(f"“{text}” is not key=value.")
        if key in given:
            raise BadClockFact(f"{key} is given twice.")
        given[key] = value
    return given


def _read_hold(text: str) -> Hold:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise BadClockFact(f"“{text}” is not REASON:FROM or REASON:FROM:TO.")
    end = read_day("hold", parts[2]) if len(parts) == 3 else None
    return Hold(parts[0], read_day("hold", parts[1]), end, has_ended=end is not None)
