"""A restricted case is found by cleared people alone: every page, list, count, search and export.

The office of ``tests.crawl`` is made. Each case of it has a failed job and a finding of the nightly
run, and stored letters and files are missing. Twice every page is opened as every role without a
clearance:

* every case is restricted: no page may show any number, worker or claim at all;
* every second case is restricted, so that lists are not empty, and cases of the same worker are
  hidden and shown: no page may show anything of a hidden case, and each count is that of the
  others.

``tests/cases/test_hidden_everywhere.py`` opens the few pages on which a case was shown once, with
the rows that made them show it: sentences and reasons that name another case, a scan or a form that
is sent again, redirects of the admin site. Those texts are not in this office. Here it is the other
way around: pages that nobody thought of, also those that are added later.
"""

import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import transaction
from django.test.client import ClientHandler
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from accounts.roles import PERMISSIONS, Role
from cases.models import Case, CaseLetter, Party
from cases.models.restrictions import restricted_now
from cases.related_cases import list_related_cases
from cases.services import restrictions
from desk import queues
from letters.models import Letter
from records.models import Document
from tests import crawl
from tests.cases.test_hidden_everywhere import fail_job, find_problem
from tests.expected_access import WHO_OPENS
from tests.factories import parties, person, received_case
from tests.test_urls import by_library

NUMBER = re.compile(r"CM\d\d-\d{7}")
# Pages about people who work here. One of them has the name of the worker of every case.
NAMES_STAFF = (
    "admin:accounts_",
    "accounts:",
    "desk:accesses",
    "cases:own_organization",
    "cases:organization_member",
)
# Arguments of an address that lead to the rows of one case.
OF_A_CASE = {
    "number", "letter", "letter_id", "document_id", "assignment_id", "hold_id", "clearance_id",
    "request_id", "event_id", "change_id", "proposal_id", "commitment_id", "party_id", "item_id",
    "citation_id", "own_conflict_result_id", "result_id", "service_id",
}  # fmt: skip
# Pages of problems. The person who is cleared for everything finds the hidden cases on them.
PROBLEM_PAGES = ("jobs:list", "maintenance:findings", "letters:failed")
WORKER, CLAIM, DIAGNOSIS = "Zelda Yxwvutson", "77-0000-00000077", "Z99.9 Yxwvutitis"


class Hidden:
    """What the visits of people without a clearance found."""

    def __init__(self):
        self.found = defaultdict(set)
        self.shown = defaultdict(set)
        self.posted = defaultdict(set)
        self.counts = {}
        self.refusals = {}
        self.opened_rows = set()
        # With every second case restricted:
        self.marks = {}
        self.leaks = set()
        self.others = set()
        self.expected_counts = {}
        self.unread = {}
        self.kept = {}
        self.damaged = {}
        self.expected_damaged = 0


@pytest.fixture(scope="module")
def office(django_db_setup, django_db_blocker):
    """Make the office with its troubles; undo it after the last test."""
    with django_db_blocker.unblock(), transaction.atomic(), crawl._quickly():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timezone, "now", lambda: crawl.NOW)
            pools = crawl._make(crawl.Office())
            strange = received_case(
                parties=parties(EMPLOYEE=WORKER), claim_number=CLAIM, diagnosis=DIAGNOSIS
            )
            pools["number"].append(strange.number)
            people = {role.value: person(role) for role in Role}
            keeper = person(Role.DIRECTOR, name="Kay Keeper")
            removed = {}
            try:
                make_troubles(people["COORDINATOR"], removed)
                yield pools, people, keeper, strange
            finally:
                for path, content in removed.items():
                    path.write_bytes(content)
        transaction.set_rollback(True)


def make_troubles(coordinator, removed):
    """Let a job fail and the nightly run find something on each case, and remove stored files.

    :param removed: gets the removed files with their contents.
    """
    for case in Case.objects.order_by("pk"):
        fail_job(case)
        find_problem(case)
    letters = Letter.objects.filter(file__isnull=False).select_related("file")
    files = [one.file for one in [*letters, *Document.objects.select_related("file")]]
    paths = {Path(default_storage.path(file.path)) for file in files}
    removed |= {path: path.read_bytes() for path in paths if path.exists()}
    for path in removed:
        path.unlink()
    handler = ClientHandler()
    handler.load_middleware()
    browser = crawl._Browser(coordinator)
    for letter in letters:
        # Whoever opens it notices the damage, which puts it on the list of failed letters.
        browser.send(handler, "get", reverse("letters:download", args=[letter.pk]))


def restrict(case, keeper, related):
    restrictions.restrict_case(
        case_id=case.pk,
        ground="PUBLIC",
        reason="Known from television.",
        related=[one.case.pk for one in related],
        by=keeper,
        at=crawl.NOW,
    )


@pytest.fixture(scope="module")
def hidden(office):
    """Restrict every case of the office, and open and send everything as everyone else."""
    pools, people, keeper, _ = office
    with transaction.atomic():
        for case in Case.objects.order_by("pk"):
            if not restricted_now().filter(case=case).exists():  # together with a related one
                restrict(case, keeper, list_related_cases(case))
        cache.clear()
        result = visit_everything(people, pools)
        transaction.set_rollback(True)
    cache.clear()
    return result


@pytest.fixture(scope="module")
def half(office):
    """Restrict every second case of the office, and open everything as everyone else."""
    pools, people, keeper, strange = office
    with transaction.atomic():
        for case in [strange, *Case.objects.exclude(pk=strange.pk).order_by("-pk")[1::2]]:
            if not restricted_now().filter(case=case).exists():
                linked = [one for one in list_related_cases(case) if one.is_linked]
                restrict(case, keeper, linked)
        cache.clear()
        result = Hidden()
        ids = restricted_now().values_list("case_id", flat=True)
        cases = Case.objects.filter(pk__in=ids)
        result.others = set(Case.objects.exclude(pk__in=ids).values_list("number", flat=True))
        result.marks = list_marks(cases, result.others)
        queued = Case.objects.exclude(pk__in=ids)
        drafts = CaseLetter.objects.exclude(case__in=ids)
        result.expected_counts = {
            slug: queued.filter(queue=slug).count() for slug in queues.QUEUES
        } | {
            name: drafts.filter(state=state).count()
            for name, (_, state) in queues.LETTER_LISTS.items()
        }
        letters = Letter.objects.filter(file__isnull=False, reference__in=result.others)
        result.expected_damaged = letters.count()
        look_for_marks(result, people, keeper, pools)
        transaction.set_rollback(True)
    cache.clear()
    return result


def list_marks(cases, others):
    """What only a hidden case has: texts, by what they are."""
    numbers = set(cases.values_list("number", flat=True))
    claims = set(cases.values_list("claim_number", flat=True))
    shared = set(Case.objects.filter(number__in=others).values_list("claim_number", flat=True))
    letters = Letter.objects.filter(reference__in=numbers).values_list("pk", flat=True)
    return {
        "a number": numbers,
        "a claim": claims - shared - {""},
        "a letter": {str(pk) for pk in letters},
        "the worker": {WORKER, "Yxwvutson"},
        "the diagnosis": {DIAGNOSIS},
    }


def look_for_marks(result, people, keeper, pools):
    """Open every page as everyone, and search every list for what only hidden cases have."""
    handler = ClientHandler()
    handler.load_middleware()
    addresses = crawl._addresses(pools)
    words = (WORKER, "Yxwvutson", CLAIM, DIAGNOSIS, *sorted(result.marks["a number"]))
    searches = {
        "desk:jump": "q", "desk:accesses": "number", "desk:export_accesses": "number",
        "admin:cases_case_changelist": "q", "admin:cases_party_changelist": "q",
        "admin:cases_event_changelist": "q", "admin:letters_letter_changelist": "q",
    }  # fmt: skip
    for route, name in searches.items():
        if addresses.get(route):
            addresses[route] += [f"{addresses[route][0]}?{name}={word}" for word in words]
    for slug in queues.QUEUES:
        addresses["desk:queue"].append(reverse("desk:queue", args=[slug]))
    for who, user in people.items():
        browser = crawl._Browser(user)
        for route, urls in addresses.items():
            if "logout" in route or crawl._is_like_the_others(who, route):
                continue
            for url in urls:
                with transaction.atomic():
                    answer = browser.send(handler, "get", url)
                if answer.status_code in {403, 405}:
                    break  # it is the role or the method, whatever the argument
                text = read_text(answer)
                if route == "letters:failed":
                    result.damaged[who] = text.count(">created ")
                named = NUMBER.search(url)
                if named and named.group() in result.marks["a number"] and "?" not in url:
                    result.shown[answer.status_code].add((who, route))
                elif named and answer.status_code == 200:
                    result.kept.setdefault(route, set()).add(who)
                # A page repeats what was typed, and a refusal its own address.
                typed = url.partition("=")[2]
                for repeated in filter(None, (url, typed, quote(typed), quote_plus(typed))):
                    text = text.replace(repeated, "")
                for kind, marks in result.marks.items():
                    if any(mark in text for mark in marks):
                        result.leaks.add((who, route, kind))
        result.counts[who] = queues.count_queues(user=user)
        of_hidden = {"kind__in": ["MENTION", "ANSWER"], "reference__in": result.marks["a number"]}
        result.unread[who] = user.notices.unread().exclude(**of_hidden).count()
    browser = crawl._Browser(keeper)
    for route in PROBLEM_PAGES:
        text = read_text(browser.send(handler, "get", reverse(route)))
        result.found[route] = {mark for mark in result.marks["a number"] if mark in text}
        if route == "letters:failed":
            result.damaged["keeper"] = text.count(">created ")


def read_text(answer):
    parts = answer.streaming_content if answer.streaming else [answer.content]
    body = b"".join(parts)
    answer.close()
    return body.decode("utf-8", "replace")


def visit_everything(people, pools):
    result = Hidden()
    handler = ClientHandler()
    handler.load_middleware()
    names = set(Party.objects.filter(role="EMPLOYEE").values_list("name", flat=True))
    claims = set(Case.objects.exclude(claim_number="").values_list("claim_number", flat=True))
    addresses = crawl._addresses(pools)
    arguments = {
        name: set(pattern.pattern.converters) & OF_A_CASE for name, pattern in crawl.routes()
    }
    surname = min(names).split()[-1]
    addresses["desk:jump"] += [f"/search/?q={text}" for text in ("CM26", surname, *sorted(claims))]
    for who, user in people.items():
        browser = crawl._Browser(user)
        for route, urls in addresses.items():
            if "logout" in route:
                continue
            for url in urls:
                for method in ("get", "post"):
                    if method == "post" and (by_library(route) or not NUMBER.search(url)):
                        continue
                    with transaction.atomic():
                        answer = browser.send(handler, method, url)
                    text = read_text(answer)
                    if NUMBER.search(url):
                        answers = result.shown if method == "get" else result.posted
                        answers[answer.status_code].add((who, route))
                    # A file of a case shows its number to people, but not as text of the answer.
                    if arguments.get(route) and answer.status_code < 400:
                        result.opened_rows.add((who, route))
                    # A search repeats what was typed.
                    if NUMBER.search(text.replace(url, "")) and answer.status_code == 200:
                        result.found["a number"].add((who, route))
                    typed = url.partition("?q=")[2]
                    staff = route.startswith(NAMES_STAFF)
                    if not staff and any(name in text for name in names):
                        result.found["a name"].add((who, route))
                    if any(claim in text for claim in claims if claim != typed):
                        result.found["a claim"].add((who, route))
        result.counts[who] = queues.count_queues(user=user)
        result.refusals[who] = AccessLogEntry.objects.filter(
            user=user, subject="case", granted=False
        ).count()
    return result


@pytest.mark.capability("RC-9")
def test_no_page_shows_the_number_of_a_restricted_case(hidden):
    assert sorted(hidden.found["a number"]) == []


@pytest.mark.capability("RC-9")
def test_no_page_shows_the_worker_or_the_claim_of_a_restricted_case(hidden):
    assert sorted(hidden.found["a name"] | hidden.found["a claim"]) == []


@pytest.mark.capability("RC-9")
def test_every_page_of_a_restricted_case_answers_as_if_it_did_not_exist(hidden):
    assert set(hidden.shown) <= {403, 404, 405}, hidden.shown
    assert set(hidden.posted) <= {403, 404, 405}, hidden.posted


@pytest.mark.capability("RC-9")
def test_no_letter_file_or_other_row_of_a_restricted_case_opens(hidden):
    assert sorted(hidden.opened_rows) == []


@pytest.mark.capability("RC-9")
def test_restricted_cases_are_in_no_count(hidden):
    assert {who: sum(counts.values()) for who, counts in hidden.counts.items()} == dict.fromkeys(
        hidden.counts, 0
    )


@pytest.mark.capability("RC-9")
def test_refusals_are_in_the_access_log(hidden):
    opens_cases = {role.value for role in PERMISSIONS["cases.view_case"]}
    assert all(hidden.refusals[who] for who in opens_cases), hidden.refusals


@pytest.mark.capability("RC-9")
def test_among_other_cases_no_page_shows_anything_of_a_restricted_one(half):
    assert sorted(half.leaks) == []
    assert set(half.shown) <= {403, 404, 405}, half.shown


@pytest.mark.capability("RC-9")
def test_lists_count_the_other_cases_alone(half):
    expected = half.expected_counts
    assert sum(expected.values())
    for who, counts in half.counts.items():
        assert counts.keys() >= queues.QUEUES.keys(), who
        unread = {queues.UNREAD: half.unread[who]}
        assert counts == {name: (expected | unread)[name] for name in counts}, who
    assert queues.LETTER_LISTS.keys() <= half.counts["COORDINATOR"].keys()


@pytest.mark.capability("RC-9")
def test_the_pages_of_problems_show_restricted_cases_to_cleared_people(half):
    # Otherwise the absence of the hidden cases on them would prove nothing.
    numbers = half.marks["a number"]
    assert half.found["jobs:list"] == half.found["maintenance:findings"] == numbers
    assert half.damaged.pop("keeper") > half.expected_damaged > 0
    assert half.damaged == dict.fromkeys(half.damaged, half.expected_damaged)
    assert half.damaged.keys() == WHO_OPENS["letters:failed"]
    # The pages of the other cases open meanwhile.
    assert {"desk:case", "desk:timeline", "cases:parties", "desk:explain"} <= half.kept.keys()
    assert len(half.others) > 3
