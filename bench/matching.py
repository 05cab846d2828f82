"""Matching one case with 3,000 reviewers and 20,000 affiliations, and a long batch assignment.

``script/bench matching [--quick]``. Matching is compared with a careful loop, which reads
everything at once and then checks every requirement of every reviewer. Both have to give the same
results, which is asserted. It is also compared with the commit before it was made fast, as
multiples of the yardstick. The batch assignment has 1,000 cases: 40 different ones, repeated. A
quick run, of 120 cases, is kept nowhere.
"""

import json
import statistics
import sys
from datetime import date, timedelta
from functools import partial
from itertools import cycle, islice
from typing import Any

from . import stage

REVIEWERS, AFFILIATIONS, ORGANIZATIONS = 3_000, 20_000, 2_000
CASES = 40
PLANNED, QUICK_PLANNED = 1_000, 120
A_PLAN = 60  # cases of one plan, as on the page
MEASURED = 20
SHOWN = 25  # eligible reviewers whose reasons are made
DAY = date(2026, 3, 2)


def store_panel() -> list[Any]:
    """Store a panel of copies of one reviewer, each slightly different, and the cases."""
    from django.db import transaction

    from directory.models import Organization
    from intake.services.receiving import ItemOnForm
    from reviewers.models import Affiliation, Reviewer
    from tests.factories import MONDAY
    from tests.reviewers.factories import PANEL_ENTERED, fit_reviewer, get_category, ready_case

    with transaction.atomic():
        drugs = get_category("Pharmaceuticals", "Opioids")
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
    from tests.reviewers.factories import PANEL_ENTERED, get_specialty

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
    fields = [get_specialty(name) for name in names]
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
    quick = "--quick" in sys.argv[1:]
    stage.set_up()
    from reviewers.matching import kept_panel, planning
    from reviewers.matching.candidates import (
        evaluate_candidates,
        gather_ranking_inputs,
        load_matching_context,
        rank_case,
    )
    from reviewers.stored_lists import pack_candidates
    from tests.factories import MONDAY
    from tests.reviewers.naive import plainly_ranked

    planned = QUICK_PLANNED if quick else PLANNED
    cases = store_panel()
    now = MONDAY + timedelta(hours=4)

    def rank(case: Any) -> None:
        """Rank the panel and make the reasons that a page shows."""
        placed = rank_case(case, on=DAY, known_at=now)
        list(placed.list_eligible(SHOWN))
        placed.list_closest(planning.CLOSEST_SHOWN)
        assert placed.refusal_counts  # noqa: S101

    def store(case: Any) -> int:
        """Pack the whole list as it is stored, and return its size in bytes."""
        results = rank_case(case, on=DAY, known_at=now).list_results()
        packed = pack_candidates((one.reviewer_id, one.score, one.reasons) for one in results)
        return len(json.dumps(packed).encode())

    def plan() -> None:
        today = load_matching_context(on=DAY, known_at=now)
        many = list(islice(cycle(cases), planned))
        for start in range(0, planned, A_PLAN):
            some = many[start : start + A_PLAN]
            inputs = gather_ranking_inputs(some, today)
            for _ in planning.plan_assignments(
                (
                    planning.PlanInput(case.pk, case.version, one)
                    for case, one in zip(some, inputs, strict=True)
                ),
                work=today.work,
            ):
                pass

    kept_panel.clear_kept_panel()
    cold = stage.time_cpu(lambda: rank(cases[0]))
    for case in cases[:3]:  # what is measured is the same answer
        assert (  # noqa: S101
            plainly_ranked(case, on=DAY, known_at=now)
            == evaluate_candidates(case, on=DAY, known_at=now)[0]
        )
    # Taken in turn, so that a slow minute of the machine is slow for all of them.
    yardstick, warm, careful, packing, sizes = [], [], [], [], []
    for n in range(MEASURED):
        case = cases[n % len(cases)]
        warm.append(stage.time_cpu(partial(rank, case)))
        if n % 4 == 0:
            yardstick.append(stage.time_cpu(stage.run_yardstick))
            careful.append(stage.time_cpu(partial(plainly_ranked, case, on=DAY, known_at=now)))
            packing.append(stage.time_cpu(partial(store, case)))
            sizes.append(store(case))
    of_plan = stage.time_cpu(plan) / planned
    yardstick += [stage.time_cpu(stage.run_yardstick) for _ in range(3)]

    unit, one_case = statistics.median(yardstick), statistics.median(warm)
    engine = stage.database_engine()
    before = stage.read_figures(f"matching-before-{engine}")
    stage.show_figures(
        {
            "reviewers": REVIEWERS,
            "affiliations": AFFILIATIONS,
            "yardstick, CPU ms": round(unit, 2),
            "one case, CPU ms": round(one_case, 2),
            "one case, yardsticks": round(one_case / unit, 4),
            "one case, facts read, yardsticks": round(cold / unit, 3),
            "careful loop, yardsticks": round(statistics.median(careful) / unit, 3),
            "whole list with reasons, yardsticks": round(statistics.median(packing) / unit, 4),
            "plan, cases": planned,
            "plan, yardsticks a case": round(of_plan / unit, 4),
        },
        keep_in="" if quick else f"matching-{engine}",
    )
    stage.print_bar(
        f"matching {engine}: careful loop to one case",
        statistics.median(careful) / one_case,
        100,
        at_least=True,
        keep_in="" if quick else "bars",
    )
    stage.print_bar(
        f"matching {engine}: one case before to now",
        before["one case, yardsticks"] * unit / one_case,
        10,
        at_least=True,
        keep_in="" if quick else "bars",
    )
    stage.print_bar(
        f"matching {engine}: plan before to now",
        before["plan, yardsticks a case"] * unit / of_plan,
        15,
        at_least=True,
        keep_in="" if quick else "bars",
    )
    stage.print_bar(
        f"matching {engine}: stored list, kB",
        max(sizes) / 1000,
        100,
        at_least=False,
        keep_in="" if quick else "bars",
    )


if __name__ == "__main__":
    main()
