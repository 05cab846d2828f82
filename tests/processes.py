"""Real processes for tests: started in a group of their own, killed and awaited at the end."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from imr_portal import broker as broker_program

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds; a loaded machine with two cores starts a worker in about four


def environment(folder):
    """The environment of a process that works on the test database, its socket in ``folder``."""
    from django.conf import settings
    from django.db import connection

    row = connection.settings_dict
    if connection.vendor == "sqlite":
        database = f"sqlite://{row['NAME']}"
    else:
        database = f"postgresql:///{row['NAME']}?host={row['HOST']}&user={row['USER']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database,
        "FILES_DIR": settings.FILES_DIR,
        "REDIS_URL": broker_program.socket_url(broker_program.socket_path(folder)),
        "PYTHONUNBUFFERED": "1",
    }


class DidNotHappen(AssertionError):
    """Something that a test waited for did not happen in time."""


def wait_until(true, *, what, seconds=PATIENCE, every=0.05):
    """Ask again and again until something is true; return what it said.

    For things that no event announces: a row that another process writes, a port that opens.
    """
    end = time.monotonic() + seconds
    while True:
        answer = true()
        if answer:
            return answer
        if time.monotonic() > end:
            raise DidNotHappen(f"Waited {seconds} s in vain: {what}")
        time.sleep(every)


def _end_with_parent():
    """Have Linux end the program if the tests themselves are killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Process:
    """One program with its own process group and its output in a file."""

    def __init__(self, name, argv, *, folder, env, pass_fds=()):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.env = env
        self.pass_fds = pass_fds
        self.log = Path(folder) / f"{name}.log"
        self._popen = None

    def start(self):
        assert not self.running, f"{self.name} is running already"
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,
                pass_fds=self.pass_fds,
            )
        return self

    @property
    def pid(self):
        return self._popen.pid

    @property
    def running(self):
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self):
        return self._popen.poll()

    @property
    def output(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def says(self, text, *, seconds=PATIENCE, since=0):
        """Wait until the program has printed this, ``since`` that many characters of output."""

        def seen():
            if text in self.output[since:]:
                return True
            if not self.running:
                raise DidNotHappen(f"{self.name} ended before it said {text!r}:\n{self.output}")
            return False

        try:
            wait_until(seen, what=f"{self.name} says {text!r}", seconds=seconds)
        except DidNotHappen as error:
            raise DidNotHappen(f"{error}\n{self.output}") from None
        return self

    def send(self, number):
        """Send a signal to the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self):
        """End it as a power failure would (``kill -9``, the whole group), and see it gone."""
        if self._popen is None:
            return
        self.send(signal.SIGKILL)
        self._popen.wait(PATIENCE)
        wait_until(lambda: not _group_exists(self.pid), what=f"{self.name} is gone")

    def stop(self, *, seconds=PATIENCE):
        """End it politely; return its exit code. Kills what does not listen."""
        if self._popen is None:
            return None
        if self.running:
            self._popen.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
        code = self._popen.poll()
        self.kill()
        return code

    def children(self):
        """The process ids of its children, as the kernel lists them."""
        tasks = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(word) for word in tasks.read_text().split()]


def free_port():
    """A port of this machine that no one uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command_line(pid):
    """The words that started a process, with spaces around them."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return f" {' '.join(words)} "


def is_running(pid):
    return _state(pid) not in {"", "Z", "X"}


def _group_exists(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A zombie that no one has waited for still counts as a member; init will reap it.
    return any(_state(pid) not in {"Z", "X", ""} for pid in _members(group))


def _members(group):
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(ProcessLookupError, PermissionError, OSError):
                if os.getpgid(int(entry.name)) == group:
                    yield int(entry.name)


def _state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Broker:
    """A private Redis or Valkey on a unix socket."""

    def __init__(self, folder, env):
        self.socket = broker_program.socket_path(Path(folder))
        self.url = broker_program.socket_url(self.socket)
        self._process = Process(
            "broker",
            broker_program.server_command(self.socket, folder=Path(folder)),
            folder=folder,
            env=env,
        )

    def start(self):
        self._process.start()
        wait_until(self._answers, what="the broker answers")
        return self

    def _answers(self):
        if not self._process.running:
            raise DidNotHappen(f"The broker ended:\n{self._process.output}")
        return broker_program.is_answering(self.socket)

    @property
    def running(self):
        return self._process.running

    def kill(self):
        self._process.kill()
        self.socket.unlink(missing_ok=True)

    def stop(self):
        code = self._process.stop()
        self.socket.unlink(missing_ok=True)
        return code

    def flush(self):
        """Forget everything, as a wiped Redis does."""
        with self.client() as client:
            client.flushall()

    def client(self):
        import redis

        return contextlib.closing(redis.Redis(unix_socket_path=str(self.socket)))


# A web server of a test: one process with all threads, and a short end.
FEW_WORKERS = ("--workers", "1", "--threads", "8", "--graceful-timeout", "5")


class Site:
    """A real web server in a process of its own, on a free port of this machine."""

    def __init__(self, folder, env, *, options=FEW_WORKERS):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.set_inheritable(True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.process = Process(
            "web",
            [
                *[sys.executable, "-m", "gunicorn", "--config", "python:imr_portal.web_server"],
                *["--bind", f"fd://{self._listener.fileno()}", *options, "imr_portal.wsgi"],
            ],
            folder=folder,
            env=env,
            pass_fds=(self._listener.fileno(),),
        )

    def start(self):
        self.process.start()
        wait_until(self._lives, what="the web server answers")
        return self

    def _lives(self):
        if not self.process.running:
            raise DidNotHappen(f"The web server ended:\n{self.process.output}")
        try:
            return self.get("/livez").status == 200
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def get(self, path, *, timeout=10):
        """Fetch a page without a session. A refusal is an answer too."""
        request = urllib.request.Request(self.url + path)
        try:
            return urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as answer:
            return answer

    def kill(self):
        self.process.kill()

    def stop(self):
        code = self.process.stop()
        self._listener.close()
        return code


def relay(folder, env):
    """The process that hands due letters to the workers."""
    return Process("relay", [sys.executable, "manage.py", "relay"], folder=folder, env=env)


def worker(folder, env, *, concurrency=1):
    """A Celery worker with real child processes."""
    return Process(
        "worker",
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "imr_portal",
            "worker",
            "--loglevel",
            "INFO",
            "--concurrency",
            str(concurrency),
            "--without-gossip",
            "--without-mingle",
        ],
        folder=folder,
        env={**env, "LOG_LEVEL": "INFO"},
    )


def scheduler(folder, env):
    """Celery's deadline."""
    return Process(
        "scheduler",
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "imr_portal",
            "beat",
            "--loglevel",
            "INFO",
            "--pidfile",
            "",
            "--schedule",
            str(Path(folder) / "beat"),
        ],
        folder=folder,
        env={**env, "LOG_LEVEL": "INFO"},
    )
