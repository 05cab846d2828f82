"""Every form of the office, sent with what people paste and mistype: kept, or refused in words.

The office is that of ``tests.crawl``. Each form is sent as a browser would send it, with the same
hostile text in all its text fields, in a transaction that is rolled back.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock
from urllib.parse import urljoin

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from accounts.roles import Role
from tests import crawl
from tests.factories import person
from tests.page_forms import FormReader
from tests.test_urls import by_library

# A word that stands in each text, by which it is found on the page that keeps it.
TYPED = "Qztyped"
TEXTS = {
    "4,000 characters": f"{TYPED} " + "long words " * 363,
    "a null character": f"{TYPED} \0 after",
    "control characters": f"{TYPED}\x07\x1b[31m\x08 \x7f after",
    "emoji": f"{TYPED} 😀👩‍⚕️",
    "right-to-left marks": f"{TYPED} \u202eabc\u202c שלום",
    "a name of one word": TYPED,
    "a name of 80 letters": TYPED + "n" * 73,
    "a claim number with slashes and leading zeros": f"000/{TYPED}\\0012-//",
}
# Sent also in choices, dates and hidden fields, as a form that something has damaged.
DAMAGED = {
    "a damaged form with null characters": "\0",
    "a damaged form with emoji": "😀",
    "a damaged form with a number too large": "9" * 30,
}
# What these forms are about is proved elsewhere, or they end the session of the crawl.
NOT_SENT = ("account_", "mfa_", "admin:")


@dataclass(frozen=True)
class Sent:
    """A form that was sent, and what came back."""

    what: str
    view: str
    status: int
    keeps: bool  # a refused form shows what was typed
    explains: bool  # a refused form says why


def forms_of(page):
    reader = FormReader()
    reader.feed(page)
    reader.give_buttons_to_their_forms()
    return reader.forms


def posted_forms(client, addresses) -> Iterator[tuple[str, object, tuple[str, str]]]:
    """Each form that is posted, once for each of its buttons, with its address."""
    known = set()
    for route, urls in addresses.items():
        if by_library(route) or route.startswith(NOT_SENT):
            continue
        for url in urls:
            page = client.get(url)
            kind = page.headers.get("Content-Type", "")
            if page.status_code != 200 or page.streaming or "html" not in kind:
                continue
            for form in forms_of(page.content.decode()):
                names = {name for name, _ in form.fields}
                if "csrfmiddlewaretoken" not in names:
                    continue
                for action, name, value in form.buttons or [("", "", "")]:
                    address = urljoin(url.partition("?")[0], action or form.action)
                    match = resolve(address.partition("?")[0])
                    key = (match.view_name, name, value, frozenset(names))
                    if key not in known and not match.view_name.startswith(NOT_SENT):
                        known.add(key)
                        yield address, form, (name, value)


def send(client, address, form, button, what, text) -> Sent:
    hostile = (
        form.free_text
        if what in TEXTS
        else {name for name, _ in form.fields if name not in {"csrfmiddlewaretoken", "version"}}
    )
    data: dict[str, list[str]] = {}
    for name, value in form.fields:
        data.setdefault(name, []).append(text if name in hostile else value)
    if button[0]:
        data[button[0]] = [button[1]]
    with transaction.atomic():
        answer = client.post(address, data)
        page = "" if answer.streaming else html.unescape(answer.content.decode("utf-8", "replace"))
        transaction.set_rollback(True)
    explains = bool(re.search(r'role="alert"|class="msg"|class="notice', page))
    view = resolve(address.partition("?")[0]).view_name
    return Sent(what, view, answer.status_code, TYPED in page, explains)


@pytest.fixture(scope="module")
def sent(module_db):
    """What came of every form with every text."""
    found = []
    with mock.patch.object(timezone, "now", return_value=crawl.NOW):
        addresses = crawl._addresses(crawl._make(crawl.Office()))
        reviewer = crawl._people()[crawl.THE_REVIEWER]
        everyone = person(*(role for role in Role if role != Role.REVIEWER))
        for user in (everyone, reviewer):
            client = Client(raise_request_exception=False)
            client.force_login(user)
            forms = list(posted_forms(client, addresses))
            for address, form, button in forms:
                for what, text in (TEXTS | DAMAGED).items():
                    if what in DAMAGED or form.free_text:
                        found.append(send(client, address, form, button, what, text))
    return found


def as_lines(found):
    return "\n".join(sorted({f"{one.view}: {one.what} gave {one.status}" for one in found}))


@pytest.mark.parametrize("what", [*TEXTS, *DAMAGED])
def test_no_form_fails_whatever_is_typed(sent, what):
    of_this = [one for one in sent if one.what == what]
    assert len({one.view for one in of_this}) > 30
    failed = [one for one in of_this if one.status >= 500]
    assert not failed, as_lines(failed)


@pytest.mark.parametrize("what", TEXTS)
def test_a_refused_form_keeps_what_was_typed_and_says_why(sent, what):
    refused = [one for one in sent if one.what == what and one.status in {409, 422}]
    lost = [one for one in refused if not one.keeps]
    assert not lost, as_lines(lost)
    silent = [one for one in refused if not one.explains]
    assert not silent, as_lines(silent)
