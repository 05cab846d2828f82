"""Answers with the picture of a page of a stored file."""

from django.http import HttpResponse

# A page image must not run scripts, load anything or be embedded by other sites.
IMAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def answer_picture(content: bytes, *, name: str) -> HttpResponse:
    """Return a PNG that the sandboxed parser rendered.

    :param name: the name under which a browser saves it; no name of a person.
    """
    headers = {**IMAGE_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(content, content_type="image/png", headers=headers)
