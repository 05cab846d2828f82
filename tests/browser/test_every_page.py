"""Every page of the portal as axe sees it, in light and dark, and on a narrow screen.

On every change: each page once, as the person who sees most on it, and the frame once for each
role. The whole matrix, each page for each role that may open it, is marked ``long``.
"""

import re
from pathlib import Path

import pytest
from django.conf import settings

from accounts.roles import Role
from tests.test_urls import routes

from . import rendered
from .axe import list_axe_violations, too_wide, violations_in_the_dark
from .conftest import pages_of

NARROW = {"width": 375, "height": 700}
WIDE = {"width": 1440, "height": 900}

# What answers a GET and is not a page; everything else is opened by axe or takes forms alone.
NOT_A_PAGE = {
    "livez": "plain text for the machine",
    "readyz": "JSON for the machine",
    "version": "JSON for the machine",
    "desk:side_counts": "a part of the frame",
    "desk:peek": "a part of a queue's page; test_by_keyboard opens it",
    "letters:status": "a part of a page with letters",
    "determinations:checks": "a part of the review's page, which is opened with it",
    "intake:intake_paper": "a picture",
    "correspondence:letter_page": "a picture",
    "records:page_png": "a picture",
    "cases:received_png": "a picture",
    "letters:download": "a PDF",
    "desk:export_accesses": "a CSV file",
    "desk:export_list": "a CSV file; the page before a long one is a further state",
    "desk:download_export": "a CSV file",
    "mfa_download_recovery_codes": "a text file",
    # No one here has a security key, which a test cannot touch; each redirects without one.
    "mfa_edit_webauthn": "needs a security key",
    "mfa_remove_webauthn": "needs a security key",
    "mfa_login_webauthn": "needs a security key",
    "mfa_reauthenticate_webauthn": "needs a security key",
}
# Whole pages that only a fault shows.
NOT_RENDERED = {
    "letters/unreadable.html",
    "records/unreadable.html",
}
GROUPS = ("account", "mfa", "admin", "desk", "cases", "reviewers", "records", "determinations",
          "guidelines", "letters")  # fmt: skip


@pytest.fixture(scope="module")
def pages(module_db):
    """Every page, rendered."""
    with rendered.office() as made:
        yield made


@pytest.fixture(scope="module")
def server():
    """Shows the rendered pages to a browser."""
    with rendered.Server() as running:
        yield running


@pytest.fixture
def screen(browser, server):
    """A browser's page in which nothing is still moving. Complaints fail the test."""
    with pages_of(browser, server.url) as open_page:
        yield open_page(viewport=WIDE, reduced_motion="reduce")


def group_of(route):
    """The tests are split by these; a page of no group is a further state of one."""
    first = route.replace("_", ":").partition(":")[0]
    return first if first in GROUPS else "states"


def list_page_faults(screen, server, page):
    """What is wrong with one page: axe, contrast in the dark, its title, its width when narrow."""
    answer = server.open(screen, page)
    found = [] if answer.status == page.status else [f"answered {answer.status}"]
    # The bar at the foot of a form covers a part of the field above it, which scrolls free. axe
    # would count what is left of that field as a target.
    screen.evaluate(
        "document.querySelectorAll('.decide').forEach(bar => { bar.style.position = 'static'; })"
    )
    found += list_axe_violations(screen) + violations_in_the_dark(screen)
    title = screen.title()
    if not title.endswith("IMR Portal") or title.startswith((",", "|")):
        found.append(f"its title is “{title}”")
    screen.set_viewport_size(NARROW)
    found += too_wide(screen)
    screen.set_viewport_size(WIDE)
    return [f"{page.route}, {page.who}, {page.url}: {fault}" for fault in found]


@pytest.mark.parametrize("group", [*GROUPS, "states"])
def test_every_page_is_accessible(pages, server, screen, group):
    of_group = [page for route, page in pages.pages.items() if group_of(route) == group]
    found = [fault for page in of_group for fault in list_page_faults(screen, server, page)]

    assert of_group
    assert not found, "\n".join(found)


def test_no_page_is_left_out(pages):
    names = {name for name, _ in routes() if rendered.is_ours(name)}
    opened = {name for name, page in pages.pages.items() if page.is_whole and page.status == 200}
    takes_forms = {name for name in names if pages.answered.get(name) == {405}}

    assert names - opened - takes_forms == set(NOT_A_PAGE)
    assert opened >= rendered.ADMIN_ENTRIES


def test_every_template_of_a_whole_page_is_opened(pages):
    folder = Path(settings.BASE_DIR) / "templates"
    whole = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.html")
        if re.search(r'{% extends "base', path.read_text()) and not path.name.startswith("base")
    }
    opened = {name for page in pages.pages.values() for name in page.templates}

    assert whole - opened == NOT_RENDERED


def test_a_list_never_reaches_under_its_preview(pages, server, screen):
    """At every width that has both side by side; further down they are one below the other."""
    with_preview = [page for page in pages.pages.values() if b'id="peek"' in page.body]
    too_far = []
    for page in with_preview:
        server.open(screen, page)
        for width in range(1200, 1480, 40):
            screen.set_viewport_size({"width": width, "height": 900})
            over = screen.evaluate(
                "() => document.querySelector('.table').getBoundingClientRect().right"
                " - document.querySelector('#peek').getBoundingClientRect().left"
            )
            too_far += [f"{page.url}: {over} px at {width} px"] if over > 0 else []

    assert with_preview
    assert not too_far, "\n".join(too_far)


@pytest.mark.parametrize("role", Role.values)
def test_the_frame_of_every_role_is_accessible(pages, server, screen, role):
    found = list_page_faults(screen, server, pages.first_page(role))
    screen.set_viewport_size(NARROW)
    found += list_axe_violations(screen) + violations_in_the_dark(screen)

    assert not found, "\n".join(found)


@pytest.mark.long
def test_every_page_is_accessible_for_everyone_who_may_open_it(pages, server, screen):
    found = []
    most = {}
    for page in pages.as_everybody():
        if page.controls > most.setdefault(page.route, page.controls):
            found.append(f"{page.route}: {page.who} sees more; name them in SEES_MOST_ON")
        found += list_page_faults(screen, server, page)
        screen.set_viewport_size(NARROW)
        found += [
            f"{page.route}, {page.who}, narrow: {fault}" for fault in list_axe_violations(screen)
        ]
        found += violations_in_the_dark(screen)
        screen.set_viewport_size(WIDE)

    assert not found, "\n".join(found)
