"""Two real schedulers beside each other, as shipped: each due moment has one run of each job."""

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
import yaml
from celery.beat import PersistentScheduler
from django.db import connection, connections
from django.utils import timezone

from imr_portal.celery import BEAT_SCHEDULE, app
from jobs.kinds import JOB_KINDS
from jobs.models import Job, JobRun
from tests import processes
from tests.processes import ROOT, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.every_database,
    pytest.mark.usefixtures("committed_db"),
]

# A table of the test: a trigger copies each beginning and end of a run, in their order.
LOG_COLUMNS = "name, slot, started_at, ended_at"
LOG_TABLE = f"CREATE TABLE test_job_log (id %s, {LOG_COLUMNS.replace(',', ' text,')} text)"
COPY_ROW = (
    f"INSERT INTO test_job_log ({LOG_COLUMNS}) "
    "VALUES (NEW.name, NEW.slot, NEW.started_at, NEW.ended_at)"
)


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def job_log(committed_db):
    """Record every beginning and end of a run; call it for the rows so far."""
    if connection.vendor == "postgresql":
        execute(
            LOG_TABLE % "serial",
            "CREATE FUNCTION test_copy_job() RETURNS trigger AS "
            f"$$ BEGIN {COPY_ROW}; RETURN NEW; END $$ LANGUAGE plpgsql",
            "CREATE TRIGGER test_copy_job AFTER UPDATE ON jobs_job FOR EACH ROW WHEN "
            "(OLD.started_at IS DISTINCT FROM NEW.started_at OR "
            "OLD.ended_at IS DISTINCT FROM NEW.ended_at) EXECUTE FUNCTION test_copy_job()",
        )
    else:
        execute(
            LOG_TABLE % "integer PRIMARY KEY",
            "CREATE TRIGGER test_copy_job AFTER UPDATE ON jobs_job WHEN "
            "OLD.started_at IS NOT NEW.started_at OR OLD.ended_at IS NOT NEW.ended_at "
            f"BEGIN {COPY_ROW}; END",
        )

    def read():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {LOG_COLUMNS} FROM test_job_log ORDER BY id")
            return cursor.fetchall()

    yield read
    if connection.vendor == "postgresql":
        execute("DROP TRIGGER test_copy_job ON jobs_job", "DROP FUNCTION test_copy_job()")
    else:
        execute("DROP TRIGGER test_copy_job")
    execute("DROP TABLE test_job_log")
    connections.close_all()


@pytest.fixture
def shipped_env(process_env):
    """The environment with the lengths of leases as shipped, which tests usually shorten."""
    return {**process_env, "CELERY_VISIBILITY_TIMEOUT": "120", "LETTER_LEASE_SECONDS": "40"}


@pytest.fixture
def start_scheduler(run_folder, shipped_env, broker):
    """Start a scheduler with the file of one that stopped two days ago: every job is overdue."""
    started = []

    def start(name):
        folder = run_folder / name
        folder.mkdir()
        stored = PersistentScheduler(app=app, schedule_filename=str(folder / "beat"))
        for entry in stored.schedule.values():
            entry.last_run_at = timezone.now() - timedelta(days=2)
        stored.close()
        process = processes.scheduler(folder, shipped_env)
        started.append(process.start())
        return process.says("beat: Starting...")

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def two_at_a_time(run_folder, shipped_env, broker):
    """A worker that takes two messages at once."""
    process = processes.worker(run_folder, shipped_env, concurrency=2).start().says("ready.")
    yield process
    process.stop(seconds=10)


def count_sent(scheduler, job):
    return scheduler.output.count(f"Sending due task {job} ")


def test_the_schedulers_of_this_test_are_those_of_compose(tmp_path):
    shipped = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["scheduler"]
    ours = processes.scheduler(tmp_path, {}).argv
    options = [word for word in ours if word not in {"--loglevel", "INFO"}]
    assert options[2:-1] == shipped["command"][:-1]


@pytest.mark.capability("OP-4")
def test_two_schedulers_run_each_job_once_and_one_goes_on_alone(
    job_log, two_at_a_time, start_scheduler
):
    first, second = start_scheduler("first"), start_scheduler("second")
    jobs = {entry["task"] for entry in BEAT_SCHEDULE.values()}

    # Both send every overdue job, and some jobs again.
    wait_until(
        lambda: all(count_sent(one, job) for one in (first, second) for job in jobs),
        what="both schedulers send every job",
    )
    wait_until(
        lambda: all(count_sent(one, "letters.sweep") >= 3 for one in (first, second)),
        what="both schedulers send the job that is due every 15 seconds",
    )
    first.kill()
    killed_at = timezone.now()
    sent_by_second = count_sent(second, "letters.sweep")
    wait_until(
        lambda: count_sent(second, "letters.sweep") >= sent_by_second + 2,
        what="the other scheduler goes on",
    )
    second.kill()
    wait_until(
        lambda: not Job.objects.filter(ended_at=None).exists() and Job.objects.count() == len(jobs),
        what="every job has ended",
    )

    moments, beginnings = defaultdict(list), Counter()
    for name, slot, started_at, ended_at in job_log():
        if ended_at is None:
            beginnings[name, slot] += 1
        moments[name].append((str(started_at), ended_at is not None))
    assert set(moments) == jobs
    # Each due moment has one run.
    assert set(beginnings.values()) == {1}
    # No run begins before the earlier one has ended: a beginning and its end take turns.
    for name, rows in moments.items():
        assert [ended for _, ended in rows] == [False, True] * (len(rows) // 2), name
        assert all(rows[n][0] == rows[n + 1][0] for n in range(0, len(rows), 2)), name
    # Both schedulers have sent more messages than there were runs.
    runs = sum(1 for name, _ in beginnings if name == "letters.sweep")
    assert runs < count_sent(first, "letters.sweep") + count_sent(second, "letters.sweep")
    # The other scheduler has gone on.
    assert Job.objects.get(name="letters.sweep").slot > killed_at
    kept = {name for name, kind in JOB_KINDS.items() if kind.keeps_every_run}
    assert set(JobRun.objects.values_list("name", "outcome")) == {(name, "DONE") for name in kept}
    assert not JobRun.objects.filter(scheduled_for=None).exists()
