"""Matching one case with 3,000 reviewers and 20,000 affiliations, and a long batch assignment.

``script/bench matching [CASES]``. Matching is compared with two simpler ways. The naive loop reads
and checks every reviewer separately; because it is slow, only every tenth reviewer is measured. The
other loop reads everything at once. All have to give the same results, which is asserted. The batch
assignment has 1,000 cases, or as many as given: 40 different ones, repeated.
"""

import json
import statistics
import sys
import time
from dataclasses import replace
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any

from . import stage

REVIEWERS, AFFILIATIONS, ORGANIZATIONS = 3_000, 20_000, 2_000
CASES, PLANNED = 40, 1_000
MEASURED = 30
STANDS_FOR = 10
DAY = date(2026, 3, 2)
RESULT = stage.RESULTS / "matching.json"


def store_panel() -> list[Any]:
    """Store a panel of copies of one reviewer, each slightly different, and the cases."""
    from django.db import transaction

    from directory.models import Organization
    from intake.services.receiving import ItemOnForm
    from reviewers.models import Affiliation, Reviewer
    from tests.factories import MONDAY
    from tests.reviewers.factories import PANEL_ENTERED, category, fit_reviewer, ready_case

    with transaction.atomic():
        drugs = category("Pharmaceuticals", "Opioids")
        model = fit_reviewer()
        treatments = [
            {},
            {"items": [ItemOnForm(title="Norco", category_id=drugs.pk)]},
            {"items": [ItemOnForm(title="Drops", body_part="Eye")]},
        ]
        cases = [ready_case(**treatments[n % len(treatments)]) for n in range(CASES)]
        _copy_rows(model)
        many = [Organization() for _ in range(ORGANIZATIONS)]
        Organization.objects.bulk_store(many, by=None, at=MONDAY)
        ids = list(Organization.objects.order_by("pk").values_list("pk", flat=True))
        reviewers = list(Reviewer.objects.order_by("pk").values_list("pk", flat=True))
        relations = ["EMPLOYMENT", "CONTRACT", "PRIVILEGES", "SAME_GROUP", "OWNERSHIP"]
        Affiliation.objects.bulk_create(
            [
                Affiliation(
                    reviewer_id=reviewers[n % len(reviewers)],
                    relation=relations[n % len(relations)],
                    organization_id=ids[n * 7919 % len(ids)],
                    valid_from=date(2020, 1, 1),
                    verified_on=date(2026, 1, 15),
                    verified_by="C. Keeper",
                    source="Register",
                    recorded_at=PANEL_ENTERED,
                )
                for n in range(AFFILIATIONS)
            ],
            batch_size=500,
        )
    return cases


def _copy_rows(model: Any) -> None:
    from accounts.models import User
    from reviewers.models import (
        Certification,
        FileProof,
        License,
        PracticeFact,
        Reviewer,
        SanctionCheck,
        Training,
    )
    from tests.reviewers.factories import PANEL_ENTERED, specialty

    numbers = range(REVIEWERS - 1)
    users = User.objects.bulk_create(
        [User(email=f"copy{n}@example.org", name=f"Copy {n}") for n in numbers], batch_size=500
    )
    rows = [
        Reviewer(
            code=f"R-9{n:05d}",
            user=users[n],
            first_name=_make_name(n),
            last_name=_make_name(n * 31 + 7),
            capacity=2 + n % 5,
        )
        for n in numbers
    ]
    Reviewer.objects.bulk_store(rows, by=None, at=PANEL_ENTERED)
    ids = list(Reviewer.objects.exclude(pk=model.pk).order_by("pk").values_list("pk", flat=True))
    names = ["Physical Medicine & Rehabilitation", "Ophthalmology", "Psychiatry", "Hand Surgery"]
    fields = [specialty(name) for name in names]
    for kind in (License, Certification, PracticeFact, Training, SanctionCheck, FileProof):
        fresh = []
        for row in kind._default_manager.filter(reviewer=model):
            for n, pk in enumerate(ids):
                changes: dict[str, Any] = {}
                if kind is License and n % 4 == 0:
                    changes["state"] = "Nevada"
                if kind is Certification:
                    changes["specialty"] = fields[n % len(fields)]
                if kind is PracticeFact and row.kind == "HOURS" and n % 5 == 0:
                    changes["weekly_hours"] = 12
                if kind is Training and n % 9 == 0:
                    changes["valid_to"] = date(2026, 2, 1)
                fresh.append(_copy_row(kind, row, reviewer_id=pk, **changes))
        kind._default_manager.bulk_create(fresh, batch_size=500)


def _copy_row(kind: Any, row: Any, **changes: Any) -> Any:
    held = {
        field.attname: getattr(row, field.attname)
        for field in kind._meta.concrete_fields
        if not field.primary_key
    }
    made = kind(**held)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def _make_name(n: int) -> str:
    """Make a unique pronounceable name from a number."""
    parts = ["ba", "ke", "lo", "mi", "ru", "sa", "te", "vo", "wi", "zu", "dan", "fer", "gol"]
    said = ""
    n += 169
    while n:
        n, rest = divmod(n, len(parts))
        said += parts[rest]
    return said.capitalize()


def main() -> None:
    stage.set_up()
    from reviewers.matching import panel_snapshot, planning
    from reviewers.matching.candidates import (
        evaluate_candidates,
        gather_matching_input,
        load_matching_context,
    )
    from reviewers.matching.track_record import get_matching_rules
    from reviewers.models import Reviewer
    from tests.factories import MONDAY
    from tests.reviewers.naive import naively_ranked, plainly_ranked

    planned = int(sys.argv[1]) if len(sys.argv) > 1 else PLANNED
    cases = store_panel()
    now = MONDAY + timedelta(hours=4)

    def timed(case: Any) -> float:
        started = time.perf_counter()
        evaluate_candidates(case, on=DAY, known_at=now)
        return (time.perf_counter() - started) * 1000

    panel_snapshot.clear_panel_snapshots()
    first = timed(cases[0])
    kept = [timed(case) for case in cases[:MEASURED]]
    cold = []
    for case in cases[:5]:
        panel_snapshot.clear_panel_snapshots()
        cold.append(timed(case))

    some = list(Reviewer.objects.order_by("code"))[::STANDS_FOR]
    started = time.perf_counter()
    slowly = naively_ranked(cases[1], on=DAY, known_at=now, among=some)
    naive = (time.perf_counter() - started) * 1000 * STANDS_FOR
    verdicts, _ = evaluate_candidates(cases[1], on=DAY, known_at=now)
    ours = {one.reviewer_id: replace(one, rank=None) for one in verdicts}
    for one in slowly:  # what is measured is the same answer
        assert ours[one.reviewer_id] == replace(one, rank=None)  # noqa: S101

    plain = []
    for case in cases[:5]:
        started = time.perf_counter()
        verdicts = plainly_ranked(case, on=DAY, known_at=now)
        plain.append((time.perf_counter() - started) * 1000)
        assert verdicts == evaluate_candidates(case, on=DAY, known_at=now)[0]  # noqa: S101

    started = time.perf_counter()
    today = load_matching_context(get_matching_rules(DAY, known_at=now), on=DAY, known_at=now)
    steps = planning.plan_assignments(
        planning.PlanInput(case.pk, case.version, *gather_matching_input(case, today))
        for case in islice(cycle(cases), planned)
    )
    given = sum(step.chosen is not None for step in steps)
    plan = time.perf_counter() - started

    found = {
        "engine": stage.database_engine(),
        "reviewers": len(verdicts),
        "affiliations": AFFILIATIONS,
        "eligible for the case compared": sum(one.is_eligible for one in verdicts),
        "one case, facts kept, ms": {
            "median": round(statistics.median(kept), 1),
            "p95": round(stage.percentile_95(kept), 1),
        },
        "one case, facts read, ms": {"first": round(first, 1), "most": round(max(cold), 1)},
        f"naive loop, ms, from every {STANDS_FOR}th": round(naive),
        "naive loop to median": round(naive / statistics.median(kept), 1),
        "one loop over all that was read at once, ms": round(statistics.median(plain)),
        "that loop to median": round(statistics.median(plain) / statistics.median(kept), 1),
        "plan": {
            "cases": planned,
            "given away": given,
            "seconds": round(plan, 1),
            "ms a case": round(plan / planned * 1000, 1),
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
