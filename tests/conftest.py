"""Fixtures for every test.

* Most tests use ``db``: one transaction, rolled back.
* A module whose tests read the same rows makes them once, in a fixture of the module's scope that
  names ``module_db``; what each test changes is rolled back after it.
* A test whose rows must be seen by threads or other processes uses ``committed_db``: rows are
  committed, and afterward the whole database is put back as the migrations left it.
  (pytest-django's ``transactional_db`` and ``live_server`` empty tables; ours refuse that.)
* ``site``, ``relay``, ``worker``, ``scheduler`` and ``broker`` are real processes on that
  database. A process fixture is started by the test that names it and gone when it ends.
"""

import gc
import os
import signal
from pathlib import Path

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from . import processes, stored_stages
from .pristine import pristine

CI = os.environ.get("CI") == "true"

# The files whose tests read the crawl: it is made once for all of them.
CRAWLED = {"test_access_by_role.py", "test_looks_of_pages.py", "test_reviewer_identity.py"}
# Files with one long piece of work. They begin first, so that no process is left alone with them.
BEGIN_FIRST = [*sorted(CRAWLED), "test_no_version_is_missed.py", "test_kept_panel.py"]


_module_keeps_rows = False  # while a module's ``module_db`` is open


def pytest_addoption(parser):
    parser.addoption(
        "--capability", action="append", default=[], help="run only the tests marked with this id"
    )


def pytest_configure(config):
    """End as on Ctrl-C when asked politely, so that no process of a test is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A busy machine is slow, and says nothing about the property that is tested.
    hypothesis.settings.register_profile(
        "any-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """One migrated database for the whole run, and a copy of it."""
    with django_db_blocker.unblock():
        kept = pristine()
        kept.set_up()
    yield kept
    with django_db_blocker.unblock():
        kept.tear_down()


@pytest.fixture(autouse=True)
def _empty_cache():
    """What a process remembers must not leak from test to test, whose rows have the same ids."""
    from reviewers.matching import kept_panel, track_record

    cache.clear()
    kept_panel.clear_kept_panel()
    track_record.clear_track_records()


@pytest.fixture(autouse=True)
def _note_what_is_written(request):
    """Let factories use stored rows where a test begins with rows that are known."""
    leaves_rows = {"committed_db", "office"} & {*request.fixturenames}
    stored_stages.begin_test(keeps_to_itself=not leaves_rows, shared_rows=_module_keeps_rows)
    yield
    stored_stages.end_test()


@pytest.fixture
def committed_db(django_db_setup, django_db_blocker):
    """The database, with commits that others can see. Put back afterward."""
    with django_db_blocker.unblock():
        assert not connection.in_atomic_block, "module_db and committed_db share no module"
        yield
        django_db_setup.restore()
        stored_stages.keep_numbers_free()


@pytest.fixture(scope="module")
def module_db(django_db_setup, django_db_blocker):
    """The database, for rows that every test of a module reads; rolled back after the module."""
    global _module_keeps_rows
    with django_db_blocker.unblock(), transaction.atomic():
        stored_stages.begin_test(keeps_to_itself=True, shared_rows=False)
        _module_keeps_rows = True
        yield
        _module_keeps_rows = False
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def office(django_db_setup, django_db_blocker):
    """Every page and form, opened and sent once as every role; see ``tests.crawl``."""
    from .crawl import crawl

    with django_db_blocker.unblock():
        return crawl()


@pytest.fixture
def set_clock(monkeypatch):
    """Call it with a moment: the edge then reads that moment from the clock."""

    def set_to(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return set_to


@pytest.fixture
def run_folder(tmp_path_factory):
    """A folder with a short path for sockets and logs."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def process_env(committed_db, run_folder, tmp_path):
    """The environment of a process that works on the test database."""
    return processes.environment(run_folder)


@pytest.fixture
def broker(run_folder, process_env):
    """A private broker: .kill(), .stop(), .start(), .flush(), .client()."""
    server = processes.Broker(run_folder, process_env).start()
    yield server
    server.kill()


@pytest.fixture
def site(run_folder, process_env):
    """A real web server on the test database: .url, .get(), .kill()."""
    server = processes.Site(run_folder, process_env).start()
    yield server
    server.stop()


@pytest.fixture
def relay(run_folder, process_env, broker):
    """The relay, running."""
    process = processes.relay(run_folder, process_env).start()
    yield process
    process.stop(seconds=10)


@pytest.fixture
def worker(run_folder, process_env, broker):
    """A Celery worker with one child, ready for work."""
    process = processes.worker(run_folder, process_env).start().says("ready.")
    yield process
    process.stop(seconds=15)


@pytest.fixture
def scheduler(run_folder, process_env, broker):
    """Celery's deadline, running."""
    process = processes.scheduler(run_folder, process_env).start().says("beat: Starting...")
    yield process
    process.stop(seconds=10)


SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def pytest_collection_modifyitems(config, items):
    """Keep the tests of ``--capability``. Put long files first. Skip what cannot run here."""
    from django.conf import settings

    reasons = {}
    if not settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        reasons["postgres"] = "says something about PostgreSQL alone"
    else:
        reasons["sqlite"] = "needs SQLite"
    if not SHARED.is_dir():
        reasons["shared"] = "needs ../shared, which is not here"
    if wanted := {*config.getoption("capability")}:
        others = [item for item in items if not wanted & _capabilities(item)]
        items[:] = [item for item in items if wanted & _capabilities(item)]
        config.hook.pytest_deselected(items=others)
    items.sort(key=_place_in_run)  # stable: the rest stays in the order of the run's seed
    for item in items:
        for marker, reason in reasons.items():
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def _capabilities(item):
    return {word for mark in item.iter_markers("capability") for word in mark.args}


def pytest_collection_finish(session):
    """Spare the garbage collector what stays until the end: half a million objects of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _place_in_run(item):
    name = item.path.name
    return BEGIN_FIRST.index(name) if name in BEGIN_FIRST else len(BEGIN_FIRST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under CI a skipped test is a failed one, unless it needs ../shared."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail") and "shared" not in item.keywords:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if "../shared" not in str(reason):
            report.outcome = "failed"
            report.longrepr = f"Nothing may be skipped under CI. {reason}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each process whole files, and all files that read the crawl to one process."""
    from xdist.scheduler import LoadFileScheduling

    class WholeFiles(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "crawl" if Path(file).name in CRAWLED else file

    config.option.loadscopereorder = False  # keep the order of _place_in_run
    return WholeFiles(config, log)
