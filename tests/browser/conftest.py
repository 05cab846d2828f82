"""Debian's Chromium, driven by Playwright. Run these with ``script/test browser``."""

import os
import shutil
from contextlib import contextmanager

import pytest

from tests import processes

from . import office

# Playwright's event loop lives in this thread, and Django would refuse to query beside it. Only
# here: elsewhere the guard must stand, so these tests are a run of pytest of their own.
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WORDS = [
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox cannot
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--no-first-run",
]


PATIENCE = 15_000  # ms; two loaded cores take their time
# What a refused form or fragment leaves on the console: the browser's echo of it, and htmx's.
ECHOES = (
    "the server responded with a status of 4",
    "Response Status Error Code 4",
    # a question that was overtaken by the next one, or by leaving the page
    "htmx:sendAbort",
    "htmx:afterRequest, [object",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the whole run."""
    if not os.path.exists(CHROMIUM):
        pytest.skip("Chromium is not here: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=WORDS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", autouse=True)
def _start_browser_first(browser):
    """Start Chromium before a test opens a database connection.

    While Playwright's event loop runs, Django finds connections in other storage than before. A
    transaction begun earlier could not be ended and would lock the database for the whole run.
    """


@contextmanager
def pages_of(browser, url):
    """Open pages of a site, each as a new person. What a page complains of fails the test."""
    contexts, complaints = [], []

    def open_page(**options):
        context = browser.new_context(
            base_url=url, **{"viewport": {"width": 1280, "height": 800}} | options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda line: _note(complaints, page, line))
        context.on("response", lambda answer: _note_failure(complaints, answer))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def _note(complaints, page, line):
    """A broken content policy or a failing script."""
    if line.type == "error" and not any(echo in line.text for echo in ECHOES):
        complaints.append(f"{page.url}: {line.text}")


def _note_failure(complaints, answer):
    if answer.status >= 500:
        complaints.append(f"{answer.url}: {answer.status}")


@pytest.fixture
def new_page(browser, site):
    """Open a page as a new person: own cookies, own storage. Complaints fail the test."""
    with pages_of(browser, site.url) as open_page:
        yield open_page


@pytest.fixture
def page(new_page):
    """One page, for tests with one person."""
    return new_page()


# --- one office for all tests of a file ----------------------------------------------------------


@pytest.fixture(scope="module")
def shared_db(django_db_setup, django_db_blocker):
    """Committed rows that the tests of one file share. Put back after the last of them."""
    with django_db_blocker.unblock():
        yield
        django_db_setup.restore()


@pytest.fixture(scope="module")
def machine(shared_db, tmp_path_factory):
    """A folder with a short path, and the environment of processes that start in it."""
    folder = tmp_path_factory.mktemp("run")
    return folder, processes.environment(folder)


@pytest.fixture(scope="module")
def portal(machine):
    """A web server for all tests of one file."""
    server = processes.Site(*machine).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mail_processes(machine):
    """Broker, relay and worker for all tests of one file: letters are filed by themselves."""
    broker = processes.Broker(*machine).start()
    running = [processes.relay(*machine).start(), processes.worker(*machine).start()]
    running[1].says("ready.")
    yield
    for process in reversed(running):
        process.stop(seconds=15)
    broker.kill()


@pytest.fixture(scope="module")
def work(shared_db):
    """The office before its first application, and the way to bring cases further."""
    return office.Work(office.open_office())


@pytest.fixture
def visit(browser, portal):
    """``visit(user, path)``: a page as this person sees it, signed in. Complaints fail the test."""
    with pages_of(browser, portal.url) as open_page:

        def visit(user, path="/", **options):
            page = open_page(**options)
            office.sign_in(page, user, url=portal.url)
            page.goto(path)
            return page

        yield visit
