"""Migration operation that loads the shipped fees."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .shipped_fees import FEES

LOADED = "Shipped with the portal; not yet compared with the text of the law."


def load_default_fees(apps: Any, schema_editor: Any = None) -> None:
    """Fill the table of fees if it is empty, with a first version of each row.

    Nobody calls a migration with a moment, so the clock is read here.
    """
    model = apps.get_model("billing", "FeeRow")
    # Rows that are already there may have been changed by people.
    if model.objects.exists():
        return
    # This migration must still run when a column has been added to the rows later.
    columns = {column.name for column in model._meta.get_fields()}
    made = model.objects.bulk_create(
        [
            model(version=1, **{key: value for key, value in asdict(fee).items() if key in columns})
            for fee in FEES
        ]
    )
    # bulk_create writes no history. Without this, the rows would have no first version.
    history = apps.get_model("billing", "HistoricalFeeRow")
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
