"""Killed processes and thirty clients at once: ``script/bench faults``.

Letters: a hundred times one process of those that make letters is killed, or the broker is emptied,
drawn by lot from a seed, while 1,500 letters are made. Recovery: one process after the other, to
measure how long its letters take. Clients: thirty clerks save for a minute by HTTP. All run on
SQLite and on PostgreSQL, with the shipped settings. Each measure is one line,
``BAR name figure bound ok|missed``; the bench fails if one is missed.

    script/bench faults                      all parts on both databases; about half an hour
    script/bench faults --quick              a small run on SQLite with short leases; kept nowhere
    script/bench faults letters --seed 7     one part, with the same lots
"""

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass

from . import portal, stage
from .fault_clients import describe_latencies, list_client_bars, run_clients
from .fault_letters import (
    Storm,
    list_single_bars,
    list_storm_bars,
    run_letters,
    run_single_faults,
)
from .fault_verdicts import Bar, LetterVerdict


@dataclass(frozen=True)
class Size:
    """How much is done."""

    kills: int = 100
    letters: int = 1_500
    clients: int = 30
    seconds: float = 60


QUICK = Size(kills=3, letters=30, clients=30, seconds=5)
# The shipped leases alone are longer than a quick run.
QUICK_SETTINGS = {"LETTER_LEASE_SECONDS": "4", "CELERY_VISIBILITY_TIMEOUT": "6"}
SHOWN_WAITS = 10


def measure_letters(size: Size, seed: int) -> tuple[list[Bar], str]:
    """Break processes at random; return the bars and a line with the rest."""
    storm, verdict = run_letters(faults=size.kills, letters=size.letters, seed=seed)
    bars = list_storm_bars(storm, verdict, faults=size.kills, letters=size.letters)
    return bars, describe_storm(storm, verdict)


def measure_recovery(size: Size, seed: int) -> tuple[list[Bar], str]:
    """Break one process after the other; without lots, and return the same."""
    storm, verdict = run_single_faults()
    return list_single_bars(storm, verdict), describe_storm(storm, verdict)


def describe_storm(storm: Storm, verdict: LetterVerdict) -> str:
    """Print what was found, and return the rest of the figures."""
    for name in ("lost", "doubled", "wrong", "stuck"):
        for number in getattr(verdict, name)[:20]:
            print(f"{name}: {number}")
    for wait in verdict.waits[:SHOWN_WAITS]:
        print(wait)
    kinds = ", ".join(f"{name} {number}" for name, number in sorted(storm.faults.items()))
    regular, urgent = (verdict.find_longest_wait(urgent=urgent) for urgent in (False, True))
    return (
        f"({kinds}; {storm.in_flight} hit letters, {len(storm.losses)} losses; longest wait of a "
        f"lost letter {regular:g} s, of an urgent one {urgent:g} s)"
    )


def measure_clients(size: Size, seed: int) -> tuple[list[Bar], str]:
    """Run the clients; return the bars and a line with the rest."""
    office, verdict = run_clients(clients=size.clients, seconds=size.seconds, seed=seed)
    for name in ("lost", "doubled", "stored_unsaid", "untyped", "errors"):
        for form in getattr(verdict, name)[:20]:
            print(f"{name}: {form} (missing: {', '.join(form.missing)})")
    pages = ", ".join(f"{status} {number}" for status, number in sorted(office.pages.items()))
    statuses = sorted({form.status for form in office.sent})
    counts = ", ".join(
        f"{status} {sum(form.status == status for form in office.sent)}" for status in statuses
    )
    line = (
        f"({size.clients} clients for {size.seconds:g} s; forms {counts}; pages {pages}; "
        f"{describe_latencies(office.sent)})"
    )
    return list_client_bars(office, verdict), line


SHOWN_WAITS = 20
PARTS = {"letters": measure_letters, "recovery": measure_recovery, "clients": measure_clients}
QUICK_PARTS = ("letters", "clients")


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench faults")
    parser.add_argument("parts", nargs="*", help="letters, recovery or clients; all without one")
    parser.add_argument("--quick", action="store_true", help="a small run on SQLite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args()
    if unknown := {*asked.parts} - {*PARTS}:
        parser.error(f"{', '.join(sorted(unknown))}: write letters, recovery or clients")
    size = QUICK if asked.quick else Size()
    if asked.quick:
        os.environ |= QUICK_SETTINGS
    portal.set_up()
    missed = False
    for name in asked.parts or (QUICK_PARTS if asked.quick else PARTS):
        began = time.monotonic()
        print(f"{name}, {stage.database_engine()}, seed {asked.seed}", flush=True)
        bars, line = PARTS[name](size, asked.seed)
        figures = ", ".join(f"{bar.name.partition('.')[2]} {bar.figure:g}" for bar in bars)
        kept = (
            f"{name}, {stage.database_engine()}, seed {asked.seed}: {figures} {line}, "
            f"{time.monotonic() - began:.0f} s, load {os.getloadavg()[1]:.0f}"
        )
        if asked.quick:
            print(kept)
        else:
            stage.print_and_keep("faults", kept)
        for bar in bars:
            print(bar, flush=True)
        missed = missed or not all(bar.is_met for bar in bars)
    if missed:
        sys.exit("A bar was missed.")


if __name__ == "__main__":
    main()
