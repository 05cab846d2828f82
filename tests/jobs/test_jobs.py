"""Scheduled jobs run once for each due moment, never beside themselves, and say why they fail."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from accounts.refusals import NotAllowed
from accounts.roles import Role
from imr_portal.celery import app as celery_app
from jobs import services, tasks
from jobs.failures import LeaseLost
from jobs.kinds import JOB_KINDS
from jobs.models import Job, JobRun
from jobs.slots import find_slot
from queues.models import StageDuration
from tests.factories import person, received_case

NAME = "queues.measure_stage_durations"
FREQUENT = "letters.sweep"
SLOT = datetime(2026, 3, 2, 11, 10, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]


@pytest.fixture
def clock(monkeypatch):
    """The moment that every task reads; a test moves it."""
    moment = [SLOT + timedelta(seconds=2)]
    monkeypatch.setattr(timezone, "now", lambda: moment[0])
    return moment


def run(work=lambda job: None, *, name=NAME, slot=SLOT, **named):
    return tasks.run_job(name=name, work=work, scheduled_for=slot, **named)


def test_every_job_of_the_schedule_is_described_and_none_else():
    scheduled = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}
    assert scheduled == set(JOB_KINDS)


def test_every_scheduled_task_is_a_job_with_a_row_of_its_runs():
    celery_app.loader.import_default_modules()
    for name in JOB_KINDS:
        task = celery_app.tasks[name]
        assert "run_id" in task.run.__code__.co_varnames, f"{name} is no scheduled_job"


@pytest.mark.parametrize(
    ("schedule", "at", "slot"),
    [
        (15.0, SLOT + timedelta(seconds=29), SLOT + timedelta(seconds=15)),
        (crontab(hour="11", minute="10"), SLOT, SLOT),
        (crontab(hour="11", minute="10"), SLOT + timedelta(hours=20), SLOT),
        (crontab(minute="*/10"), SLOT + timedelta(minutes=9, seconds=59), SLOT),
        (
            crontab(hour="8-13", minute="40"),
            SLOT - timedelta(hours=4),
            datetime(2026, 3, 1, 13, 40, tzinfo=UTC),
        ),
    ],
)  # fmt: skip
def test_messages_for_one_due_moment_mean_the_same_slot(schedule, at, slot):
    assert find_slot(schedule, at) == slot


@pytest.mark.capability("OP-4")
@pytest.mark.parametrize("name", JOB_KINDS)
def test_two_messages_for_one_due_moment_are_one_run(clock, name):
    runs = []
    assert run(runs.append, name=name)
    clock[0] += timedelta(seconds=5)
    assert not run(runs.append, name=name)
    assert len(runs) == 1
    assert run(runs.append, name=name, slot=SLOT + timedelta(days=1))
    assert len(runs) == 2


@pytest.mark.capability("OP-4")
def test_a_second_scheduler_does_not_measure_the_stages_twice(clock, monkeypatch):
    counts = []
    monkeypatch.setattr(
        "queues.services.stage_durations.measure_stage_durations",
        lambda *, at: counts.append(at) or [],
    )
    celery_app.loader.import_default_modules()
    task = celery_app.tasks[NAME]
    for _ in range(2):  # as a worker runs a message
        task.request_stack.push(type(task.request)(called_directly=False))
        try:
            task.run()
        finally:
            task.request_stack.pop()
    assert len(counts) == 1
    assert JobRun.objects.get().scheduled_for == SLOT
    assert not StageDuration.objects.exists()


@pytest.mark.capability("OP-4")
def test_a_job_never_runs_beside_itself(clock):
    inner = []

    def work(job):
        inner.append(run(lambda job: None, slot=SLOT + timedelta(days=1)))
        inner.append(run(lambda job: None, slot=None))

    assert run(work)
    assert inner == [False, False]


def test_a_run_whose_process_stopped_is_taken_over_after_its_lease(clock):
    first = services.claim_run(name=NAME, scheduled_for=SLOT, run_id=None, host="a", at=clock[0])
    assert not run()
    clock[0] += JOB_KINDS[NAME].lease + timedelta(seconds=1)
    assert run()
    first.refresh_from_db()
    assert first.outcome == JobRun.Outcome.DONE
    assert JobRun.objects.count() == 1


def test_a_stopped_run_is_recorded_when_a_later_one_begins(clock):
    first = services.claim_run(name=NAME, scheduled_for=SLOT, run_id=None, host="a", at=clock[0])
    clock[0] += timedelta(days=1)
    assert run(slot=SLOT + timedelta(days=1))
    first.refresh_from_db()
    assert (first.outcome, first.error) == (JobRun.Outcome.STOPPED, services.STOPPED)


def test_a_job_goes_on_after_the_clock_was_set_back(clock):
    services.claim_run(name=FREQUENT, scheduled_for=SLOT, run_id=None, host="a", at=clock[0])
    clock[0] -= timedelta(hours=3)
    # The first run may still be at work, so its lease lasts once more by the new clock.
    assert not run(name=FREQUENT, slot=SLOT - timedelta(hours=3))
    clock[0] += JOB_KINDS[FREQUENT].lease + timedelta(seconds=1)
    assert run(name=FREQUENT, slot=SLOT - timedelta(hours=3))


def test_a_running_job_keeps_its_lease_when_the_clock_is_set_back(clock):
    first = services.claim_run(name=NAME, scheduled_for=SLOT, run_id=None, host="a", at=clock[0])
    clock[0] -= timedelta(minutes=10)
    assert not run(slot=SLOT - timedelta(days=1))
    clock[0] += timedelta(seconds=60)
    tasks.JobInProgress(first).keep_alive()
    clock[0] += timedelta(seconds=60)
    assert not run(slot=SLOT - timedelta(days=1))


@pytest.mark.parametrize("slot", [SLOT, SLOT + timedelta(days=1)])
def test_a_run_that_lost_its_lease_ends_and_changes_nothing_of_the_next(clock, slot):
    after = []

    def work(job):
        clock[0] += JOB_KINDS[NAME].lease + timedelta(seconds=1)
        later = services.claim_run(
            name=NAME, scheduled_for=slot, run_id=None, host="b", at=clock[0]
        )
        after.append((later, Job.objects.get().lease_until))
        clock[0] += timedelta(seconds=5)
        with pytest.raises(LeaseLost), job.for_case("CM26-0000001"):
            job.keep_alive()

    with pytest.raises(LeaseLost):
        run(work)
    later, lease_until = after[0]
    assert Job.objects.get().lease_until == lease_until
    later.refresh_from_db()
    assert (later.outcome, later.host) == (JobRun.Outcome.RUNNING, "b")
    first = JobRun.objects.exclude(pk=later.pk).first()
    assert first is None if slot == SLOT else first.outcome == JobRun.Outcome.STOPPED
    services.end_run(run=later, error="", at=clock[0])
    assert Job.objects.get().lease_until is None


def test_jobs_that_run_every_few_seconds_leave_a_row_only_when_they_fail(clock):
    def fail(job):
        raise OperationalError("database is locked")

    assert run(name=FREQUENT)
    assert not JobRun.objects.exists()
    for minute in (1, 2):
        with pytest.raises(OperationalError):
            run(fail, name=FREQUENT, slot=SLOT + timedelta(minutes=minute))
    failed = JobRun.objects.get()
    assert failed.error.startswith("The database did not answer, or was locked")


@pytest.mark.capability("OP-2", "defect 28")
def test_a_failed_job_says_why_without_the_words_of_the_error(clock):
    def fail(job):
        raise ValueError("Maria Ortega, claim 06-2213")

    with pytest.raises(ValueError, match="Maria"):
        run(fail)
    failed = JobRun.objects.get()
    assert failed.outcome == JobRun.Outcome.FAILED
    assert failed.error.startswith("An error in the program: ValueError in tests/jobs/test_jobs.py")
    assert "Maria" not in failed.error
    assert failed.host
    assert Job.objects.get().lease_until is None


def test_a_later_run_that_succeeds_resolves_the_failure(clock):
    def fail(job):
        raise OperationalError

    with pytest.raises(OperationalError):
        run(fail)
    assert JobRun.objects.unresolved().count() == 1
    clock[0] += timedelta(days=1)
    assert run(slot=SLOT + timedelta(days=1))
    assert not JobRun.objects.unresolved().exists()


@pytest.mark.capability("OP-2", "defect 28")
def test_a_failure_on_one_case_marks_that_case_and_the_others_are_done(client, clock):
    case = received_case()
    director = person(Role.DIRECTOR)
    done = []

    def work(job):
        with job.for_case(case.number):
            raise OperationalError
        with job.for_case("CM26-0000002"):
            done.append(1)

    assert run(work)
    assert done == [1]
    assert JobRun.objects.unresolved().get().reference == case.number
    client.force_login(director)
    page = client.get(reverse("desk:case", args=[case.number])).content.decode()
    assert "A scheduled job failed on this case" in page
    assert reverse("jobs:list") in page
    address = case.get_absolute_url()
    assert address in client.get(reverse("jobs:list")).content.decode()
    client.force_login(person(Role.ADMINISTRATOR))
    page = client.get(reverse("jobs:list")).content.decode()
    assert case.number in page
    assert address not in page
    client.force_login(director)
    # The next run that does not fail on the case resolves it.
    clock[0] += timedelta(days=1)
    run(slot=SLOT + timedelta(days=1))
    page = client.get(reverse("desk:case", args=[case.number])).content.decode()
    assert "A scheduled job failed on this case" not in page


@pytest.mark.capability("OP-2")
def test_the_page_lists_failures_first_and_runs_a_job_again(client, clock, monkeypatch):
    def fail(job):
        raise OperationalError

    with pytest.raises(OperationalError):
        run(fail)
    client.force_login(person(Role.ADMINISTRATOR))
    page = client.get(reverse("jobs:list")).content.decode()
    assert "1 failure to resolve." in page
    assert page.index("The database did not answer") < page.index("All jobs")
    answer = client.post(reverse("jobs:run_again", args=[NAME]))
    assert answer.status_code == 302
    client.post(reverse("jobs:run_again", args=[NAME]))  # a second click
    waiting = JobRun.objects.get(outcome=JobRun.Outcome.WAITING)
    sent = []
    monkeypatch.setattr(
        celery_app, "send_task", lambda name, kwargs, **_: sent.append((name, kwargs))
    )
    tasks.start_requested_runs()
    assert sent == [(NAME, {"run_id": waiting.pk})]
    clock[0] += timedelta(seconds=20)
    assert tasks.run_job(name=NAME, work=lambda job: None, scheduled_for=None, run_id=waiting.pk)
    assert not tasks.run_job(
        name=NAME, work=lambda job: None, scheduled_for=None, run_id=waiting.pk
    )
    assert not JobRun.objects.unresolved().exists()


def test_an_auditor_reads_the_page_and_runs_nothing(client):
    auditor = person(Role.AUDITOR)
    client.force_login(auditor)
    page = client.get(reverse("jobs:list")).content.decode()
    assert "An administrator or the medical director runs jobs again." in page
    assert "Run again" not in page
    assert client.post(reverse("jobs:run_again", args=[NAME])).status_code in {403, 404}
    with pytest.raises(NotAllowed):
        services.request_run(name=NAME, by=auditor, at=SLOT)
    assert not JobRun.objects.exists()
