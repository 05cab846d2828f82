"""Papers of the demonstration: PDF files with text that can be searched and copied."""

import io
import textwrap
from collections.abc import Mapping, Sequence

import pikepdf

_WIDTH, _HEIGHT = 612, 792  # US Letter, in points
_MARGIN = 54
_COLUMNS = 80  # characters of 10.5 point Courier between the margins
_LINES = 44  # lines of text on a page
_FONTS = {"H": "Helvetica", "B": "Helvetica-Bold", "C": "Courier"}


def write_report(
    texts: Sequence[str], *, title: str, head: Sequence[str], running: str = ""
) -> bytes:
    """Write a typed report as a PDF file; each text begins a new page.

    :param head: the letterhead: a name, then lines of the address.
    :param running: the line at the top of each page: patient and claim number.
    """
    pages: list[list[str]] = []
    for text in texts:
        lines = [line for part in text.strip().split("\n") for line in _wrap_line(part)]
        # An empty text still makes a page.
        pages += [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)] or [[]]
    drawings = []
    for number, lines in enumerate(pages, start=1):
        marks = _draw_head(head, title, running)
        top = _HEIGHT - 158
        for place, line in enumerate(lines):
            marks.append(_draw_text("C", 10.5, _MARGIN, top - 13.5 * place, line))
        marks.append(_draw_text("H", 8, 500, 36, f"Page {number} of {len(pages)}"))
        drawings.append(marks)
    return _write_pdf(drawings, title)


def write_form(title: str, rows: Mapping[str, str]) -> bytes:
    """Write a filled form as a PDF file: a box for each field, the answer typed in."""
    marks = [_draw_text("B", 13, _MARGIN, _HEIGHT - 60, title)]
    top = _HEIGHT - 84.0
    for label, answer in rows.items():
        lines = [line for part in answer.split("\n") for line in _wrap_line(part)]
        height = 16 + 13 * len(lines)
        marks.append(f"{_MARGIN} {top - height:.1f} {_WIDTH - 2 * _MARGIN} {height} re S")
        marks.append(_draw_text("H", 7.5, _MARGIN + 5, top - 9, label))
        for place, line in enumerate(lines):
            marks.append(_draw_text("C", 10.5, _MARGIN + 5, top - 21 - 13 * place, line))
        top -= height
    return _write_pdf([marks], title)


def _draw_head(head: Sequence[str], title: str, running: str) -> list[str]:
    name, *address = head
    marks = [_draw_text("B", 14, _MARGIN, _HEIGHT - 58, name)]
    marks += [
        _draw_text("H", 9, _MARGIN, _HEIGHT - 72 - 11 * place, line)
        for place, line in enumerate(address)
    ]
    marks.append(f"{_MARGIN} {_HEIGHT - 106} m {_WIDTH - _MARGIN} {_HEIGHT - 106} l S")
    marks.append(_draw_text("B", 11, _MARGIN, _HEIGHT - 122, title))
    marks.append(_draw_text("H", 9, _MARGIN, _HEIGHT - 137, running))
    return marks


def _wrap_line(line: str) -> list[str]:
    """Return lines that fit between the margins. Levels such as "C3-C4" are never broken."""
    wrapped = textwrap.wrap(line, _COLUMNS, break_on_hyphens=False)
    return wrapped or [""]


def _draw_text(font: str, size: float, left: float, base: float, text: str) -> str:
    # An unescaped parenthesis would end the string in the PDF file.
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /{font} {size} Tf {left:.1f} {base:.1f} Td ({escaped}) Tj ET"


def _write_pdf(pages: Sequence[Sequence[str]], title: str) -> bytes:
    pdf = pikepdf.new()
    fonts = pikepdf.Dictionary()
    for short, name in _FONTS.items():
        fonts[f"/{short}"] = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name("/" + name),
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
    for marks in pages:
        pdf.add_blank_page(page_size=(_WIDTH, _HEIGHT))
        page = pdf.pages[-1]
        page.obj.Resources = pikepdf.Dictionary(Font=fonts)
        # The encoding that the fonts above declare.
        page.obj.Contents = pdf.make_stream("\n".join(marks).encode("cp1252"))
    pdf.docinfo["/Title"] = title
    out = io.BytesIO()
    # The same text gives the same bytes, and so the same hash, in every run.
    pdf.save(out, deterministic_id=True)
    return out.getvalue()
