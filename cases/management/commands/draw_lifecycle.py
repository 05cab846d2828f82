"""Draw ``docs/lifecycle.md`` from the table of moves."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.roles import Role
from cases.lifecycle import CLOSED_STATES, MOVES, NEXT_ROLE, Status, diagram

PAGE = Path("docs", "lifecycle.md")
EARLY_ENDS = (Status.WITHDRAWN, Status.TERMINATED)


class Command(BaseCommand):
    """``manage.py draw_lifecycle [--check]``."""

    help = f"Write {PAGE} from cases/lifecycle.py; with --check only say whether it is current."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / PAGE
        text = draw()
        if not check:
            page.write_text(text, encoding="utf-8")
            self.stdout.write(f"{PAGE} drawn.")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            raise CommandError(f"{PAGE} is stale. Run manage.py draw_lifecycle.")
        else:
            self.stdout.write(f"{PAGE} is current.")


def draw() -> str:
    """The page: what the lifecycle is, its diagram, and one row per state."""
    return f"""# The life of a case

Drawn from `cases/lifecycle.py` by `manage.py draw_lifecycle`; do not edit this page by hand. A case
changes its state through `Case.move_to` alone, which refuses every move that is not in the table
and stores whether the case is open and which role must act next.

A case is in one state at a time. “Overdue” is not a state, it is read from the due date; priority
is an attribute of the case. When only some items are authorized since, those items end and the
case goes on.

```mermaid
{diagram()}
```

Not drawn, to keep the picture readable: the two early ends. From every state before
“{Status.ISSUED.label}” a case can also go to “{Status.WITHDRAWN.label}” or to
“{Status.TERMINATED.label}”.

| state | stored as | who acts next | legal moves |
|---|---|---|---|
{_rows()}

Closed: {", ".join(f"“{state.label}”" for state in CLOSED_STATES)}. Every other state is open.
A closed case opens again by a remand (it awaits records in the next round) or when its closure is
reversed (it is screened again).
"""


def _rows() -> str:
    return "\n".join(
        f"| {state.label} | `{state.value}` | {_who(state)} | {_moves(state)} |" for state in Status
    )


def _who(state: Status) -> str:
    return Role(NEXT_ROLE[state]).label if NEXT_ROLE[state] else "nobody"


def _moves(state: Status) -> str:
    legal = [other.label for other in Status if other in MOVES[state] and other not in EARLY_ENDS]
    if set(EARLY_ENDS) <= MOVES[state]:
        legal.append("either early end")
    return "; ".join(legal)
