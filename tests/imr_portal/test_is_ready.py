"""The health check of a container asks for a host that the portal answers."""

import importlib.util
from pathlib import Path

import pytest
from django.http.request import validate_host

ROOT = Path(__file__).resolve().parent.parent.parent
spec = importlib.util.spec_from_file_location("is_ready", ROOT / "script" / "is_ready.py")
is_ready = importlib.util.module_from_spec(spec)
spec.loader.exec_module(is_ready)


@pytest.mark.parametrize(
    "allowed", [".example.org", "portal.example.org,localhost", "*", "[::1]", " .example.org , x"]
)
def test_the_host_is_one_that_is_allowed(allowed):
    hosts = [word.strip() for word in allowed.split(",")]
    assert validate_host(is_ready.choose_host(allowed), hosts)
