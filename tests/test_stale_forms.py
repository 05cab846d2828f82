"""Every form that carries a version is stale without it, with nonsense for it, and with an old one.

A few cases are made, one for each state that has such a form. Every route whose view may show one
is opened as someone who may do everything, and each such form on its page is sent back three times
as a browser would send it, but for the version.
"""

import ast
import inspect
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from urllib.parse import urljoin

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from accounts.roles import Role
from deadlines.models import DeadlineRule, HolidayRule
from letters.models import Service

from . import crawl
from .determinations.factories import make_approved_case, make_submitted_case
from .factories import eligible_case, person, received_case
from .page_forms import FormReader
from .records.factories import case_with_records
from .reviewers.factories import rank_panel
from .test_urls import by_library, routes
from .test_views_shape import VIEWS

ROOT = Path(__file__).resolve().parent.parent
TYPED = "Typed before it was sent"
# Written when a page is opened, or when choosing a reviewer is refused and the panel ranked again.
WRITTEN_BY_OPENING_A_PAGE = {
    "accounts.AccessLogEntry", "reviewers.CandidateList",
    "reviewers.ConflictResult", "sessions.Session",
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A form that was sent with a version that is none, and what came back."""

    url: str
    view: str
    version: str
    status: int
    keeps_text: bool


@dataclass
class Walk:
    """What was found and sent."""

    comparing: set[str]  # the views that compare a version
    sent: list[Sent] = field(default_factory=list)
    templates: set[str] = field(default_factory=set)  # of the pages with such forms
    changed: set[str] = field(default_factory=set)  # the tables
    without: set[str] = field(default_factory=set)  # forms of comparing views without a version


def forms_of(page):
    """Every form of a page."""
    reader = FormReader()
    reader.feed(page)
    reader.give_buttons_to_their_forms()
    return reader.forms


def view_of(url):
    view = resolve(url).func
    return f"{view.__module__}.{view.__name__}"


def fingerprint_tables():
    return {
        table: rows
        for table, rows in crawl._fingerprint().items()
        if not table.startswith("reviewers.Historical") and table not in WRITTEN_BY_OPENING_A_PAGE
    }


def walk():
    found, known = Walk(comparing=set(views_that_compare())), set()
    with mock.patch.object(timezone, "now", return_value=crawl.NOW):
        pools = small_office()
        client = Client()
        client.force_login(person(*(role for role in Role if role != Role.REVIEWER)))
        before = fingerprint_tables()
        for url in addresses(pools):
            _open(found, known, client, url)
        after = fingerprint_tables()
        found.changed = {table for table in after if before[table] != after[table]}
    return found


def small_office():
    """A case for each state in which a page carries a version, and the arguments of their pages."""
    eligible, reviewed = eligible_case(), make_submitted_case()
    complete = case_with_records(pages=(1,))
    rank_panel(complete, by=person(Role.COORDINATOR), at=crawl.NOW)
    cases = [
        received_case(),
        eligible,
        case_with_records(pages=(1,), complete=False),
        complete,
        reviewed,
        make_approved_case(make_submitted_case()),
    ]
    return {
        "number": [case.number for case in cases],
        "letter_id": [eligible.case_letters.first().pk],
        "position": [1],
        "holiday_id": [HolidayRule.objects.first().pk],
        "rule_id": [DeadlineRule.objects.first().pk],
        # Of one of the numbers; the others answer 404.
        "service_id": [Service.objects.filter(letter__reference=complete.number).first().pk],
        "complaint_id": [crawl._complained(eligible).pk],
        "code": [reviewed.assignments.get().reviewer.code],
    }


def carrying_templates():
    """The templates that hold a version themselves."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if 'name="version"' in path.read_text():
            yield str(path.relative_to(ROOT / "templates"))


def pages_that_may_carry_one():
    """The carrying templates and those that include them."""
    found, size = set(carrying_templates()), 0
    texts = {
        str(path.relative_to(ROOT / "templates")): path.read_text()
        for path in (ROOT / "templates").rglob("*.html")
    }
    while len(found) > size:
        size = len(found)
        found |= {name for name, text in texts.items() if any(f'"{one}"' in text for one in found)}
    return found


def addresses(pools):
    """Of every route whose view's module names a page that may carry a version."""
    carrying = pages_that_may_carry_one()
    for name, pattern in routes():
        if by_library(name):
            continue
        source = Path(inspect.getsourcefile(inspect.unwrap(pattern.callback))).read_text()
        groups = list(pattern.pattern.converters)
        if not any(f'"{template}"' in source for template in carrying):
            continue
        if not set(groups) <= set(pools):
            continue  # what it is about has no version; else its template would be missing below
        for n in range(max((len(pools[group]) for group in groups), default=1)):
            chosen = {group: pools[group][n % len(pools[group])] for group in groups}
            yield reverse(name, kwargs=chosen)


def _open(found, known, client, url):
    page = client.get(url)
    if page.status_code != 200 or page.streaming or "html" not in page.headers["Content-Type"]:
        return
    every_form = forms_of(page.content.decode())
    forms = [form for form in every_form if "version" in dict(form.fields)]
    for form in every_form:
        address = urljoin(url.partition("?")[0], form.action)
        posts = "csrfmiddlewaretoken" in dict(form.fields)
        if posts and form not in forms and view_of(address) in found.comparing:
            found.without.add(f"{url}: the form to {address}")
    if forms:
        found.templates |= {one.name for one in page.templates if one.name}
    for form in forms:
        for action, name, value in form.buttons:
            address = urljoin(url.partition("?")[0], action or form.action)
            key = (address, name, frozenset(name for name, _ in form.fields))
            if key not in known:
                known.add(key)
                fields = [*form.fields, (name, value)] if name else form.fields
                for version in (None, "x", _older(dict(fields)["version"])):
                    found.sent.append(_send(client, address, form, fields, version))


def _older(version):
    return str(int(version) - 1)


def _send(client, url, form, fields, version):
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        if name != "version":
            sent.setdefault(name, []).append(TYPED if name in form.free_text else value)
    if version is not None:
        sent["version"] = [version]
    with transaction.atomic():
        answer = client.post(url, sent)
        keeps = not form.free_text or TYPED in answer.content.decode()
        transaction.set_rollback(True)
    attributes = "none" if version is None else version
    return Sent(url, view_of(url), attributes, answer.status_code, keeps)


@pytest.fixture(scope="module")
def walked(module_db):
    return walk()


def views_that_compare():
    """Every view that reads the version that a page showed."""
    for path in VIEWS:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and "seen_version(" in ast.unparse(node):
                yield f"{module}.{node.name}"


def test_a_form_without_its_version_is_stale(walked):
    wrong = [one for one in walked.sent if one.version == "none" and one.status != 409]
    assert not wrong


def test_a_form_with_nonsense_for_its_version_is_stale(walked):
    wrong = [one for one in walked.sent if one.version == "x" and one.status != 409]
    assert not wrong


def test_a_form_with_an_old_version_is_stale(walked):
    wrong = [one for one in walked.sent if one.version not in {"none", "x"} and one.status != 409]
    assert not wrong


def test_a_stale_form_keeps_what_was_typed(walked):
    assert not [one for one in walked.sent if not one.keeps_text]


def test_a_stale_form_changes_no_row(walked):
    assert walked.changed <= WRITTEN_BY_OPENING_A_PAGE


def test_every_form_of_a_view_that_compares_carries_its_version(walked):
    assert not walked.without, "\n".join(sorted(walked.without))


def test_every_template_with_a_version_is_among_the_pages_that_were_sent(walked):
    carrying = set(carrying_templates())
    assert carrying
    assert carrying <= walked.templates


def test_every_view_that_compares_a_version_was_sent_a_stale_form(walked):
    assert set(views_that_compare()) == {one.view for one in walked.sent}
