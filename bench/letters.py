"""Letters per second and core: the worker's task, compared with WeasyPrint for the same content.

Both run the whole task (read the row, typeset, hash, store, file with history) in one forked
process, in alternating rounds; only the typesetting differs. The ratio is of CPU seconds.
"""

import html
import multiprocessing
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from . import stage

ROUNDS, LETTERS = 5, 20


def html_page(words: dict[str, Any]) -> str:
    """The same text as HTML with headings, a table and paragraphs."""

    def text(value: object) -> str:
        return "".join(f"<p>{html.escape(part)}</p>" for part in str(value).split("\n\n"))

    grid = "".join(
        f"<tr><th>{label}</th><td>{html.escape(str(words[name] or ''))}</td></tr>"
        for label, name in (
            ("Case Number", "case_number"),
            ("Date Assigned", "date_assigned"),
            ("Date of Injury", "date_of_injury"),
            ("Decision Date", "decision_date"),
            ("UR Denial Date", "ur_denial_date"),
            ("Priority", "priority"),
            ("Application Received", "application_received"),
        )
    )
    items = "".join(
        f"<h3>{html.escape(item['title'])}: {item['outcome']}</h3>"
        f"<p><b>Claims Administrator guideline:</b> "
        f"{html.escape(item['claims_administrator_guideline'])}</p>"
        + "".join(
            f"<p><b>Guideline:</b> {html.escape(one['guideline'])}</p>{text(one['rationale'])}"
            for one in item["analyses"]
        )
        for item in words["items"]
    )
    return (
        f"<html lang='en'><head><title>{html.escape(words['title'])}</title></head><body>"
        f"<h1>{html.escape(words['title'])}</h1><table>{grid}</table>"
        f"<h2>How the IMR final determination was made</h2>{text(' '.join(words['how_made']))}"
        f"<h2>Clinical case summary</h2>{text(words['summary_lead_in'])}{text(words['summary'])}"
        f"<h2>Issues, decisions and rationales</h2>{text(words['decisions_lead_in'])}{items}"
        "</body></html>"
    )


def weasyprint_engine(words: dict[str, Any], layout: str, on: object) -> Any:
    import io

    import pikepdf
    from weasyprint import HTML

    from letters.typesetting import TypesetLetter

    content = HTML(string=html_page(words)).write_pdf(pdf_variant="pdf/ua-1")
    return TypesetLetter(content, len(pikepdf.open(io.BytesIO(content)).pages))


def queue_letters(count: int) -> list[Any]:
    """Queue copies of one issued determination, each a letter with its own number."""
    from datetime import UTC, datetime

    from letters.documents import words_sha256
    from letters.models import Letter

    model = Letter.objects.filter(kind="determination").order_by("created_at").first()
    now = datetime.now(UTC)
    made = []
    for _ in range(count):
        number = f"CM99-{Letter.objects.count():07d}"
        words = model.words | {"case_number": number, "title": f"Final determination, {number}"}
        made.append(
            Letter.objects.create(
                kind="determination",
                reference=number,
                layout=model.layout,
                language=model.language,
                wording_set=model.wording_set,
                title=words["title"],
                dated_on=model.dated_on,
                facts=model.facts,
                words=words,
                words_sha256=words_sha256(words),
                file_name=f"{number}.pdf",
                created_at=now,
                due_at=now,
            ).pk
        )
    return made


def cpu_seconds(engine: Callable[..., Any], ids: list[Any]) -> float:
    from letters import tasks

    with mock.patch("letters.typesetting.typeset_words", engine):
        started = time.process_time()
        for letter_id in ids:
            tasks.render_letter(letter_id=str(letter_id))
        return time.process_time() - started


def measure_engine(out: Any) -> None:
    """Measure in a forked process, like one of a worker's pool, without forking again."""
    from django.db import connection

    from letters.typesetting import compile_in_process

    connection.close()
    engines: dict[str, Callable[..., Any]] = {"typst": compile_in_process}
    try:
        import weasyprint  # noqa: F401

        engines["weasyprint"] = weasyprint_engine
    except (ImportError, OSError):
        pass
    for engine in engines.values():
        cpu_seconds(engine, queue_letters(2))  # warm
    spent: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            spent[name].append(cpu_seconds(engine, queue_letters(LETTERS)) / LETTERS)
    out.put(spent)


def main() -> None:
    stage.set_up()
    from django.core.management import call_command
    from django.db import connections

    with mock.patch("sys.stdout"):
        call_command("seed_demo", "--render-here")
    connections.close_all()
    forking = multiprocessing.get_context("fork")
    out = forking.Queue()
    child = forking.Process(target=measure_engine, args=(out,))
    child.start()
    spent = out.get(timeout=900)
    child.join()
    rates = {name: sorted(times)[len(times) // 2] for name, times in spent.items()}
    per_second = 1 / rates["typst"]
    line = f"letters, whole task, {stage.database_engine()}: {per_second:.1f} letters a CPU second"
    if "weasyprint" in rates:
        pairs = sorted(w / t for w, t in zip(spent["weasyprint"], spent["typst"], strict=True))
        line += (
            f"; the same in WeasyPrint {1 / rates['weasyprint']:.1f}; "
            f"ratio {pairs[len(pairs) // 2]:.1f} (paired median of {ROUNDS} rounds of {LETTERS})"
        )
    stage.print_and_keep("letters", line)


if __name__ == "__main__":
    main()
