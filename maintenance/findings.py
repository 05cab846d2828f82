"""What a check of the nightly run found, as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Called after each portion of rows, so that the lease of the running job is extended.
Tick = Callable[[], None]


@dataclass(frozen=True)
class Found:
    """One impossible state.

    :ivar code: the check that found it, a key of ``maintenance.checks.CHECKS``.
    :ivar table: the table of the row.
    :ivar row: the id of the row, as text.
    :ivar column: the stored derived field that differs, if it is one.
    :ivar reference: the number of the case, or empty.
    :ivar sentence: what is wrong, without personal data.
    :ivar values: the derived values by field, for the repair.
    :ivar seen_version: the version of the row when it was compared, if it keeps versions.
    :ivar seen_case_version: that of the case from which the values were derived, if there is one.
    """

    code: str
    table: str
    row: str
    sentence: str
    column: str = ""
    reference: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    seen_version: int | None = None
    seen_case_version: int | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What identifies the finding from one night to the next."""
        return self.code, self.table, self.row, self.column, self.sentence
