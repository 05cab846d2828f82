"""Duration of the payer-bias test over a year of 140,000 assignments.

``script/bench payer_bias [CHOICES]``. The assignments are stored with a claims administrator and an
employer each, so reading them is measured too: 30 specialties of very unequal size, 600 reviewers,
150 claims administrators, 20,000 employers. One administrator steers every fifth of its cases to
one reviewer of the specialty: the test has to find this and nothing else. (Every seventh is still
found; every tenth stays just below the alert.)
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from . import stage

CHOICES = 140_000
SPECIALTIES, REVIEWERS, PAYERS, EMPLOYERS = 30, 600, 150, 20_000
STEERED = 0.2
YEAR = {"first": date(2025, 4, 1), "last": date(2026, 3, 31)}
MONTH = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}
BEGAN = datetime(2025, 4, 1, 16, 0, tzinfo=UTC)
RESULT = stage.RESULTS / "payer_bias.json"


def make_offers(many: int) -> Iterator[Any]:
    """Make a year of assignments, spread evenly over the days."""
    from tests.reviewers.histories import Offer

    chance = random.Random(2026)
    each = REVIEWERS // SPECIALTIES
    for n in range(many):
        field = min(int(chance.expovariate(0.15)), SPECIALTIES - 1)
        payer = min(int(chance.expovariate(0.03)), PAYERS - 1)
        number = chance.randrange(each)
        if payer == 3 and chance.random() < STEERED:
            number = 0
        yield Offer(
            specialty=f"Specialty {field}",
            payer=f"Payer {payer}",
            employer=f"Employer {min(int(chance.expovariate(0.0003)), EMPLOYERS - 1)}",
            reviewer=f"Reviewer {field}-{number}",
            offered_at=BEGAN + timedelta(minutes=n * 525_000 // many),
        )


def main() -> None:
    stage.set_up()
    from django.db import transaction

    from accounts.models import User
    from cases.models import PartyRole
    from reviewers.matching.assignment_history import list_choices_between, list_deviating_pairs
    from reviewers.matching.payer_bias import find_steering
    from reviewers.services import payer_bias
    from tests.reviewers.histories import store_history

    many = int(sys.argv[1]) if len(sys.argv) > 1 else CHOICES
    with transaction.atomic():
        store_history(list(make_offers(many)))

    def timed(act: Any, **named: Any) -> tuple[Any, float]:
        started = time.perf_counter()
        answer = act(**named)
        return answer, round(time.perf_counter() - started, 1)

    found: dict[str, Any] = {"engine": stage.database_engine(), "choices": many, "tests": {}}
    for name, days in (("a month", MONTH), ("twelve months", YEAR)):
        for role in (PartyRole.CLAIMS_ADMINISTRATOR, PartyRole.EMPLOYER):
            choices, reading = timed(list_choices_between, **days, role=role)
            answer, dealing = timed(find_steering, choices=choices)
            found["tests"][f"{name}, {role.label.lower()}"] = {
                "compared": answer.compared,
                "deals": answer.deals,
                "reading, s": reading,
                "dealing, s": dealing,
                "p": answer.p,
                "steered": answer.is_steered,
            }
    test = payer_bias.compute_bias_test(**YEAR, role=PartyRole.CLAIMS_ADMINISTRATOR)
    test.made_at = BEGAN + timedelta(days=365)
    pairs, seconds = timed(list_deviating_pairs, test=test, reader=User(is_active=False))
    found["pairs of twelve months"] = {"s": seconds, "first": pairs[0].party}
    if many >= CHOICES:  # in fewer, every fifth case is too little to see
        assert found["tests"]["twelve months, claims administrator"]["steered"]
        assert not found["tests"]["twelve months, employer"]["steered"]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
