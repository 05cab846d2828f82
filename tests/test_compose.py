"""Production as it is described: every service's own command is run, without an engine.

No container is built here. What can be shown without one is: the image's instructions name what
exists, each command starts under production's settings against a real PostgreSQL and a real Redis
or Valkey, answers its health check, and ends when it is asked to.
"""

import ast
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.db import connection

from . import processes

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
ORGANIZATION = ["migrate", "web", "relay", "worker", "scheduler"]
FILLED_IN = {
    "SECRET_KEY": "",  # made again for each test
    "ALLOWED_HOSTS": "portal.example,localhost",
    "OWNER_DB_PASSWORD": "owner",
    "APPLICATION_DB_PASSWORD": "application",
    "IMRO_NAME": "Ocean Medical Review",
    "IMRO_SHORT_NAME": "OMR",
    "IMRO_ADDRESS": "1 Pier, Eureka, CA 95501",
    "IMRO_PHONE": "(800) 555-0142",
}
VARIABLE = re.compile(r"\$\{(\w+)(:?[-?])?([^}]*)\}")


def interpolated(text, values):
    """What the engine makes of ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}``."""

    def fill(match):
        name, kind, word = match.groups()
        if values.get(name):
            return values[name]
        assert kind == ":-", f"{name} has no value and no default"
        return word

    return VARIABLE.sub(fill, text).replace("$$", "$")


def environment_of(service, values):
    return {
        name: interpolated(str(value), values)
        for name, value in SERVICES[service]["environment"].items()
    }


def command_of(service, values):
    return [interpolated(word, values) for word in SERVICES[service]["command"]]


# --- what can be read -----------------------------------------------------------------------------


def test_every_process_of_the_portal_is_a_service():
    assert set(SERVICES) == {"db", "redis", *ORGANIZATION}


@pytest.mark.parametrize("service", ["web", "relay", "worker", "scheduler"])
def test_web_processes_never_connect_as_the_owner_of_the_tables(service):
    settings = environment_of(service, FILLED_IN | {"SECRET_KEY": "x"})

    assert "//imr_app:application@" in settings["DATABASE_URL"]
    assert "imr_owner" not in str(SERVICES[service])
    assert "DEBUG" not in settings
    assert "DEMO" not in settings


def test_everything_waits_for_the_migrations():
    for service in ("web", "relay", "worker", "scheduler"):
        waits = SERVICES[service]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"


def test_no_container_runs_as_root_or_writes_into_its_image():
    assert re.search(r"^USER portal$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for service in ORGANIZATION:
        assert SERVICES[service]["read_only"] is True
        assert SERVICES[service]["cap_drop"] == ["ALL"]


def test_only_the_web_server_is_reached_from_outside_and_only_from_this_machine():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_the_image_copies_only_existing_files():
    wanted = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    assert not [name for name in wanted if not (ROOT / name).exists()]
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert apps <= set(wanted)
    assert "tests" not in wanted


def names_read():
    """Every variable that the settings, the web server and the commands read."""
    readers = {"read_text", "read_flag", "read_number", "read_list", "database_settings"}
    found = set()
    for path in (ROOT / "imr_portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in readers
                and ast.unparse(node.func.value) == "environment"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    return found


def names_in_compose():
    return {match[1] for match in VARIABLE.finditer((ROOT / "compose.yaml").read_text())}


def test_the_example_of_settings_is_complete_and_names_nothing_else():
    example = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^#?([A-Z][A-Z_]+)=", example, re.MULTILINE))

    assert listed == names_read() | names_in_compose()


# Settings that compose.yaml does not pass on, each with its reason.
NOT_PASSED = {
    "DEBUG": "never in production",
    "DEMO": "never in production",
    "ALLOW_SAMPLE_WORDING": "never in production",
    "SECOND_FACTOR_REQUIRED": "never off in production",
    "HOST": "the image sets it",
    "VAR_DIR": "the image sets it",
    "FILES_DIR": "inside VAR_DIR",
    "STATIC_ROOT": "the image sets it",
}


def defaults_in_example():
    example = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#([A-Z][A-Z_]+)=(.*)$", example, re.MULTILINE))


@pytest.mark.parametrize("service", ["web", "relay", "worker", "scheduler", "migrate"])
def test_every_setting_reaches_every_service(service):
    passed = set(SERVICES[service]["environment"])
    # The port is that of the machine; the password is part of DATABASE_URL.
    read = names_read() - {"PORT", "APPLICATION_DB_PASSWORD"}
    assert read - passed == set(NOT_PASSED)


def test_compose_has_the_same_defaults_as_the_example():
    shown = defaults_in_example()
    passed = {
        match[1]: match[3]
        for match in VARIABLE.finditer((ROOT / "compose.yaml").read_text())
        if match[2] == ":-"
    }
    assert {name: shown[name] for name in passed} == passed


def test_the_example_has_the_defaults_of_the_settings():
    """Every default that the settings write as a number, a flag or a text."""
    shown, found = defaults_in_example(), {}
    for path in (ROOT / "imr_portal" / "settings.py", ROOT / "imr_portal" / "web_server.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) != 2:
                continue
            if ast.unparse(node.func).startswith("environment.read_"):
                try:
                    value = eval(ast.unparse(node.args[1]), {"__builtins__": {}})  # noqa: S307
                except (NameError, TypeError):
                    continue  # computed from other settings
                name = ast.literal_eval(node.args[0])
                found[name] = str(int(value)) if isinstance(value, bool) else str(value)
    # The example shows the address in compose.yaml.
    found = {name: value for name, value in found.items() if name in shown and name != "REDIS_URL"}
    assert len(found) > 10
    assert {name: shown[name] for name in found} == found


def test_the_example_contains_no_secret():
    for name in ("SECRET_KEY", "OWNER_DB_PASSWORD", "APPLICATION_DB_PASSWORD"):
        assert re.search(rf"^{name}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


# --- what can be run ------------------------------------------------------------------------------


@pytest.fixture
def production(run_folder, committed_db, tmp_path):
    """Production's settings for each service, pointed at this machine's servers."""
    if connection.vendor != "postgresql":
        pytest.skip("says something about PostgreSQL alone")
    row = connection.settings_dict
    values = FILLED_IN | {"SECRET_KEY": secrets.token_urlsafe(50)}
    broker = processes.broker_program.socket_path(run_folder)

    def settings(service):
        settings = environment_of(service, values)
        owner, host, database = row["USER"] or "postgres", row["HOST"], row["NAME"]
        role = "imr_app_of_compose" if "imr_app" in settings["DATABASE_URL"] else owner
        places = {
            "DATABASE_URL": f"postgresql://{role}@/{database}?host={host}",
            "REDIS_URL": processes.broker_program.socket_url(broker),
            "VAR_DIR": str(tmp_path / "var"),
            "STATIC_ROOT": str(tmp_path / "static"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }
        assert places.keys() - {"VAR_DIR", "STATIC_ROOT", "PATH", "PYTHONUNBUFFERED"} <= set(
            settings
        )
        return settings | places

    yield settings, values
    from django.db import connections

    connections.close_all()


@pytest.fixture
def application_role(production):
    """What the service ``migrate`` leaves behind: tables, first rows, and a role to serve with."""
    settings, values = production
    words = [
        word.replace("imr_app", "imr_app_of_compose") for word in command_of("migrate", values)
    ]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env=settings("migrate"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    yield done.stdout
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY imr_app_of_compose")
        cursor.execute("DROP ROLE imr_app_of_compose")


def started(service, production, folder, **places):
    settings, values = production
    return processes.Process(
        service, command_of(service, values), folder=folder, env=settings(service) | places
    ).start()


@pytest.mark.postgres
@pytest.mark.faults
def test_each_service_starts_works_and_ends(production, application_role, broker_of_compose,
                                            run_folder, tmp_path):  # fmt: skip
    settings, _ = production
    assert "append-only" in application_role
    port = processes.free_port()
    places = {"HOST": "127.0.0.1", "PORT": str(port)}
    collected = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input"],
        cwd=ROOT, env=settings("web"), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert collected.returncode == 0, collected.stderr

    running = {
        service: started(service, production, run_folder, **places)
        for service in ("web", "relay", "worker", "scheduler")
    }
    try:
        for service in ("web", "relay", "worker"):
            _becomes_healthy(service, running[service], settings(service) | places)
        running["scheduler"].says("beat: Starting...")
        assert all(process.running for process in running.values())
    finally:
        codes = {service: process.stop(seconds=30) for service, process in running.items()}
    assert codes == dict.fromkeys(codes, 0), "\n".join(p.output for p in running.values())


@pytest.fixture
def broker_of_compose(production, run_folder):
    server = processes.Broker(run_folder, dict(os.environ)).start()
    yield server
    server.kill()


def _becomes_healthy(service, process, env):
    """Run the service's own health check until it agrees."""
    test = SERVICES[service]["healthcheck"]["test"]
    assert test[0] == "CMD"

    def healthy():
        assert process.running, process.output
        asked = subprocess.run(
            test[1:], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return asked.returncode == 0

    try:
        processes.wait_until(healthy, what=f"{service} is healthy", seconds=120, every=0.5)
    except processes.DidNotHappen as error:
        raise AssertionError(f"{error}\n{process.output}") from None


@pytest.mark.postgres
@pytest.mark.faults
def test_the_web_server_refuses_the_owner_of_the_tables(production, run_folder):
    settings, values = production
    web = processes.Process(
        "web",
        command_of("web", values),
        folder=run_folder,
        env=settings("web") | {"DATABASE_URL": settings("migrate")["DATABASE_URL"]},
    ).start()
    try:
        processes.wait_until(lambda: not web.running, what="it gives up", seconds=60)
        assert "imr_portal.E003" in web.output
    finally:
        web.kill()
