"""All benches with bars, one after the other: ``script/bench all``.

Each is a process of its own. The lines of its output are passed on, and at the end its bars are
printed together, ``BAR name figure bound ok|missed``. The command fails if a bar is missed, a bench
fails, or one printed no bar. ``records``, ``checks`` and ``faults`` take long and are run by name.

    script/bench all --quick    small sizes; six minutes at most on two cores, kept together in
                                bench/results/all_quick.txt
    script/bench all            full sizes; needs 8 GB of disk
"""

import argparse
import importlib.util
import resource
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from . import stage

PARTS = ("letters", "matching", "pages", "imports", "start", "frontend")
QUICK_MINUTES = 6


def run_part(name: str, *, quick: bool) -> tuple[list[str], bool]:
    """Run one bench; return its bars, and whether it ended as it should."""
    words = [sys.executable, "-u", "-m", f"bench.{name}", *(["--quick"] if quick else [])]
    bars = []
    with subprocess.Popen(
        words, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        for line in bench.stdout:
            print(line, end="", flush=True)
            if line.startswith("BAR "):
                bars.append(line.strip())
    # A bench that misses a bar fails too; its bars say so.
    return bars, bench.returncode == 0 or any(bar.endswith(" missed") for bar in bars)


def list_problems(name: str, bars: list[str], *, ended_well: bool) -> list[str]:
    """Say what went wrong with one bench, in sentences."""
    if not ended_well:
        return [f"The bench of {name} failed; see above."]
    if not bars:
        return [f"The bench of {name} printed no bar."]
    return []


def read_cpu_of_parts() -> float:
    """Return the CPU seconds of the benches that have ended, and of what they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def keep_quick_bars(bars: list[str]) -> None:
    """Keep the bars of a quick run with the machine and the commit, in place of the last ones."""
    head = f"{datetime.now():%Y-%m-%d} script/bench all --quick ({stage.describe_machine()})"
    (stage.RESULTS / "all_quick.txt").write_text("\n".join([head, *bars]) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench all")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    asked = parser.parse_args()
    began = time.monotonic()
    all_bars: list[str] = []
    problems: list[str] = []
    for name in PARTS:
        print(f"\n== {name}", flush=True)
        if importlib.util.find_spec(f"bench.{name}") is None:
            print(f"There is no bench/{name}.py, so {name} is left out.")
            continue
        part_began = time.monotonic()
        bars, ended_well = run_part(name, quick=asked.quick)
        print(f"{name}: {time.monotonic() - part_began:.0f} s", flush=True)
        all_bars += bars
        problems += list_problems(name, bars, ended_well=ended_well)
    minutes = (time.monotonic() - began) / 60
    print("\n== all bars", *all_bars, sep="\n")
    missed = sum(bar.endswith(" missed") for bar in all_bars)
    print(f"{len(all_bars)} bars, {missed} missed")
    # On a busy machine the minutes say who else was working.
    print(f"{minutes:.1f} minutes, {read_cpu_of_parts() / 60:.1f} minutes of CPU time")
    if asked.quick:
        keep_quick_bars(all_bars)
    if asked.quick and minutes > QUICK_MINUTES:
        print(f"A quick run takes {QUICK_MINUTES} minutes on two cores that do nothing else.")
    print(*problems, sep="\n")
    if missed or problems:
        sys.exit(1)


if __name__ == "__main__":
    main()
