"""The lock that every correction of a dated fact takes first."""

from typing import Any

from django.db import connection

from accounts.refusals import refuse_if
from directory.models import TwoTimeFact


def lock_fact(model: type[TwoTimeFact], fact_id: int) -> TwoTimeFact:
    """Lock a fact that has not been corrected or withdrawn yet. Call it inside a transaction.

    :raises NotAllowed: it has been corrected or withdrawn.
    """
    old = lock_dated_row(model, fact_id)
    rows: Any = model  # the type checker cannot query an abstract model
    if old.withdrawn or rows.objects.filter(corrects=old).exists():
        refuse_if("Someone else corrected this. Reload the page to see the correction.")
    return old


def lock_dated_row(model: type[TwoTimeFact], fact_id: int) -> TwoTimeFact:
    """Lock a fact against another correction until the transaction ends, and read it.

    The row itself cannot be locked: PostgreSQL asks for the right to update, which the portal does
    not have on tables that only grow.
    """
    # Locked before it is read, so that two corrections of one row cannot both pass. On SQLite, one
    # transaction writes at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"{model._meta.db_table}/{fact_id}"],
            )
    rows: Any = model  # the type checker cannot query an abstract model
    row: TwoTimeFact = rows.objects.get(pk=fact_id)
    return row
