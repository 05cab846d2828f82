"""Debian's Chromium, driven by Playwright. Run these with ``script/test browser``."""

import os
import shutil

import pytest

# Playwright's event loop lives in this thread, and Django would refuse to query beside it. Only
# here: elsewhere the guard must stand, so these tests are a run of pytest of their own.
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WORDS = [
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox cannot
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the whole run."""
    if not os.path.exists(CHROMIUM):
        pytest.skip("Chromium is not here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=WORDS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser, site):
    """Open a page as a new person: own cookies, own storage. Complaints fail the test."""
    contexts, complaints = [], []

    def open_page(**options):
        context = browser.new_context(
            base_url=site.url, viewport={"width": 1280, "height": 800}, **options
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda line: _note(complaints, page, line))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def _note(complaints, page, line):
    """A broken content policy or a failing script; not the echo of a refused form or request."""
    echoes = ("the server responded with a status of 4", "Response Status Error Code 4")
    if line.type == "error" and not any(echo in line.text for echo in echoes):
        complaints.append(f"{page.url}: {line.text}")


@pytest.fixture
def page(new_page):
    """One page, for tests with one person."""
    return new_page()
