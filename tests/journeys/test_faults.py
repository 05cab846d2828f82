"""Issuing through the real web process, while something else is killed, silent or in a race."""

import hashlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

import letters.services
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, Event
from determinations.services import issuing, quality, writing
from files.services import read_bytes
from letters.models import Letter, LetterStep
from tests import processes
from tests.browser import office
from tests.factories import person
from tests.processes import wait_until

from .visitors import Visitor

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("committed_db")]

# A page that waits for something that is unavailable waits for whole seconds, again and again. Both
# bounds are far above a loaded machine's own moods and far below that.
AT_MOST_TIMES = 10
AT_MOST_SECONDS = 5


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    connections.close_all()


@pytest.fixture
def process_env(process_env):
    """As in production: what the pages count for all processes stands in Redis as well."""
    return process_env | {"CACHE_IN_REDIS": "1"}


@pytest.fixture
def work(committed_db):
    return office.Work(office.open_office())


def make_approved_case(work, **words):
    """A case that its director has read and may issue."""
    case = work.approved(**words)
    issuing.preview_determination(case_id=case.pk, by=work.people[Role.DIRECTOR], at=timezone.now())
    return case


@pytest.fixture
def case(work):
    """One approved case, made before any process starts that could take its letters."""
    return make_approved_case(work)


@pytest.fixture
def other_case(work):
    return make_approved_case(work)


@pytest.fixture
def director(work, site):
    return Visitor(site, work.people[Role.DIRECTOR])


def issue_page(case):
    return f"/cases/{case.number}/issue/"


def version_of(case):
    return Case.objects.get(pk=case.pk).version


def issue_through_pages(visitor, case):
    """Open the page, press the button, go where it leads: three answers."""
    opened = visitor.get(issue_page(case))
    pressed = visitor.post(issue_page(case), version=version_of(case))
    followed = visitor.get(pressed.location or issue_page(case))
    return opened, pressed, followed


def the_letter(case):
    (letter,) = Letter.objects.filter(kind="determination", reference=case.number)
    return letter


def wait_until_filed(letter):
    def filed():
        letter.refresh_from_db()
        return letter.is_filed

    wait_until(filed, what=f"{letter} is filed", seconds=90)


def assert_issued_once(case):
    case = Case.objects.get(pk=case.pk)
    assert case.stage == Status.ISSUED
    assert case.determinations.get().state == "ISSUED"
    assert case.events.filter(kind=Event.Kind.ISSUED).count() == 1
    assert {item.ending for item in case.items.all()} == {"DECIDED"}
    return the_letter(case)


def assert_filed_once(letter):
    letter.refresh_from_db()
    assert letter.is_filed
    assert letter.steps.filter(kind=LetterStep.Kind.FILED).count() == 1
    content = read_bytes(letter.file)
    assert content.startswith(b"%PDF-")
    assert hashlib.sha256(content).hexdigest() == letter.sha256


# --- the broker -----------------------------------------------------------------------------------


def open_closed_port(broker):
    """No one listens."""
    return closing(socket.socket())


def open_silent_port(broker):
    """Someone takes every connection and never says a word."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(broker.socket))
    listener.listen(128)
    return closing(listener)


@pytest.mark.parametrize("break_broker", [open_closed_port, open_silent_port])
def test_a_determination_is_issued_on_time_while_the_broker_is_unavailable_and_its_letter_follows(
    case, other_case, director, broker, relay, process_env, run_folder, break_broker
):
    usual = issue_through_pages(director, other_case)
    assert [answer.status for answer in usual] == [200, 302, 200]

    broker.kill()
    with break_broker(broker):
        now = issue_through_pages(director, case)
        assert [answer.status for answer in now] == [200, 302, 200]
        assert max(answer.seconds for answer in now) < AT_MOST_SECONDS
        assert now[1].seconds < AT_MOST_TIMES * usual[1].seconds
        letter = assert_issued_once(case)
        assert letter.state == Letter.State.QUEUED
        assert "Generating" in now[-1].text
        assert "The PDF is being generated." in now[-1].text
        page = director.get(f"/cases/{case.number}/")
        assert (page.status, "Determination issued" in page.text) == (200, True)
        assert page.seconds < AT_MOST_SECONDS
        ready = director.get("/readyz")
        assert (ready.status, json.loads(ready.text)["broker"]) == (200, "unavailable"), ready.text
        assert ready.seconds < AT_MOST_SECONDS
        wait_until(lambda: "relay_broker_unavailable" in relay.output, what="the relay notices")
        letter.refresh_from_db()
        assert letter.state == Letter.State.QUEUED
    broker.socket.unlink(missing_ok=True)

    broker.start()
    worker = processes.worker(run_folder, process_env).start()
    try:
        wait_until_filed(letter)
    finally:
        worker.stop(seconds=15)
    assert_filed_once(letter)
    assert "Ready" in director.get(f"/cases/{case.number}/letters/").text


# --- the worker -----------------------------------------------------------------------------------


@pytest.fixture
def long_case(work):
    """A case whose letter takes a worker long enough to be caught at it."""
    assignment = work.written(items=3)
    by, at = work.people[Role.REVIEWER], work.start + timedelta(days=3)
    text = "\n\n".join(["Two injections at C3-C4 gave short relief. " * 12] * 90)
    work.type(assignment, "summary", {"summary": text}, at)
    for opinion in assignment.opinions.all():
        work.type(assignment, f"item-{opinion.item_id}", {"rationale": text}, at)
    writing.submit_review(assignment_id=assignment.pk, by=by, at=at)
    quality.approve_review(
        case_id=assignment.case_id,
        comment="",
        seen_version=None,
        by=work.people[Role.QA],
        at=at + timedelta(hours=1),
    )
    issuing.preview_determination(
        case_id=assignment.case_id, by=work.people[Role.DIRECTOR], at=timezone.now()
    )
    return Case.objects.get(pk=assignment.case_id)


def test_a_worker_killed_while_it_renders_a_determination_files_it_once_and_the_same_bytes(
    long_case, director, relay, worker
):
    answer = director.post(issue_page(long_case), version=version_of(long_case))
    assert answer.status == 302
    letter = assert_issued_once(long_case)
    wait_until(
        lambda: Letter.objects.filter(pk=letter.pk, state=Letter.State.RENDERING).exists(),
        what="the worker has taken the letter",
        every=0.005,
    )
    worker.kill()
    letter.refresh_from_db()
    assert letter.state == Letter.State.RENDERING

    worker.start()
    wait_until_filed(letter)
    assert_filed_once(letter)
    assert letter.attempts > 1
    again = letters.services.typeset_document(
        document=letters.services.load_letter_document(letter), layout=letter.layout
    )
    assert hashlib.sha256(again).hexdigest() == letter.sha256


# --- the web server -------------------------------------------------------------------------------


def test_a_web_server_killed_after_the_act_and_before_its_answer_has_issued_once(
    case, director, site
):
    version = version_of(case)
    posted = director.begin_post(issue_page(case), version=version)
    wait_until(
        lambda: Case.objects.filter(pk=case.pk, status=Status.ISSUED).exists(),
        what="the determination is issued",
        every=0.005,
    )
    site.kill()
    posted.close()  # whoever pressed the button never saw what came of it
    letter = assert_issued_once(case)

    site.start()
    again = director.post(issue_page(case), version=version)

    assert again.status == 422
    assert f"Case {case.number} is in the “Determination issued” stage" in again.text
    assert assert_issued_once(case) == letter
    assert "Generating" in director.get(f"/cases/{case.number}/letters/").text


def test_a_web_server_killed_before_the_act_is_whole_has_issued_nothing(case, director, site):
    version = version_of(case)
    with transaction.atomic():
        Case.objects.lock(case.pk)  # so the act has to wait for this row
        posted = director.begin_post(issue_page(case), version=version)
        assert site.get("/livez").status == 200  # asked after the form, answered meanwhile
        site.kill()
        posted.close()
    assert Case.objects.get(pk=case.pk).stage == Status.APPROVED
    assert not Letter.objects.filter(kind="determination").exists()
    assert not case.events.filter(kind=Event.Kind.ISSUED).exists()

    site.start()
    assert director.post(issue_page(case), version=version).status == 302
    assert_issued_once(case)


# --- two people -----------------------------------------------------------------------------------


def test_one_of_two_directors_issues_and_the_other_is_refused(case, work, director, site):
    other = Visitor(site, person(Role.DIRECTOR))
    version = version_of(case)
    together = threading.Barrier(2)

    def press(visitor):
        together.wait(timeout=30)
        return visitor.post(issue_page(case), version=version)

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(press, [director, other]))

    done, result = sorted(answers, key=lambda answer: answer.status)
    assert done.status == 302
    assert result.status in {409, 422}
    assert "Determination issued" in result.text or "changed" in result.text
    assert_issued_once(case)
