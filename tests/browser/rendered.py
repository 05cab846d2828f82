"""Every page of the portal, rendered once by its own views, and a server that shows them again.

The rows are the office of ``tests.crawl`` at its own time, in a transaction that is rolled back.
So a browser can open any page without a web server on the database, and the tests of
accessibility reach every route that the crawl reaches.
"""

import mimetypes
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import quote, unquote

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.staticfiles import finders
from django.core import mail
from django.db import OperationalError, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from accounts.roles import Role
from cases.models import Case
from desk import exports
from determinations.services import quality
from imr_portal.audiences import CLOSED_PAGES, PUBLIC, audience_of, is_admitted
from queues.services import bulk
from reviewers.models import ReviewerAssignment
from tests import crawl
from tests.determinations.factories import make_submitted_case
from tests.factories import MONDAY, noticed_case, person, received_case
from tests.records.factories import case_with_records, in_review
from tests.reviewers.factories import rank_panel

from .office import PASSWORD

NOBODY, THE_REVIEWER = crawl.NOBODY, crawl.THE_REVIEWER
# Whose page is opened where several roles may open it: the first of these sees most.
SEES_MOST = (
    Role.COORDINATOR, Role.DIRECTOR, Role.SUPERVISOR, Role.QA, Role.CREDENTIALING,
    Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN, Role.INTAKE, Role.AUDITOR, Role.MAILROOM,
    THE_REVIEWER, Role.REVIEWER,
)  # fmt: skip
# Pages on which someone else sees more. The long run compares everyone.
SEES_MOST_ON = {
    "accounts:settings": THE_REVIEWER,
    "desk:notices": THE_REVIEWER,
    "complaints:list": Role.DIRECTOR,
    "complaints:complaint": Role.DIRECTOR,
    "reviewers:limits": Role.DIRECTOR,
    "reviewers:rules": Role.DIRECTOR,
    "reviewers:attestation": Role.DIRECTOR,
    "reviewers:payer_bias": Role.DIRECTOR,
    "reviewers:payer_bias_test": Role.DIRECTOR,
    "reviewers:reviewer": Role.CREDENTIALING,
    "reviewers:worklist": Role.CREDENTIALING,
}


@dataclass(frozen=True)
class Page:
    """What one person was answered at one address."""

    route: str
    who: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    templates: frozenset[str] = frozenset()

    @property
    def controls(self):
        """How many forms, fields and buttons the page has, without those that are disabled."""
        found = re.findall(rb"<(?:form|input|select|textarea|button)\b[^>]*>", self.body)
        return sum(not re.search(rb'\s(?:disabled|aria-disabled="true")', one) for one in found)

    @property
    def is_whole(self):
        """Whether it is a page of its own, not a file, a picture or a part of a page."""
        return b"<html" in self.body


# The stage at which a page of a case shows most; every other page is opened for the first case.
STAGES = {
    "eligibility:eligibility": "received",
    "correspondence:notices": "noticed",
    "records:list": "complete",
    "records:remind": "noticed",
    "reviewers:assign": "complete",
    "determinations:quality": "returned",
    "desk:timeline": "returned",
    "cases:deadlines": "returned",
    "determinations:issue": "approved",
    "determinations:versions": "issued",
    "determinations:send": "issued",
    "desk:letters": "issued",
}


class Rendered:
    """The pages of the office: each route as the person who sees most, and more on demand."""

    def __init__(self):
        self.pools = crawl._make(crawl.Office())
        eligible, _, _, approved, issued = self.pools["number"]
        self.cases = {"eligible": eligible, "approved": approved, "issued": issued} | more_cases()
        self.people = crawl._people()
        self.addresses = crawl._addresses(self.pools)
        self.answered = {}  # route: what the person who sees most was answered
        self.pages = {}  # route: the page, for those that are pages
        self._clients = {}
        for route in self.addresses:
            if is_ours(route) or route in ADMIN_ENTRIES:
                self.open(route)
        for page in [
            *of_signing_in(),
            *of_second_factor(),
            *self.of_states(),
            *self.of_errors(),
            *self.of_forms(),
            *self.of_faults(),
        ]:
            self.pages[page.route] = page
            self.answered.setdefault(page.route, set()).add(page.status)

    def open(self, route):
        """Open a route as the first who may, at the first address that is a page."""
        statuses = self.answered[route] = set()
        for who in self.who_may(route):
            for url in self.urls_of(route):
                page = self.get(who, route, url)
                statuses.add(page.status)
                if page.is_whole and page.status == 200:
                    self.pages[route] = page
                    return
                if page.status == 405:
                    return  # takes forms, from no one else either

    def urls_of(self, route):
        """The addresses of a route, the one that shows most first."""
        urls = self.addresses[route]
        number = self.cases.get(STAGES.get(route))
        if number:
            return [re.sub(r"CM\d\d-\d+", number, urls[0]), *urls]
        return urls

    def who_may(self, route):
        """Everyone whom the table of audiences admits, the one who sees most first."""
        if audience_of(route) is PUBLIC:
            return [NOBODY]
        first = SEES_MOST_ON.get(route, SEES_MOST[0])
        in_order = sorted(SEES_MOST, key=lambda who: who != first)
        return [who for who in in_order if is_admitted(audience_of(route), self.people[who])]

    def as_everybody(self):
        """Each page as everyone who may open it, the one who sees most first.

        A page with an address is asked for again: rows that were made since show on it, and what
        two people see is compared at the same state.
        """
        for route, page in list(self.pages.items()):
            can_ask = route in self.addresses and page.who in self.people
            yield self.get(page.who, route, page.url) if can_ask else page
            for who in self.who_may(route) if route in self.addresses else []:
                if who != page.who:
                    other = self.get(who, route, page.url)
                    if other.is_whole and other.status == 200:
                        yield other

    def first_page(self, who):
        """The page that someone sees after signing in."""
        page = self.get(who, f"the first page of {who}", "/")
        if page.status == 302:
            page = self.get(who, page.route, dict(page.headers)["Location"])
        return page

    def get(self, who, route, url):
        return as_page(route, who, url, self._client_of(who).get(url))

    def _client_of(self, who):
        if who == NOBODY:
            return Client()
        if who not in self._clients:
            self._clients[who] = Client()
            self._clients[who].force_login(self.people[who])
        return self._clients[who]

    def of_states(self):
        """Pages that look different when the case is further, or at a question."""
        case = self.cases
        for who, name, url in (
            (Role.COORDINATOR, "a case being screened", f"/cases/{case['received']}/"),
            (Role.COORDINATOR, "notices to be made", f"/cases/{case['eligible']}/notices/"),
            (Role.COORDINATOR, "outstanding records", f"/cases/{case['noticed']}/records/"),
            (Role.COORDINATOR, "a filtered queue", "/queues/notices/?priority=FORMULARY"),
            (Role.COORDINATOR, "a search that finds nothing", "/jump/?q=zzzz"),
            (Role.DIRECTOR, "a case that was issued", f"/cases/{case['issued']}/"),
        ):
            yield self.get(who, name, url)
        with mock.patch.object(exports, "AT_ONCE", 0):
            url = reverse("desk:export_list", args=["outstanding-records"])
            yield self.get(Role.COORDINATOR, "a long list to export", url)
        assignment = ReviewerAssignment.objects.get(case__number=case["returned"])
        client = Client()
        client.force_login(assignment.reviewer.user)
        item = assignment.opinions.first().item_id
        for name, url in {
            "a review that came back": f"/reviews/{assignment.pk}/",
            "an item of a review": f"/reviews/{assignment.pk}/?part=item-{item}",
        }.items():
            yield as_page(name, "the reviewer of the returned case", url, client.get(url))
        fresh = in_review()
        client = Client()
        client.force_login(fresh.reviewer.user)
        url = f"/reviews/{fresh.pk}/"
        yield as_page("a review to be opened", "its reviewer", url, client.get(url))

    def of_forms(self):
        """Pages that answer a form, each under an address of its own."""
        coordinator, director = self._client_of(Role.COORDINATOR), self._client_of(Role.DIRECTOR)
        case = Case.objects.get(number=self.cases["eligible"])
        act_on_many = reverse("queues:act_on_many")
        many = {"act": "note", "case": [case.pk]}
        asked = next(action.name for action in bulk.BULK_ACTIONS.values() if action.question)
        issue = f"/cases/{case.number}/issue/preview.pdf"
        for name, client, url, data in (
            ("many cases, asked", coordinator, act_on_many, many | {"act": asked}),
            (
                "many cases, done",
                coordinator,
                act_on_many,
                many | {"text": "Called.", "confirmed": "1"},
            ),
            ("many cases, none ticked", coordinator, act_on_many, {"act": "note"}),
            ("a letter that lacks facts", director, issue, {}),
            (
                "clear applications, accepted",
                coordinator,
                reverse("eligibility:clear_cases"),
                {"case": [f"{case.pk}:1"]},
            ),
        ):
            who = Role.COORDINATOR if client is coordinator else Role.DIRECTOR
            yield as_page(name, who, f"{url}?{quote(name)}", client.post(url, data))

    def of_faults(self):
        """Forms with errors beside their fields, and what a page says of a fault of the server."""
        coordinator, clerk = self._client_of(Role.COORDINATOR), self._client_of(Role.INTAKE)
        hold = f"/cases/{self.cases['eligible']}/hold/"
        for name, who, client, url in (
            ("a hold with errors", Role.COORDINATOR, coordinator, hold),
            ("an application with errors", Role.INTAKE, clerk, reverse("intake:intake")),
        ):
            answer = client.post(url, {"starts_on": "13/45/2026", "received": "13/45/2026"})
            yield as_page(name, who, f"{url}?errors", answer)
        full = OperationalError("database or disk is full")
        with mock.patch.object(AccessLogEntry, "save", side_effect=full):
            answer = coordinator.post(hold, {"note": "They called."})
        page = as_page("503 with what was typed", Role.COORDINATOR, f"{hold}?fault", answer)
        yield replace(page, status=200)  # a browser itself complains about a 503
        for name in ("400.html", "429.html", "500.html"):
            body, headers = render_to_string(name).encode(), (("Content-Type", "text/html"),)
            yield Page(name, NOBODY, f"/{name}", 200, headers, body, frozenset({name}))

    def of_errors(self):
        """What someone is told who may not open a page, or asks for one that is not there."""
        yield self.get(Role.INTAKE, "403", f"/cases/{self.cases['eligible']}/eligibility/")
        yield self.get(Role.INTAKE, "404", "/no-such-page/")
        yield self.get(NOBODY, "404 before signing in", "/no-such-page/")
        forged = Client(enforce_csrf_checks=True).post("/people/login/", {})
        yield as_page("403 for a form of someone else", NOBODY, "/people/login/?forged", forged)


# The pages of the admin site that are opened: where people enter it, one of each kind. Its forms
# come with Django and carry inline styles, which the content policy does not apply.
ADMIN_ENTRIES = {
    "admin:index",
    "admin:app_list",
    "admin:accounts_user_changelist",
    "admin:cases_case_history",
}


def is_ours(route):
    """Whether it opens a page of ours or of the sign-in library, not of the admin site."""
    return not (route.startswith("admin:") or route in CLOSED_PAGES)


def more_cases():
    """Cases at stages that the crawl's own cases have left behind."""
    returned = make_submitted_case(in_review())
    quality.return_review(
        case_id=returned.pk, comment="Say how long the relief lasted.", item_id=None,
        seen_version=None, by=person(Role.QA), at=crawl.REVIEWED + timedelta(hours=1),
    )  # fmt: skip
    complete = case_with_records(pages=(2, 1))
    rank_panel(complete, by=person(Role.COORDINATOR), at=crawl.NOW)
    return {
        "received": received_case().number,
        "noticed": noticed_case(at=MONDAY).number,
        "complete": complete.number,
        "returned": returned.number,
    }


def as_page(route, who, url, answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    names = frozenset(one.name for one in answer.templates if one.name)
    return Page(route, who, url, answer.status_code, tuple(answer.headers.items()), body, names)


def of_signing_in():
    """The pages before someone has signed in that need more than an address."""
    user = person(Role.INTAKE, email="forgets@example.org")
    client = Client()
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = re.search(r"/people/password/reset/key/\S+", mail.outbox[-1].body).group()
    name = "account_reset_password_from_key"
    yield as_page(f"{name} used up", NOBODY, link[:-3], Client().get(f"{link[:-3]}x/"))
    yield as_page(name, NOBODY, link, client.get(link, follow=True))


def of_second_factor():
    """The pages of a person who sets up a second factor, and of one who has it."""
    user = person(Role.INTAKE, email="new@example.org")
    client = Client()
    client.force_login(user)
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        yield after_password(name, "without a second factor", client)
    user = person(Role.INTAKE, email="careful@example.org")
    client = Client()
    client.force_login(user)
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    for name in (
        "mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    ):  # fmt: skip
        yield after_password(name, "with a second factor", client)
    name = "mfa_reauthenticate"
    yield as_page(name, "with a second factor", reverse(name), client.get(reverse(name)))
    between = Client()
    between.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    name = "mfa_authenticate"
    yield as_page(name, "between password and code", reverse(name), between.get(reverse(name)))


def after_password(name, who, client):
    """A page that asks for the password once more before it opens."""
    answer = client.get(reverse(name))
    if answer.status_code == 302:
        answer = client.post(answer.headers["Location"], {"password": PASSWORD}, follow=True)
    return as_page(name, who, reverse(name), answer)


@contextmanager
def office():
    """The rendered pages; undone at the end."""
    with transaction.atomic():
        with mock.patch.object(timezone, "now", return_value=crawl.NOW):
            yield Rendered()
        transaction.set_rollback(True)


# --- showing them --------------------------------------------------------------------------------


@cache
def static_file(path):
    """The bytes of a static file; ``None`` if the path leads to none."""
    found = path.startswith("/static/") and finders.find(path.removeprefix("/static/"))
    return Path(found).read_bytes() if found else None


# The words of the admin site's scripts, which are English already.
CATALOG_TYPE = (("Content-Type", "text/javascript"),)
CATALOG = b"""
window.gettext = text => text;
window.ngettext = (one, many, count) => count === 1 ? one : many;
window.interpolate = text => text;
window.get_format = name => ({FIRST_DAY_OF_WEEK: 0})[name] || [];
window.pgettext = (context, text) => text;
"""


class Server:
    """Answers each person with the pages that were rendered for them. Knows nothing else."""

    def __init__(self):
        catalog = Page("admin:jsi18n", NOBODY, "/admin/jsi18n/", 200, CATALOG_TYPE, CATALOG)
        shown = self.shown = {(NOBODY, catalog.url): catalog}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                who = unquote(re.search(r"who=([^;]*)|$", self.headers.get("Cookie", ""))[1] or "")
                page = shown.get((who, self.path)) or shown.get((NOBODY, self.path))
                if page:
                    return self.answer(page.status, page.headers, page.body)
                path = self.path.partition("?")[0]
                body = static_file(path)
                if body is None:
                    return self.answer(404, (), b"")
                kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
                headers = (("Content-Type", kind), ("Cache-Control", "max-age=600"))
                return self.answer(200, headers, body)

            def do_POST(self):
                """What a page asks to be made as it loads; the stored page stays as it is."""
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.answer(204, (), b"")

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in {"content-length", "set-cookie"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def open(self, browser_page, page):
        """Have a browser open this page as the person it was made for."""
        self.shown[page.who, page.url] = page
        who = {"name": "who", "value": quote(page.who), "url": self.url}
        browser_page.context.add_cookies([who])
        return browser_page.goto(page.url)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
