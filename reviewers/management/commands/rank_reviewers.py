"""``manage.py rank_reviewers CASE [--on DATE] [--json]``: rank the panel for a case."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cases.models import Case
from reviewers.matching import ranking
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.track_record import get_matching_rules


class Command(BaseCommand):
    help = (
        "Rank the panel for a case on a day, with reasons. Stores nothing. Shows codes, no names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", help="the case number")
        parser.add_argument("--on", type=date.fromisoformat, help="day, YYYY-MM-DD; default today")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> str:
        now = timezone.now()
        day = options["on"] or timezone.localdate(now)
        case = Case.objects.filter(number=options["case"]).first()
        if case is None:
            raise CommandError(f"There is no case {options['case']}.")
        rules = get_matching_rules(day, known_at=now)
        verdicts, _ = evaluate_candidates(case, on=day, known_at=now, rules=rules)
        if options["json"]:
            return json.dumps(
                {
                    "case": case.number,
                    "on": day.isoformat(),
                    "weights": rules.values,
                    "reviewers": [
                        {
                            "code": verdict.code,
                            "rank": verdict.rank,
                            "score": verdict.score,
                            "reasons": [asdict(reason) for reason in verdict.reasons],
                        }
                        for verdict in verdicts
                    ],
                },
                indent=1,
                ensure_ascii=False,
            )
        lines = [f"Case {case.number} on {day:%m/%d/%Y}"]
        for verdict in verdicts:
            rank = f"{verdict.rank}." if verdict.rank else "–"
            score = f", {verdict.score} points" if verdict.rank else ", not eligible"
            lines.append(f"{rank:>4} {verdict.code}{score}")
            lines += [f"       {reason.sentence}" for reason in verdict.reasons]
        lines += [f"{number} {words}" for number, words in ranking.count_refusals(verdicts)]
        return "\n".join(lines)
