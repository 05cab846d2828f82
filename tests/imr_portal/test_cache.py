"""Pages work without Redis: the cache is kept in memory for a while."""

import socket
import time

import pytest
from django.urls import reverse

from accounts.roles import Role
from imr_portal.cache import RedisOrMemory
from tests.factories import person

OPTIONS = {"OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}}


@pytest.fixture(autouse=True)
def _asked_at_once(monkeypatch):
    monkeypatch.setattr(RedisOrMemory, "asked_again_at", 0.0)


@pytest.fixture
def away(tmp_path):
    """A cache whose Redis is not there."""
    return RedisOrMemory(f"unix://{tmp_path}/no one.sock", dict(OPTIONS))


def keys_of(broker):
    with broker.client() as client:
        return client.keys()


def test_a_value_stored_while_redis_is_down_is_found_again(away):
    away.set("queue-counts", {"qa": 3}, 20)

    assert away.get("queue-counts") == {"qa": 3}
    assert away.add("tries", 1, 60)
    assert away.incr("tries") == 2
    assert away.delete("tries")
    assert not away.has_key("tries")


def test_redis_is_used_while_it_answers(broker):
    cache = RedisOrMemory(broker.url, dict(OPTIONS))

    cache.set("number", 7, 20)

    assert cache.get("number") == 7
    assert keys_of(broker)


def test_a_server_that_never_answers_delays_only_one_request(tmp_path):
    path = f"{tmp_path}/mute.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(path)
        mute.listen()
        cache = RedisOrMemory(f"unix://{path}", dict(OPTIONS))

        began = time.monotonic()
        for _ in range(20):
            cache.get("queue-counts")

        assert time.monotonic() - began < 5


def test_redis_is_tried_again_after_a_pause(broker, monkeypatch):
    cache = RedisOrMemory(broker.url, dict(OPTIONS))
    broker.kill()
    cache.set("number", 7, 20)
    broker.start()
    monkeypatch.setattr(RedisOrMemory, "asked_again_at", 0.0)

    cache.set("number", 8, 20)

    assert keys_of(broker)


@pytest.mark.django_db
def test_pages_open_and_people_sign_in_without_redis(client, settings, tmp_path):
    settings.CACHES = {
        "default": {
            "BACKEND": "imr_portal.cache.RedisOrMemory",
            "LOCATION": f"unix://{tmp_path}/no one.sock",
            **OPTIONS,
        }
    }
    someone = person(Role.COORDINATOR)

    answer = client.post(
        reverse("account_login"),
        {"login": someone.email, "password": "correct horse battery staple"},
    )

    assert answer.status_code == 302
    assert client.get(reverse("desk:queue", args=["qa"])).status_code == 200
