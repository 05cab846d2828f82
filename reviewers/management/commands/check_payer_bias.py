"""``manage.py check_payer_bias [--from DATE] [--to DATE] [--dry-run] [--json]``.

Tests whether reviewer choice depends on the payer.
"""

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.counting import count_noun
from accounts.refusals import NotAllowed
from reviewers.models import PayerBiasTest
from reviewers.services import payer_bias


class Command(BaseCommand):
    help = (
        "Test whether, within a specialty, the chosen reviewer depends on the claims "
        "administrator, the insurer or the employer. Stores the results. Exits with 1 if one does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="default today")
        parser.add_argument("--dry-run", action="store_true", help="store nothing")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        last = options["last"] or timezone.localdate(now)
        first = options["first"] or last.replace(day=1, month=1)
        if options["dry_run"]:
            results = [
                payer_bias.compute_bias_test(first=first, last=last, role=role)
                for role in payer_bias.PAYER_ROLES
            ]
        else:
            try:
                # As the system, so the limit on the number of assignments does not apply.
                results = payer_bias.run_bias_tests(first=first, last=last, by=None, at=now)
            except NotAllowed as refusal:
                raise CommandError(str(refusal)) from refusal
        if options["json"]:
            period = {"from": first.isoformat(), "to": last.isoformat()}
            tests = {_get_role_label(test): _as_json(test) for test in results}
            self.stdout.write(json.dumps(period | {"tests": tests}, indent=1))
        else:
            self.stdout.write(f"Reviewer assignments from {first:%m/%d/%Y} to {last:%m/%d/%Y}")
            for test in results:
                verdict = "DEPENDS on" if test.is_steered else "does not depend on"
                self.stdout.write(
                    f"Reviewer choice {verdict} the {_get_role_label(test)}: {test.compared} of "
                    f"{count_noun(test.choices, 'assignment')} compared, p {test.p:.3f}."
                )
        # A scheduled job can tell an alert from the exit status.
        if any(test.is_steered for test in results):
            raise SystemExit(1)


def _get_role_label(test: PayerBiasTest) -> str:
    return test.get_party_role_display().lower()


def _as_json(test: PayerBiasTest) -> dict[str, Any]:
    return {
        "choices": test.choices,
        "compared": test.compared,
        "unevenness": float(test.unevenness),
        "p": float(test.p),
        "deals": test.deals,
        "seed": test.seed,
        "steered": test.is_steered,
    }
