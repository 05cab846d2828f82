"""Importing decisions and applications in batches, compared with one at a time.

``script/bench imports [--quick]``; a quick run is kept nowhere.
"""

import copy
import json
import statistics
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from . import stage

SHAPES = Path(__file__).resolve().parent.parent / "tests" / "determinations" / "shapes"
CASES, QUICK_CASES = 1_500, 300
A_ROUND = 150  # of three times as many letters, two thirds are loaded in one batch
AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)


def make_facts(many: int, *, first: int) -> list[dict[str, Any]]:
    """Make the facts of many decisions, copies of three with numbers of their own."""
    models = [json.loads(path.read_text()) for path in sorted(SHAPES.glob("*.json"))]
    made = []
    for n in range(first, first + many):
        facts = copy.deepcopy(models[n % len(models)])
        facts["case_number"] = f"CM16-{n:07d}"
        made.append(facts)
    return made


def make_rows(many: int, *, first: int) -> list[dict[str, Any]]:
    """Make rows of applications of different workers, with some administrators in common."""
    return [
        {
            "received": "2026-02-27",
            "first_name": f"Ada {n % 7}",
            "last_name": f"Worker{n * 7919 % 999_983}",
            "date_of_birth": f"{1950 + n % 50}-{1 + n % 12:02d}-{1 + n % 28:02d}",
            "claim_number": f"WC-{n * 7919 % 9_999_991:07d}",
            "ur_decided": "2026-02-10",
            "employer": f"Employer {n % 300}",
            "physician_first": "Dana",
            "physician_last": f"Physician{n % 200}",
            "administrator": f"Claims {n % 20}",
            "title": "MRI of the lumbar spine",
        }
        for n in range(first, first + many)
    ]


def measure_applications(many: int) -> tuple[float, float, float]:
    """Return the CPU milliseconds of one application: its form, alone, and in a batch."""
    from accounts.roles import Role
    from intake.management.commands import import_applications as command
    from intake.services.bulk_receiving import receive_many_applications
    from intake.services.receiving import receive_application
    from tests.factories import MONDAY, person

    clerk = person(Role.INTAKE)
    reader = command._RowReader(MONDAY)

    def receive_batch(batch: list[Any]) -> None:
        results = receive_many_applications(applications=batch, by=clerk, at=MONDAY)
        assert all(result.case for result in results)  # noqa: S101

    def read_rows(rows: list[Any]) -> None:
        batch.extend(map(reader.read, rows))

    batch: list[Any] = []
    read_rows(make_rows(2, first=0))
    receive_batch(batch)  # imports and caches
    forms, alone, together = [], [], []
    a_batch = command.ROWS_AT_ONCE
    for first in range(10, 10 + 2 * many, 2 * a_batch):
        batch = []
        forms.append(
            stage.time_cpu(partial(read_rows, make_rows(2 * a_batch, first=first))) / (2 * a_batch)
        )
        alone += [
            stage.time_cpu(partial(receive_application, application=one, by=clerk, at=MONDAY))
            for one in batch[: a_batch // 5]
        ]
        together.append(stage.time_cpu(partial(receive_batch, batch[a_batch:])) / a_batch)
    return statistics.mean(forms), statistics.mean(alone), statistics.mean(together)


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    many = QUICK_CASES if quick else CASES
    stage.set_up()
    from cases.models import Case
    from determinations.published import export_case_facts
    from determinations.services.published import load_many_published, load_published

    def load_one(facts: dict[str, Any]) -> None:
        load_published(facts=facts, by=None, at=AT)

    def load_batch(letters: list[dict[str, Any]]) -> None:
        results = load_many_published(letters=letters, by=None, at=AT)
        assert all(result.case for result in results)

    load_one(make_facts(1, first=1)[0])  # imports and caches
    letters = make_facts(3 * many, first=1000)
    yardstick, one_by_one, batches = [], [], []
    # In turn, so that a slow minute of the machine is slow for both.
    for start in range(0, 3 * many, 3 * A_ROUND):
        some = letters[start : start + 3 * A_ROUND]
        yardstick.append(stage.time_cpu(stage.run_yardstick))
        one_by_one += [stage.time_cpu(partial(load_one, facts)) for facts in some[: A_ROUND // 5]]
        batches.append(stage.time_cpu(partial(load_batch, some[A_ROUND:])) / (2 * A_ROUND))
    for facts in letters[A_ROUND : A_ROUND + 6]:  # what is measured is a round trip
        stored = export_case_facts(Case.objects.get(number=facts["case_number"]))
        assert stored["items"] == json.loads(json.dumps(stored["items"]))
        assert len(stored["items"]) == len(facts["items"])
    unit = statistics.median(yardstick)
    row_by_row, in_batches = statistics.mean(one_by_one), statistics.mean(batches)
    engine = stage.database_engine()
    form, application, in_batch = measure_applications(many // 3)
    before = stage.read_figures(f"imports-before-{engine}")
    stage.show_figures(
        {
            "cases in batches": 2 * len(batches) * A_ROUND,
            "yardstick, CPU ms": round(unit, 2),
            "one decision alone, yardsticks": round(row_by_row / unit, 4),
            "one decision in a batch, CPU ms": round(in_batches, 2),
            "one decision in a batch, yardsticks": round(in_batches / unit, 5),
            "one by one to batches": round(row_by_row / in_batches, 2),
            "form of an application, CPU ms": round(form, 2),
            "one application alone, CPU ms": round(application, 2),
            "one application in a batch, CPU ms": round(in_batch, 2),
        },
        keep_in="" if quick else f"imports-{engine}",
    )
    # On SQLite there are no round trips to save, and no bar is set for it.
    if engine == "PostgreSQL":
        stage.print_bar(
            f"imports {engine}: one by one to batches",
            row_by_row / in_batches,
            8,
            at_least=True,
            keep_in="" if quick else "bars",
        )
    # The form, which both ways fill in, is part of what an application costs.
    stage.print_bar(
        f"imports {engine}: applications one by one to batches",
        (form + application) / (form + in_batch),
        8,
        at_least=True,
        keep_in="" if quick else "bars",
    )
    stage.print_bar(
        f"imports {engine}: before to now",
        before["one decision, yardsticks"] * unit / in_batches,
        8,
        at_least=True,
        keep_in="" if quick else "bars",
    )


if __name__ == "__main__":
    main()
