"""Write ``docs/lifecycle.md`` from the table of moves."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.roles import Role
from cases.lifecycle import (
    CLOSED_STATES,
    MOVES,
    NEXT_ROLE,
    UNDO_MOVES,
    Status,
    draw_state_diagram,
)

PAGE = Path("docs", "lifecycle.md")
EARLY_ENDS = (Status.WITHDRAWN, Status.TERMINATED)


class Command(BaseCommand):
    """``manage.py draw_lifecycle [--check]``."""

    help = f"Write {PAGE} from cases/lifecycle.py; with --check only compare it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail if out of date"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / PAGE
        text = draw_lifecycle_page()
        if not check:
            page.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {PAGE}.")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            raise CommandError(f"{PAGE} is out of date. Run manage.py draw_lifecycle.")
        else:
            self.stdout.write(f"{PAGE} is up to date.")


def draw_lifecycle_page() -> str:
    """Build the page: an introduction, the diagram, and one table row per state."""
    return f"""# Lifecycle of a case

Generated from `cases/lifecycle.py` by `manage.py draw_lifecycle`; do not edit this page by hand.
Only `Case.move_to` and `Case.move_back_to` change the state of a case. They refuse every move that
is not in the table, and store whether the case is open and which role acts next.

A case is in one state at a time. “Overdue” is not a state: it is computed from the due date.
Priority is an attribute of the case. When the claims administrator authorizes only some items,
those items end and the case continues.

```mermaid
{draw_state_diagram()}
```

The diagram leaves out the two early ends. From every state before “{Status.ISSUED.label}” a case
can also move to “{Status.WITHDRAWN.label}” or to “{Status.TERMINATED.label}”.

Moves marked “undo” only take back what the same person did seconds ago, or what was recorded as
sent in error on the same day, while nothing followed. `Case.move_back_to` makes them.

| State | Stored as | Acts next | Allowed moves | Undo only |
|---|---|---|---|---|
{_format_state_rows()}

Closed: {", ".join(f"“{state.label}”" for state in CLOSED_STATES)}. Every other state is open.
A remand reopens a closed case, which then awaits records in the next round. A reversed closure
returns it to the eligibility review.
"""


def _format_state_rows() -> str:
    """Format one table row per state."""
    return "\n".join(
        f"| {state.label} | `{state.value}` | {_name_next_role(state)} | "
        f"{_list_legal_moves(state)} | {_list_undo_moves(state)} |"
        for state in Status
    )


def _name_next_role(state: Status) -> str:
    """Name the role that acts next."""
    return Role(NEXT_ROLE[state]).label if NEXT_ROLE[state] else "nobody"


def _list_legal_moves(state: Status) -> str:
    """List the allowed moves of a state; the two early ends are one entry."""
    legal = [other.label for other in Status if other in MOVES[state] and other not in EARLY_ENDS]
    if set(EARLY_ENDS) <= MOVES[state]:
        legal.append("either early end")
    return "; ".join(legal)


def _list_undo_moves(state: Status) -> str:
    """List the moves of a state that only an undo makes."""
    only = UNDO_MOVES.get(state, set()) - MOVES[state]
    return "; ".join(other.label for other in Status if other in only)
