"""Sandboxed subprocess that parses untrusted uploads.

``files.parsing`` starts one process for each request. It writes one JSON object to standard input
and reads one JSON line from standard output, followed by the number of bytes that the line names.
The process limits its memory, CPU time, open files and output size before it loads a parsing
library. It has no settings and no database. A file that breaks a limit kills this process and not
the portal: a PDF of 2 kB can expand to 1 GiB.

The module imports nothing from this project, so that ``python -I`` can run it by its path.
"""

import io
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024  # the libraries and one page at 1600 pixels take about 90 MB
CPU_SECONDS = 10
OPEN_FILES = 64
WRITTEN_BYTES = 1024 * 1024 * 1024
# Words of the library's warnings about files from which a part may be missing.
REPAIRED = ("damaged", "reconstruct", "ignoring", "prematurely", "repairing", "undefined")
STRIP_RATIO = 2  # a page more times as wide as high is a strip, such as an EMG
MAX_PIXELS = 80_000_000  # a legal-size page at 600 dpi has 43 million


class Unreadable(Exception):
    """The file is refused.

    ``code`` is a key of ``files.services.REFUSAL_REASONS``, which has the sentence.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def limit_resources() -> None:
    """Set the resource limits of this process. They cannot be raised again."""
    for kind, amount in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, WRITTEN_BYTES),
        # A core dump would leave the records of a person on the disk.
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        # A container may have set a lower limit, which cannot be raised.
        limit = amount if most == resource.RLIM_INFINITY else min(amount, most)
        resource.setrlimit(kind, (limit, limit))
    os.umask(0o077)


def inspect_file(*, path: str, media_type: str, max_pages: int) -> tuple[dict[str, Any], bytes]:
    """Count the pages of a file, after checking that it is intact and its first page renders."""
    if media_type == "application/pdf":
        pages, repaired = _inspect_pdf(path, max_pages)
    else:
        pages, repaired = _inspect_image(path, media_type), False
    if pages > max_pages:
        raise Unreadable("too_many_pages")
    # Many damaged files can be counted but not shown. A small picture is enough to find out.
    render_page(path=path, media_type=media_type, page=1, width=200)
    return {"pages": pages, "repaired": repaired}, b""


def try_pages(*, path: str, media_type: str, first: int, last: int) -> tuple[dict[str, Any], bytes]:
    """Render a range of pages as small pictures, and keep a file with the result of each.

    The file ``progress`` in the current directory survives if a page kills this process.
    """
    with open("progress", "w", encoding="ascii") as progress:
        for page in range(first, last + 1):
            print(page, "begun", file=progress, flush=True)
            try:
                render_page(path=path, media_type=media_type, page=page, width=100)
            except (Unreadable, MemoryError):
                continue
            print(page, "shown", file=progress, flush=True)
    return {}, b""


def render_page(
    *, path: str, media_type: str, page: int, width: int
) -> tuple[dict[str, Any], bytes]:
    """Render one page as a PNG of the given width in pixels."""
    out = io.BytesIO()
    if media_type == "application/pdf":
        picture = _render_pdf_page(path, page, width)
    else:
        picture = _render_image_page(path, page, width)
    picture.save(out, "PNG")
    return {"width": picture.width, "height": picture.height}, out.getvalue()


def extract_text(*, path: str, media_type: str, page: int) -> tuple[dict[str, Any], bytes]:
    """Extract the text layer of one page. Images have none."""
    if media_type != "application/pdf":
        return {}, b""
    document = _open_with_pdfium(path)
    if not 1 <= page <= len(document):
        raise Unreadable("no_such_page")
    text = document[page - 1].get_textpage().get_text_bounded()
    return {}, text.encode("utf-8", "replace")


def _inspect_pdf(path: str, max_pages: int) -> tuple[int, bool]:
    """The number of pages, and whether the file had to be repaired to count them."""
    import pikepdf

    with _open_with_pikepdf(path) as document:
        # A warning alone is common in sound files; with no end marker the file was cut off.
        if not _has_pdf_end_marker(path) and document.get_warnings():
            raise Unreadable("damaged")
        pages = len(document.pages)
        if pages == 0:
            raise Unreadable("damaged")
        if pages > max_pages:
            raise Unreadable("too_many_pages")
        repaired = any(
            word in str(warning) for warning in document.get_warnings() for word in REPAIRED
        )
        root = document.Root
        if document.attachments or "/Collection" in root:
            raise Unreadable("attachments")
        form = root.get("/AcroForm")
        # XFA forms hold no pages of their own: other viewers show only "please wait".
        needs_reader = root.get("/NeedsRendering", False) is True
        if needs_reader and isinstance(form, pikepdf.Dictionary) and "/XFA" in form:
            raise Unreadable("needs_adobe_reader")
    # Two parsers that disagree about the pages would show a reviewer less than is on file.
    if len(_open_with_pdfium(path)) != pages:
        raise Unreadable("damaged")
    return pages, repaired


def _inspect_image(path: str, media_type: str) -> int:
    from PIL import Image

    expected = {"image/png": "PNG", "image/jpeg": "JPEG", "image/tiff": "TIFF"}[media_type]
    with _open_image(path) as picture:
        if picture.format != expected:
            raise Unreadable("damaged")
        pages = int(getattr(picture, "n_frames", 1))
    if media_type == "image/png" and pages > 1:
        pages = 1  # an animated PNG; the first frame is the document
    try:
        with Image.open(path) as picture:
            picture.verify()
    except (OSError, SyntaxError, ValueError) as error:
        raise Unreadable("damaged") from error
    return pages


def _open_with_pikepdf(path: str) -> Any:
    import pikepdf

    try:
        # Streaming, because a mapped file of 400 MB would count against the memory limit.
        return pikepdf.open(path, access_mode=pikepdf.AccessMode.stream)
    except pikepdf.PasswordError as error:
        raise Unreadable("password") from error
    except (pikepdf.PdfError, pikepdf.DataDecodingError, RuntimeError, ValueError) as error:
        raise Unreadable("damaged") from error


def _open_with_pdfium(path: str) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise Unreadable("damaged") from error


def _render_pdf_page(path: str, number: int, width: int) -> Any:
    import pypdfium2

    document = _open_with_pdfium(path)
    if not 1 <= number <= len(document):
        raise Unreadable("no_such_page")
    try:
        pdf_page = document[number - 1]
        if not all(pdf_page.get_size()):
            # The crop box lies outside of the sheet, so the whole sheet is shown.
            pdf_page.set_cropbox(*pdf_page.get_mediabox())
        across, down = pdf_page.get_size()
    except pypdfium2.PdfiumError as error:
        raise Unreadable("page_damaged") from error
    if across <= 0 or down <= 0:
        raise Unreadable("page_too_large")
    scale = _drawn_width(across, down, width) / across
    if across * scale * down * scale > MAX_PIXELS:
        raise Unreadable("page_too_large")
    # Without this, the values typed into the fields of a form are not drawn.
    document.init_forms()
    return pdf_page.render(scale=scale, may_draw_forms=True).to_pil()


def _drawn_width(across: float, down: float, width: int) -> int:
    """Return how wide a page is drawn if a width is asked for, in pixels.

    A strip is drawn wider: as wide as a page, its lines could not be read.
    """
    return round(max(width, width * across / (STRIP_RATIO * down)))


def _render_image_page(path: str, number: int, width: int) -> Any:
    with _open_image(path) as picture:
        if not 1 <= number <= int(getattr(picture, "n_frames", 1)):
            raise Unreadable("no_such_page")
        try:
            picture.seek(number - 1)
            if picture.width * picture.height > MAX_PIXELS:
                raise Unreadable("page_too_large")
            shown = picture.convert("RGB")
        except (OSError, EOFError, SyntaxError, ValueError) as error:
            raise Unreadable("damaged") from error
    from PIL import ImageOps

    shown = ImageOps.exif_transpose(shown)
    width = _drawn_width(shown.width, shown.height, width)
    if shown.width > width:
        # Only the width limits the picture: long strips keep their height.
        shown.thumbnail((width, width * 20))
    shown.info.clear()  # metadata of the camera, such as the location
    return shown


def _open_image(path: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    # Pillow itself refuses only above twice this number, so it is checked again below.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    # Pillow raises SyntaxError for a bad header.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Unreadable("damaged") from error
    except Image.DecompressionBombError as error:
        raise Unreadable("page_too_large") from error
    if image.width * image.height > MAX_PIXELS:
        raise Unreadable("page_too_large")
    return image


def _has_pdf_end_marker(path: str) -> bool:
    """Return whether the last 1,024 bytes have the end-of-file marker, as PDF readers expect."""
    with open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 1024))
        return b"%%EOF" in file.read()


ACTIONS: dict[str, Callable[..., tuple[dict[str, Any], bytes]]] = {
    "inspect": inspect_file,
    "try_pages": try_pages,
    "page": render_page,
    "text": extract_text,
}


def main() -> None:
    """Answer one request."""
    limit_resources()
    request = json.load(sys.stdin)
    # Libraries may print to standard output, which would corrupt the answer. Discard that output
    # and keep a separate handle for the answer.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    body = b""
    try:
        answer, body = ACTIONS[request.pop("operation")](**request)
    except Unreadable as refusal:
        answer = {"refused": refusal.code}
    except MemoryError:
        answer = {"refused": "limits"}
    output.write(json.dumps({**answer, "bytes": len(body)}).encode() + b"\n" + body)
    output.close()


if __name__ == "__main__":
    main()
