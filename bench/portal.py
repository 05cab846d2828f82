"""The processes of the portal as they are shipped, for benches that kill them or load them.

On SQLite they run as ``script/server`` starts them, on PostgreSQL with production settings and the
role of the application, as in ``compose.yaml``. What a test shortens, such as leases, is not
shortened here.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests import processes

from . import stage

APPLICATION_ROLE = "imr_app"
# ``script/server`` notices the end of a process after so many seconds, and starts it again.
NOTICED_AFTER = 0.3


def set_up() -> None:
    """Start Django with the shipped settings on an empty database with the reference data."""
    on_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    stage.set_up(
        DJANGO_SETTINGS_MODULE="imr_portal.settings",
        DEBUG="0" if on_postgres else "1",
        DEMO="0" if on_postgres else "1",
        ALLOWED_HOSTS="127.0.0.1",
        ALLOW_SAMPLE_WORDING="1",  # the only wording that comes with the portal
        APPLICATION_DB_PASSWORD="not-asked-for-on-a-private-server",  # noqa: S106
    )
    from django.core.management import call_command

    with open(os.devnull, "w") as nowhere:
        call_command("seed_reference", stdout=nowhere)
        if on_postgres:
            call_command("grant_application_role", APPLICATION_ROLE, create=True, stdout=nowhere)


def collect_static_files() -> None:
    """Collect the static files, without which the web server answers no page."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def find_environment() -> dict[str, str]:
    """The environment of the processes: that of the bench, with the role of the application."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "INFO"}
    url = env.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        env["DATABASE_URL"] = parts._replace(netloc=f"{APPLICATION_ROLE}@{host}").geturl()
    return env


class Portal:
    """A broker, a relay, a worker with two children, a scheduler, and a web server if asked for."""

    def __init__(self, *, with_web: bool = False) -> None:
        folder = Path(os.environ["VAR_DIR"])
        env = find_environment()
        self.broker = processes.Broker(folder, env)
        env["REDIS_URL"] = self.broker.url
        self.worker = processes.worker(folder, env, concurrency=2)
        self.relay = processes.relay(folder, env)
        self.scheduler = processes.scheduler(folder, env)
        # Without options, so that the number of processes and threads is the shipped one.
        self.site = processes.Site(folder, env, options=()) if with_web else None
        self._printed = 0  # by earlier runs of the worker, in characters

    def start(self) -> None:
        """Start all processes, and wait until they work."""
        self.broker.start()
        for process in (self.worker, self.relay, self.scheduler):
            process.start()
        if self.site:
            self.site.start()
        self.wait_until_working()

    def stop(self) -> None:
        """Kill all processes."""
        for process in (self.site, self.scheduler, self.relay, self.worker, self.broker):
            if process:
                process.kill()

    def restart_ended(self) -> None:
        """Start every process again that has ended, as a supervisor does."""
        for process in (self.broker, self.worker, self.relay, self.scheduler):
            if not process.running:
                process.kill()  # what is left of its group
                if process is self.worker:
                    self._printed = len(self.worker.output)
                process.start()

    def wait_until_working(self) -> None:
        """Wait until the worker takes messages; its start is slow on a busy machine."""
        self.worker.says("ready.", since=self._printed)


def kill_parent(process: processes.Process) -> None:
    """Kill a process alone, and what is left of its group when a supervisor would notice it."""
    os.kill(process.pid, signal.SIGKILL)
    time.sleep(NOTICED_AFTER)
    process.kill()


def kill_one_child(process: processes.Process, number: float) -> None:
    """Kill one child of a process, chosen by a number from 0 to below 1."""
    children = processes.wait_until(process.children, what=f"{process.name} has children")
    with contextlib.suppress(ProcessLookupError):
        os.kill(children[int(number * len(children))], signal.SIGKILL)
