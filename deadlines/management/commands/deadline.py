"""Print the arithmetic of any deadline.

``manage.py deadline application served=2014-06-20 method=mail_ca``
"""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from deadlines.calendars import Calendars, CannotCount, format_day
from deadlines.engine import compute_deadline
from deadlines.facts import Hold, read_day
from deadlines.kinds import DEADLINE_KINDS, BadDeadlineFact
from deadlines.models import DeadlineRule, rules_on_file
from deadlines.penalty import Penalty, records_penalty
from deadlines.results import ComputedDeadline, UnknownDeadline, describe_due_dates
from deadlines.rules import Rule
from deadlines.shipped_rules import RULES, default_calendars
from deadlines.timeliness import judge_timeliness


class Command(BaseCommand):
    """Uses the rules in the database, or the shipped rules if it has none."""

    help = "Print a due date and its arithmetic."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = "deadlines and their facts:\n" + "\n".join(
            f"  {deadline_kind.name:32}{' '.join(deadline_kind.keys)}"
            for deadline_kind in DEADLINE_KINDS.values()
        )
        parser.add_argument("deadline_kind", metavar="DEADLINE_KIND")
        parser.add_argument("facts", nargs="*", metavar="key=value")
        parser.add_argument(
            "--hold",
            action="append",
            default=[],
            metavar="REASON:FROM[:TO]",
            help="a time during which the case was on hold; may be given several times",
        )
        parser.add_argument("--received", metavar="DAY", help="say whether this day is in time")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(
        self,
        *,
        deadline_kind: str,
        facts: list[str],
        hold: list[str],
        received: str | None,
        **options: Any,
    ) -> None:
        rules, calendars, origin = _load_rules()
        try:
            given = _read_facts(facts)
            holds = [_read_hold(text) for text in hold]
            answer: ComputedDeadline | UnknownDeadline | Penalty
            if deadline_kind == "records_penalty":
                answer = records_penalty(given, rules=rules)
            else:
                answer = compute_deadline(
                    deadline_kind, given, rules=rules, calendars=calendars, holds=holds
                )
            row = answer.as_row() | {"rules": origin}
            if deadline_kind == "twelve_month_bar":
                row["barred_through"] = row["due"]
            lines = [answer.sentence] if isinstance(answer, UnknownDeadline) else answer.lines()
            if isinstance(answer, ComputedDeadline) and answer.by_calendar:
                lines.append(f"By calendar: {describe_due_dates(answer.by_calendar)}.")
                lines.append(f"File by: {format_day(answer.file_by)}.")
            if received and deadline_kind != "records_penalty":
                verdict = judge_timeliness(
                    deadline_kind, received, given, rules=rules, calendars=calendars, holds=holds
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


def _load_rules() -> tuple[Sequence[Rule], Calendars, str]:
    """Return the rules to compute with, and their origin; works without a database."""
    try:
        rules, calendars = rules_on_file()
    except DatabaseError:
        return list(RULES), default_calendars(), "shipped"
    return rules, calendars, "database" if DeadlineRule.objects.exists() else "shipped"


def _read_facts(texts: list[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BadDeadlineFact(f"“{text}” is not key=value.")
        if key in given:
            raise BadDeadlineFact(f"{key} is given twice.")
        given[key] = value
    return given


def _read_hold(text: str) -> Hold:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise BadDeadlineFact(f"“{text}” is not REASON:FROM or REASON:FROM:TO.")
    end = read_day("hold", parts[2]) if len(parts) == 3 else None
    # An end that is typed here is taken as actual, because a planned one gives no date.
    return Hold(parts[0], read_day("hold", parts[1]), end, has_ended=end is not None)
