"""``manage.py check_fairness [--from DATE] [--to DATE] [--json]``: does who pays steer it?"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from cases.models import Role as PartyRole
from reviewers.fairness import find_steering
from reviewers.history_of_choices import choices_between

PARTIES = {
    "claims administrator": PartyRole.CLAIMS_ADMINISTRATOR,
    "employer": PartyRole.EMPLOYER,
}


class Command(BaseCommand):
    help = (
        "Test over history that, given the specialty, the chosen reviewer does not depend on the "
        "claims administrator or the employer. Stores nothing; ends with 1 when it does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="YYYY-MM-DD; today")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        last = options["last"] or timezone.localdate()
        first = options["first"] or last.replace(month=1, day=1)
        found = {
            name: find_steering(choices_between(first, last, role=role))
            for name, role in PARTIES.items()
        }
        if options["json"]:
            answer = {
                name: asdict(one) | {"steered": one.is_steered} for name, one in found.items()
            }
            period = {"from": first.isoformat(), "to": last.isoformat()}
            self.stdout.write(json.dumps(period | {"tests": answer}, indent=1))
        else:
            self.stdout.write(f"Choices of reviewers from {first:%m/%d/%Y} to {last:%m/%d/%Y}")
            for name, one in found.items():
                verdict = "DEPENDS on" if one.is_steered else "does not depend on"
                self.stdout.write(
                    f"The choice {verdict} the {name}: {one.compared} of {one.choices} choices "
                    f"compared, p {one.p:.3f}."
                )
        if any(one.is_steered for one in found.values()):
            raise SystemExit(1)
