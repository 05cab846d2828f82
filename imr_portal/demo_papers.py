"""Papers for the demonstration: typed pages that look like scans. Every name is invented."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path(__file__).resolve().parent.parent / "letters" / "fonts"
PAGE = (1000, 1294)  # letter paper at about 118 dots an inch
MARGIN = 90


def pages(*texts: str, title: str) -> bytes:
    """A PDF with one scanned-looking page for each text."""
    made = [_page(text, title, number, len(texts)) for number, text in enumerate(texts, start=1)]
    out = io.BytesIO()
    made[0].save(out, "PDF", save_all=True, append_images=made[1:], resolution=118)
    return out.getvalue()


def form(title: str, rows: dict[str, str]) -> bytes:
    """A filled form: one box for each field, the answer typed in."""
    page = Image.new("L", PAGE, 252)
    pen = ImageDraw.Draw(page)
    pen.text((PAGE[0] / 2, 70), title, font=_font("SemiBold", 24), fill=20, anchor="mm")
    top = 120
    for label, answer in rows.items():
        lines = _wrapped(answer, _font("Regular", 20), PAGE[0] - 2 * MARGIN - 24)
        height = 34 + 26 * len(lines)
        pen.rectangle((MARGIN, top, PAGE[0] - MARGIN, top + height), outline=90, width=2)
        pen.text((MARGIN + 12, top + 6), label, font=_font("Regular", 14), fill=80)
        for number, line in enumerate(lines):
            pen.text(
                (MARGIN + 12, top + 27 + 26 * number), line, font=_font("Regular", 20), fill=10
            )
        top += height
    out = io.BytesIO()
    page.save(out, "PDF", resolution=118)
    return out.getvalue()


def _page(text: str, title: str, number: int, count: int) -> Image.Image:
    page = Image.new("L", PAGE, 252)
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, 80), title, font=_font("SemiBold", 26), fill=15)
    top = 140
    font = _font("Regular", 21)
    for paragraph in text.split("\n"):
        for line in _wrapped(paragraph, font, PAGE[0] - 2 * MARGIN) or [""]:
            pen.text((MARGIN, top), line, font=font, fill=25)
            top += 31
        top += 10
    pen.text(
        (PAGE[0] - MARGIN, PAGE[1] - 60),
        f"Page {number} of {count}",
        font=_font("Regular", 15),
        fill=90,
        anchor="rs",
    )
    return page


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f"PublicSans-{weight}.ttf"), size)
