"""The rule texts that come with the product, and the migration operation that loads them."""

from datetime import UTC, date, datetime
from typing import Any

from deadlines.migration_operations import LOADED

from .checks import HIGHER_RANK

# Nobody has confirmed these rows. The first day is that of the IMR law (SB 863).
ROWS: tuple[dict[str, Any], ...] = (
    {
        "code": HIGHER_RANK,
        "effective_from": date(2013, 1, 1),
        "effective_to": date(2017, 12, 31),
        "sentence": "Explain why every higher ranked standard is inapplicable to the worker’s "
        "medical condition.",
        "source": "Labor Code 4610.5(c)(2), as in force through 2017",
    },
    {
        "code": HIGHER_RANK,
        "effective_from": date(2018, 1, 1),
        "effective_to": None,
        "sentence": "Explain why you relied on this evidence, by the search sequence of the "
        "medical treatment utilization schedule (MTUS), including its drug formulary, and, if "
        "cited recommendations compete, by its method of evaluating evidence.",
        "source": "Labor Code 4610.5(c)(2); 8 CCR 9792.21.1, 9792.25.1",
    },
)


def load_rule_texts(apps: Any, schema_editor: Any = None) -> None:
    """Fill the table of rule texts if it is empty, with a first version of each row.

    Use with ``migrations.RunPython``. Nobody calls a migration with a moment, so the clock is read
    here.
    """
    model = apps.get_model("determinations", "RuleText")
    # Rows that are already there may have been changed by people.
    if model.objects.exists():
        return
    made = model.objects.bulk_create([model(version=1, **row) for row in ROWS])
    # bulk_create writes no history. Without this, the rows would have no first version.
    history = apps.get_model("determinations", "HistoricalRuleText")
    tracked = [column.attname for column in model._meta.concrete_fields]
    history.objects.bulk_create(
        [
            history(
                history_date=datetime.now(UTC),
                history_type="+",
                history_change_reason=LOADED,
                **{column: getattr(row, column) for column in tracked},
            )
            for row in made
        ]
    )
