"""Letters against WeasyPrint with the same look, as ratios of CPU time within one run.

    python -m bench.letters            the whole size
    python -m bench.letters --quick    in less than a minute; kept nowhere
    python -m bench.letters year       10,000 letters in one child: the year, and its memory

``DATABASE_URL`` selects the database; without it, SQLite. The CPU time of PostgreSQL's backend is
counted. Each round typesets other letters, so that no cache keeps what a round needs.
"""

import argparse
import gc
import multiprocessing
import queue
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

from . import letter_samples, stage

ON = date(2026, 3, 2)
LETTERS_OF_A_YEAR = 141_621
BATCH = 20
# Rounds, each of one batch by each engine; and letters of the child whose memory is measured.
WHOLE_SIZE = {"rounds": 9, "child": 3_000}
QUICK_SIZE = {"rounds": 3, "child": 300}
LETTERS_OF_THE_YEAR_RUN = 10_000


def read_resident_mib() -> float:
    """The memory of this process that is in RAM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS in /proc/self/status")


def list_engines() -> dict[str, Callable[..., Any]]:
    """Our engine, and WeasyPrint if it can be imported."""
    from letters.typesetting import compile_in_process

    engines: dict[str, Callable[..., Any]] = {"typst": compile_in_process}
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        print("WeasyPrint cannot be imported here; its ratios are left out.")
    else:
        from .weasyprint_letter import typeset_with_weasyprint

        engines["weasyprint"] = typeset_with_weasyprint
    return engines


def compile_bare(engine: Callable[..., Any], words: list[dict[str, Any]], pages: int) -> float:
    """CPU seconds to typeset the words, and nothing else."""
    started = time.process_time()
    for one in words:
        made = engine(one, "determination-today", ON)
        assert made.pages == pages, f"{made.pages} pages instead of {pages}"
    return time.process_time() - started


def run_task(engine: Callable[..., Any], ids: list[Any]) -> float:
    """CPU seconds of the worker's task: from the message to the filed letters."""
    from django.test import override_settings

    from letters import tasks
    from letters.models import Letter

    # A lease so long that no batch is cut short, however busy the machine is.
    lease = override_settings(LETTER_LEASE_SECONDS=3600)
    with lease, mock.patch("letters.typesetting.typeset_words", engine):
        started = stage.read_cpu()
        for first in range(0, len(ids), BATCH):
            tasks.render_letters(letter_ids=[str(one) for one in ids[first : first + BATCH]])
        spent = stage.read_cpu() - started
    assert Letter.objects.filter(pk__in=ids, state="FILED").count() == len(ids)
    return spent


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in a forked process, like one of a worker's pool; return what it returns."""
    from django.db import connections

    connections.close_all()
    forking = multiprocessing.get_context("fork")
    answer = forking.Queue()
    child = forking.Process(target=_answer, args=(answer, function, *args))
    child.start()
    while True:
        try:
            found = answer.get(timeout=5)
            break
        except queue.Empty:
            if not child.is_alive():
                raise SystemExit("The measured process has ended without an answer.") from None
    child.join()
    return found


def _answer(answer: Any, function: Callable[..., Any], *args: Any) -> None:
    answer.put(function(*args))


def measure_engines(rounds: int) -> dict[str, dict[int, list[float]]]:
    """CPU seconds a letter, of each engine bare and in the task, by pages and round."""
    wording_set = letter_samples.publish_wording()
    engines = list_engines()
    spent: dict[str, dict[int, list[float]]] = {}
    number = 1_000_000  # other letters than those of the child
    for pages in (1, 3):
        for turn in range(rounds + 1):
            for name, engine in engines.items():
                # The first round only warms up, with fewer letters.
                count = BATCH if turn else 2
                # Half as many bare, which has no batches.
                numbers = range(number, number + count // 2)
                number += count // 2
                words = letter_samples.build_words(wording_set, numbers, pages)
                bare = compile_bare(engine, words, pages) / len(words)
                numbers = range(number, number + count)
                number += count
                task = run_task(engine, letter_samples.queue_letters(wording_set, numbers, pages))
                if turn:
                    spent.setdefault(f"{name} bare", {}).setdefault(pages, []).append(bare)
                    spent.setdefault(f"{name} task", {}).setdefault(pages, []).append(task / count)
    return spent


def queue_for_child(letters: int) -> tuple[list[Any], list[Any]]:
    """Queue letters to file, and a tenth as many to compile bare; return the ids of both."""
    wording_set = letter_samples.publish_wording()
    numbers = range(1, letters + 1 + letters // 10)
    made = letter_samples.queue_letters(wording_set, numbers, 1)
    return made[:letters], made[letters:]


def fill_child(ids: list[Any], other_ids: list[Any]) -> dict[str, Any]:
    """File many letters in one child: CPU a letter, bare CPU a letter, and memory on the way."""
    from letters.models import Letter
    from letters.typesetting import compile_in_process

    memory: dict[int, float] = {}
    task = bare = 0.0
    for first in range(0, len(ids), BATCH):
        task += run_task(compile_in_process, ids[first : first + BATCH])
        # Two letters for each batch also bare, so that both figures are of the same minutes.
        some = other_ids[first // 10 : (first + BATCH) // 10]
        words = [row.words for row in Letter.objects.filter(pk__in=some)]
        bare += compile_bare(compile_in_process, words, 1)
        filed = first + BATCH
        if filed % 100 == 0:
            gc.collect()
            memory[filed] = read_resident_mib()
    return {"task": task / len(ids), "bare": bare / len(other_ids), "memory": memory}


def measure_libreoffice(words: list[dict[str, Any]]) -> float | None:
    """CPU seconds of LibreOffice for one letter, a process each; None where it is missing."""
    import resource

    from .weasyprint_letter import build_page

    program = shutil.which("soffice")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        spent = 0.0
        for position, one in enumerate(words):
            page = Path(folder) / f"{position}.html"
            page.write_text(build_page(one))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [program, "--headless", "--convert-to", "pdf:writer_web_pdf_Export",
                 "--outdir", folder, f"-env:UserInstallation=file://{folder}/profile", str(page)],
                check=True, capture_output=True, timeout=120,
            )  # fmt: skip
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert page.with_suffix(".pdf").exists()
            if position:  # the first one makes the profile
                spent += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent / (len(words) - 1)


def compare_rounds(spent: dict[str, dict[int, list[float]]], pages: int, kind: str) -> float:
    """How many times as much CPU WeasyPrint takes: the median of the rounds."""
    pairs = zip(spent[f"weasyprint {kind}"][pages], spent[f"typst {kind}"][pages], strict=True)
    return statistics.median(theirs / ours for theirs, ours in pairs)


def measure_ratios(rounds: int) -> list[str]:
    """Measure both engines and print the bars of their ratios."""
    spent = in_child(measure_engines, rounds)
    lines = [
        f"{name}, {pages} pages: {1000 * statistics.median(by_pages[pages]):.1f} CPU ms"
        for name, by_pages in spent.items()
        for pages in (1, 3)
    ]
    print(*lines, sep="\n", flush=True)
    database = stage.database_engine()
    names = {1: "1-page", 3: "3-pages"}
    for pages, name in names.items():
        if "weasyprint bare" in spent:
            for kind, bound in (("bare", 5), ("task", 5 if database == "SQLite" else 4.5)):
                figure = compare_rounds(spent, pages, kind)
                bar = f"letters-{kind}-{name}-{database}"
                lines.append(stage.print_bar(bar, figure, bound, at_least=True))
        shares = zip(spent["typst bare"][pages], spent["typst task"][pages], strict=True)
        share = 100 * statistics.median(bare / task for bare, task in shares)
        bar = f"letters-typst-percent-of-task-{name}-{database}"
        lines.append(stage.print_bar(bar, share, 55, at_least=True))
    return lines


def measure_memory(letters: int) -> list[str]:
    """Measure the memory of one child and print its bars."""
    from imr_portal.celery import app

    # The child has what a worker's child has, and not what makes the letters.
    ids, other_ids = in_child(queue_for_child, letters)
    app.loader.import_default_modules()
    found = in_child(fill_child, ids, other_ids)
    memory = found["memory"]
    database = stage.database_engine()
    # From the 200th letter on, by when the caches are full.
    early = max(200, letters // 10)
    growth = 100 * (memory[max(memory)] / memory[early] - 1)
    name = f"letters-child-MiB-after-{letters}-{database}"
    return [
        f"child: {1000 * found['task']:.1f} CPU ms a letter, {1000 * found['bare']:.1f} bare",
        "memory in MiB by letters: " + list_tenths(memory),
        stage.print_bar(name, memory[max(memory)], 150, at_least=False),
        stage.print_bar(f"letters-child-growth-percent-{database}", growth, 2, at_least=False),
        *(measure_year(found, letters) if letters >= LETTERS_OF_THE_YEAR_RUN else []),
    ]


def list_tenths(memory: dict[int, float]) -> str:
    """About ten of the figures, for a line of the results."""
    every = max(1, len(memory) // 10)
    return ", ".join(f"{n}: {mib:.0f}" for n, mib in list(memory.items())[every - 1 :: every])


def measure_year(found: dict[str, Any], letters: int) -> list[str]:
    """Print the bar of a year of California's letters, extrapolated from so many real ones."""
    minutes = LETTERS_OF_A_YEAR * found["task"] / 60
    name = f"letters-year-times-bare-from-{letters}-{stage.database_engine()}"
    return [
        f"year: {LETTERS_OF_A_YEAR} letters in {minutes:.0f} CPU minutes of this machine",
        stage.print_bar(name, found["task"] / found["bare"], 1.6, at_least=False),
    ]


def measure_office() -> list[str]:
    """Compare with LibreOffice where it is installed."""
    wording_set = letter_samples.publish_wording()
    words = letter_samples.build_words(wording_set, range(5_000_000, 5_000_004), 3)
    theirs = measure_libreoffice(words)
    if theirs is None:
        return ["LibreOffice is not installed here; its ratio is left out."]
    ours = in_child(compile_bare, list_engines()["typst"], words, 3) / len(words)
    return [f"LibreOffice, a process a letter: {theirs / ours:.0f} times the CPU of ours, bare"]


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench.letters", description=__doc__)
    asked.add_argument("part", nargs="?", choices=["all", "ratios", "child", "year"], default="all")
    asked.add_argument("--quick", action="store_true", help="in less than a minute")
    chosen = asked.parse_args()
    size = QUICK_SIZE if chosen.quick else WHOLE_SIZE
    # The demonstration is not needed, so only the tables of letters are made.
    stage.set_up("letters")
    lines: list[str] = []
    # First the child, whose memory must not hold the other engine.
    if chosen.part in ("all", "child"):
        lines += measure_memory(size["child"])
    if chosen.part == "year":
        lines += measure_memory(LETTERS_OF_THE_YEAR_RUN)
    if chosen.part in ("all", "ratios"):
        lines += measure_ratios(size["rounds"])
    if chosen.part == "all" and not chosen.quick:
        lines += measure_office()
    summary = f"{chosen.part}, {stage.database_engine()}:\n  " + "\n  ".join(lines)
    if chosen.quick:
        print(summary)
    else:
        stage.print_and_keep("letters", summary)


if __name__ == "__main__":
    main()
