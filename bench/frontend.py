"""What a browser fetches: bytes and requests of a first visit and of later pages, and layout shift.

Chromium opens pages of the portal as ``script/server`` starts it, with the whole demonstration.
Bytes are those on the wire, headers included; 1 kB is 1,000 bytes. Prints one line per bar, ``BAR
name figure bound ok|missed``, and keeps it.

    script/bench frontend            every page that the menus and one case link to
    script/bench frontend --quick    five pages, while the demonstration loads; kept nowhere
"""

import argparse
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import pristine, processes

from . import stage
from .fault_verdicts import Bar

STARTED = "Ctrl-C stops everything"
PATIENCE = 600  # seconds; the demonstration typesets its letters
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WORDS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
KB = 1_000
BOUNDS = {
    "first-visit-kB": 120,
    "first-visit-requests": 10,
    "later-page-kB": 8,
    "intake-form-kB": 20,
    "layout-shift": 0,
    "files-not-kept": 0,
}
SIGN_IN, INTAKE_FORM = "/people/login/", "/intake/new/"
ROLES = ("intake", "coordinator", "credentialing", "qa", "mailroom", "auditor")
# Moves of the layout that nobody asked for, from the start of the page.
WATCH_SHIFTS = """
window.shifted = 0;
window.movers = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.hadRecentInput) continue;
    window.shifted += one.value;
    for (const { node, previousRect: from, currentRect: to } of one.sources) {
      const name = (node?.outerHTML ?? node?.textContent ?? "").slice(0, 100);
      window.movers.push(`${name} moved by ${to.x - from.x}, ${to.y - from.y} px`);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Visit:
    """What one page fetched over the wire: bytes by address, and how far its layout moved."""

    address: str
    fetched: dict[str, int] = field(default_factory=dict)
    not_kept: set[str] = field(default_factory=set)  # static files that are not immutable
    shift: float = 0.0
    movers: list[str] = field(default_factory=list)  # what moved, and how far

    @property
    def size(self) -> float:
        return sum(self.fetched.values()) / KB

    def describe(self) -> str:
        return f"{self.address}: {self.size:.1f} kB in {len(self.fetched)} requests"


class Reader:
    """A person's browser: an empty cache at first, then what its pages have left in it."""

    def __init__(self, browser: Any, url: str, state: Any = None) -> None:
        self.context = browser.new_context(
            base_url=url, storage_state=state, viewport={"width": 1440, "height": 900}
        )
        self.context.add_init_script(WATCH_SHIFTS)
        self.page = self.context.new_page()
        self.wire = self.context.new_cdp_session(self.page)
        self.wire.send("Network.enable")
        self.wire.on("Network.requestWillBeSent", self._note_request)
        self.wire.on("Network.responseReceived", self._note_response)
        self.wire.on("Network.loadingFinished", self._note_end)
        self.addresses: dict[str, str] = {}
        self.visit = Visit("")

    def _note_request(self, event: Any) -> None:
        self.addresses[event["requestId"]] = event["request"]["url"]

    def _note_response(self, event: Any) -> None:
        answer = event["response"]
        if answer.get("fromDiskCache"):
            del self.addresses[event["requestId"]]
            return
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        is_static = "/static/" in answer["url"]
        if is_static and "immutable" not in headers.get("cache-control", ""):
            self.visit.not_kept.add(answer["url"])

    def _note_end(self, event: Any) -> None:
        address = self.addresses.pop(event["requestId"], "")
        if address and not address.startswith("data:") and event["encodedDataLength"]:
            size = int(event["encodedDataLength"])
            self.visit.fetched[address] = self.visit.fetched.get(address, 0) + size

    def open(self, address: str) -> Visit:
        """Open a page, wait until it is at rest, and return what it fetched."""
        self.visit = Visit(address)
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        self.visit.shift = self.page.evaluate("window.shifted")
        self.visit.movers = self.page.evaluate("window.movers")
        return self.visit

    def open_first(self, address: str) -> Visit:
        """Open a page, and count the icon of the site, which Chromium without a window leaves."""
        visit = self.open(address)
        icon = self.page.locator("link[rel=icon]").get_attribute("href")
        if not any(icon in name for name in visit.fetched):
            answer = self.context.request.get(icon)
            head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
            visit.fetched[icon] = head + len(answer.body())
        return visit

    def sign_in(self, person: str) -> Any:
        """Sign in by the button of the demonstration; return the cookies for other browsers."""
        self.page.goto(SIGN_IN)
        self.page.locator(f'form:has(input[value^="{person}@"]) button').click()
        self.page.wait_for_selector(".top button[popovertarget=person]", timeout=60_000)
        self.page.wait_for_load_state("networkidle")
        return self.context.storage_state()

    def list_links(self, place: str) -> list[str]:
        """The pages of ours that a part of the page links to, each once, in order."""
        links = self.page.eval_on_selector_all(
            f"{place} a[href^='/']", "all => all.map(one => one.getAttribute('href'))"
        )
        return list(dict.fromkeys(link.partition("#")[0] for link in links if "?" not in link))

    def close(self) -> None:
        self.context.close()


def start_server(room: Path) -> tuple[processes.Process, str]:
    """Start the portal as ``script/server`` does, in a folder of its own."""
    # Saves the migrations, where the tests have run with these before.
    kept = pristine.KEPT / f"{pristine.key()}.sqlite3"
    if kept.is_file():
        shutil.copyfile(kept, room / "portal.sqlite3")
    port = processes.free_port()
    env = {"PATH": "/usr/bin:/bin", "VAR_DIR": str(room), "PORT": str(port)}
    words = [sys.executable, str(processes.ROOT / "script" / "run_demo.py")]
    server = processes.Process("server", words, folder=room, env=env)
    return server.start(), f"http://127.0.0.1:{port}"


def wait_for_first_case(server: processes.Process, url: str, room: Path) -> None:
    """Wait until the portal answers and its first case is stored."""

    def is_there() -> bool:
        if not server.running:
            raise SystemExit(f"The server has ended:\n{server.output}")
        with contextlib.suppress(sqlite3.Error, urllib.error.URLError, OSError):
            with contextlib.closing(sqlite3.connect(room / "portal.sqlite3")) as database:
                (cases,) = database.execute("SELECT count(*) FROM cases_case").fetchone()
            return bool(cases) and urllib.request.urlopen(f"{url}/livez").status == 200  # noqa: S310 - our own server
        return False

    processes.wait_until(is_there, what="the first case is stored", seconds=PATIENCE)


def find_case(reader: Reader, lists: list[str]) -> str:
    """The address of the first case of the first list that has one."""
    for link in lists:
        reader.open(link)
        first = reader.page.locator("[data-row] a[data-open]").first
        if first.count():
            return str(first.get_attribute("href"))
    raise SystemExit("No list has a case.")


def visit_pages(browser: Any, url: str, roles: tuple[str, ...], *, quick: bool) -> dict[str, float]:
    """Open the pages of each role, first ones and later ones, and return the figures."""
    stranger = Reader(browser, url)
    first = [stranger.open_first(SIGN_IN)]
    stranger.close()
    later, forms = [], []
    for role in roles:
        reader = Reader(browser, url)
        state = reader.sign_in(role)
        links = ["/", *reader.list_links(".side")]
        if role == "coordinator":
            case = find_case(reader, [link for link in links if link.startswith("/queues/")])
            reader.open(case)
            links += [case, *([] if quick else reader.list_links(".subnav"))]
        links = [link for link in dict.fromkeys(links) if link != INTAKE_FORM]
        later += [reader.open(link) for link in (links[:2] + links[-1:] if quick else links)]
        if role == "intake":
            forms.append(reader.open(INTAKE_FORM))
        reader.close()
        for link in ["/", *([INTAKE_FORM] if role == "intake" else links[-1:])]:
            newcomer = Reader(browser, url, state)
            first.append(newcomer.open_first(link))
            newcomer.close()
    for kind, visits in (("first", first), ("later", later), ("form", forms)):
        for visit in sorted(visits, key=lambda visit: -visit.size)[:5]:
            print(f"  {kind} {visit.describe()}, moved {visit.shift:.3f}")
    everything = [*first, *later, *forms]
    for visit in everything:
        for mover in visit.movers:
            print(f"  {visit.address}: {mover}")
    return {
        "first-visit-kB": max(visit.size for visit in first),
        "first-visit-requests": max(len(visit.fetched) for visit in first),
        "later-page-kB": max(visit.size for visit in later),
        "intake-form-kB": max(visit.size for visit in forms),
        "layout-shift": round(max(visit.shift for visit in everything), 3),
        "files-not-kept": len(set().union(*(visit.not_kept for visit in everything))),
    }


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="five pages; kept nowhere")
    asked = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"  # for the key of the kept database
    room = Path(tempfile.mkdtemp(prefix="imr-bench-"))
    began = time.monotonic()
    server, url = start_server(room)
    try:
        if asked.quick:
            wait_for_first_case(server, url, room)
        else:
            server.says(STARTED, seconds=PATIENCE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=WORDS)
            roles = ("intake", "coordinator") if asked.quick else ROLES
            figures = visit_pages(browser, url, roles, quick=asked.quick)
            browser.close()
    finally:
        server.stop(seconds=30)
        shutil.rmtree(room, ignore_errors=True)
    print(f"took {time.monotonic() - began:.0f} s")
    bars = [Bar(name, figure, BOUNDS[name]) for name, figure in figures.items()]
    for bar in bars:
        print(bar)
        if not asked.quick:
            stage.print_and_keep("frontend", str(bar))
    if not all(bar.is_met for bar in bars):
        sys.exit("A bar was missed.")


if __name__ == "__main__":
    main()
