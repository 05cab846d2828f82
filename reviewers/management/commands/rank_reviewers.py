"""``manage.py rank_reviewers CASE [--on DATE] [--json]``: rank the panel for a case."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
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
        results, _ = evaluate_candidates(case, on=day, known_at=now, rules=rules)
        if options["json"]:
            return json.dumps(
                {
                    "case": case.number,
                    "on": day.isoformat(),
                    "weights": rules.values,
                    "reviewers": [
                        {
                            "code": result.code,
                            "rank": result.rank,
                            "score": result.score,
                            "reasons": [asdict(reason) for reason in result.reasons],
                        }
                        for result in results
                    ],
                },
                indent=1,
                ensure_ascii=False,
            )
        lines = [f"Case {case.number} on {day:%m/%d/%Y}"]
        for result in results:
            rank = f"{result.rank}." if result.rank else "–"
            points = count_noun(result.score or 0, "point")
            score = f", {points}" if result.rank else ", not eligible"
            lines.append(f"{rank:>4} {result.code}{score}")
            lines += [f"       {reason.sentence}" for reason in result.reasons]
        lines += [f"{number} {words}" for number, words in ranking.count_refusals(results)]
        return "\n".join(lines)
