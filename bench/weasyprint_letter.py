"""The determination letter in WeasyPrint, with the same look as ours: what the bench compares with.

The same words, fonts, sizes, margins, letterhead, grid, running header and page numbers, and also
tagged as PDF/UA-1.
"""

import html
import io
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).resolve().parent.parent / "letters" / "fonts"

STYLE = """
@font-face { font-family: "Letter Serif"; src: url("FONTS/SourceSerif4-Regular.otf"); }
@font-face { font-family: "Letter Serif"; font-weight: 600;
             src: url("FONTS/SourceSerif4-Semibold.otf"); }
@font-face { font-family: "Letter Sans"; src: url("FONTS/PublicSans-Regular.ttf"); }
@font-face { font-family: "Letter Sans"; font-weight: 600;
             src: url("FONTS/PublicSans-SemiBold.ttf"); }
@page {
  size: letter; margin: 0.85in 1.05in 0.95in;
  @top-left { content: "Final Determination"; font: 8pt Letter Sans; color: #56616d; }
  @top-right { content: "Case Number " string(number); font: 8pt Letter Sans; color: #56616d; }
  @bottom-left { content: string(organization); font: 8pt Letter Sans; color: #56616d;
                 border-top: 0.5pt solid #c3cad2; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt Letter Sans;
                  color: #56616d; border-top: 0.5pt solid #c3cad2; }
}
@page :first { @top-left { content: none; } @top-right { content: none; } }
body { font: 10.5pt/1.38 Letter Serif; color: #1b2530; font-variant-ligatures: none;
       font-variant-numeric: lining-nums; margin: 0; }
.head { width: 100%; border-bottom: 1.5pt solid #1f3a5f; margin-bottom: 20pt; }
.head td { vertical-align: bottom; padding: 0 0 6pt; }
.organization { font: 600 12.5pt Letter Sans; color: #1f3a5f; string-set: organization content(); }
.address { font: 7.8pt/1.4 Letter Sans; color: #56616d; text-align: right; }
h1 { font: 600 17pt Letter Sans; color: #1f3a5f; margin: 0 0 1em; }
.grid { width: 100%; background: #f3f6f9; border-radius: 2pt; border-spacing: 12pt 6pt; }
.grid td { width: 25%; padding: 0; vertical-align: top; font-weight: 600; }
.grid span { display: block; font: 7.8pt Letter Sans; color: #56616d; }
.number { string-set: number content(); }
h2 { font: 600 9.6pt Letter Sans; letter-spacing: 0.045em; color: #1f3a5f; margin: 1.5em 0 0.8em;
     padding-bottom: 3pt; border-bottom: 0.75pt solid #1f3a5f; break-after: avoid; }
h3 { font: 600 11.5pt Letter Serif; margin: 1.4em 0 0.5em; break-after: avoid; }
p { margin: 0 0 0.72em; }
.credentials p { margin: 0 0 2pt; }
b { font: 600 8.9pt Letter Sans; color: #1f3a5f; }
.credentials { margin: 0.8em 0; padding: 2pt 0 2pt 12pt; border-left: 2pt solid #c9d3de;
               break-inside: avoid; }
.closing { border-top: 0.5pt solid #c3cad2; margin-top: 0.6em; padding-top: 0.6em; }
nobr { white-space: nowrap; }
""".replace("FONTS", FONTS.as_uri())

GRID = (
    ("Case Number", "case_number"),
    ("Date Assigned", "date_assigned"),
    ("Date of Injury", "date_of_injury"),
    ("Decision Date", "decision_date"),
    ("UR Denial Date", "ur_denial_date"),
    ("Priority", "priority"),
    ("Application Received", "application_received"),
)


def _print_value(name: str, value: str | None) -> str:
    if value and ("date" in name or name == "application_received"):
        year, month, day = value.split("-")
        return f"{month}/{day}/{year}"
    return html.escape(value or "")


def _print_paragraphs(text: str, label: str = "") -> str:
    parts = [html.escape(part) for part in text.split("\n\n")]
    parts[0] = f"<b>{html.escape(label)}</b> {parts[0]}" if label else parts[0]
    return "".join(f"<p>{part}</p>" for part in parts)


def build_page(words: dict[str, Any]) -> str:
    """Build the letter as HTML."""
    organization = words["organization"]
    address = "<br>".join(
        html.escape(line) for line in (*organization["address"], organization["phone"]) if line
    )
    cells = [
        f"<td><span>{label}</span>"
        f"<div class='{'number' if name == 'case_number' else ''}'>"
        f"{_print_value(name, words[name])}</div></td>"
        for label, name in GRID
    ]
    credentials = "".join(
        "<div class='credentials'>"
        + _print_paragraphs(one["license_states"], "State(s) of Licensure:")
        + _print_paragraphs(one["specialties"], "Certification(s)/Specialty:")
        + "</div>"
        for one in words["credentials"]
    )
    items = "".join(
        f"<h3>{html.escape(item['title'] + item['separator'] + ' ' + item['outcome'])}</h3>"
        + _print_paragraphs(
            item["claims_administrator_guideline"], "Claims Administrator guideline:"
        )
        + "".join(
            _print_paragraphs(one["guideline"], f"{organization['short_name']} guideline:")
            + _print_paragraphs(one["rationale"], "Decision rationale:")
            for one in item["analyses"]
        )
        + "".join(_print_paragraphs(notice) for notice in item["notices"])
        for item in words["items"]
    )
    closing = "".join(_print_paragraphs(part) for part in words["closing"])
    return (
        f"<html lang='en-US'><head><title>{html.escape(words['title'])}</title></head><body>"
        f"<table class='head'><tr><td class='organization'>{html.escape(organization['name'])}</td>"
        f"<td class='address'>{address}</td></tr></table>"
        "<h1>Independent Medical Review Final Determination</h1>"
        f"<table class='grid'><tr>{''.join(cells[:4])}</tr><tr>{''.join(cells[4:])}</tr></table>"
        "<h2>HOW THE IMR FINAL DETERMINATION WAS MADE</h2>"
        f"{''.join(_print_paragraphs(part) for part in words['how_made'])}{credentials}"
        f"<h2>CLINICAL CASE SUMMARY</h2>{_print_paragraphs(words['summary_lead_in'])}"
        f"{_print_paragraphs(words['summary'])}"
        "<h2>IMR ISSUES, DECISIONS AND RATIONALES</h2>"
        f"{_print_paragraphs(words['decisions_lead_in'])}{items}"
        f"{f'<div class=closing>{closing}</div>' if closing else ''}</body></html>"
    )


@cache
def _load_style() -> tuple[Any, Any]:
    """Read the style and its fonts once per process, as our own engine does."""
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    return CSS(string=STYLE, font_config=fonts), fonts


def typeset_with_weasyprint(words: dict[str, Any], layout: str, on: date) -> Any:
    """Typeset the words in WeasyPrint; a drop-in for ``letters.typesetting.typeset_words``."""
    import pikepdf
    from weasyprint import HTML

    from letters.typesetting import TypesetLetter

    style, fonts = _load_style()
    content = HTML(string=build_page(words)).write_pdf(
        stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1"
    )
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return TypesetLetter(content, len(pdf.pages))
