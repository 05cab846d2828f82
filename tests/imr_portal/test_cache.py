"""Pages work without Redis: the cache is kept in memory for a while."""

import socket
import threading
import time

import pytest
from django.urls import reverse
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.roles import Role
from imr_portal.cache import PROBE_EVERY, RedisOrMemory
from tests.factories import person
from tests.processes import wait_until

NO_RETRY = Retry(NoBackoff(), 0)
OPTIONS = {"OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}}


@pytest.fixture(autouse=True)
def _asked_at_once(monkeypatch):
    monkeypatch.setattr(RedisOrMemory, "asked_again_at", 0.0)


@pytest.fixture
def redis_down(tmp_path):
    """A cache whose Redis is not there."""
    return RedisOrMemory(f"unix://{tmp_path}/no one.sock", dict(OPTIONS))


def keys_of(broker):
    with broker.client() as client:
        return client.keys()


def test_a_value_stored_while_redis_is_down_is_found_again(redis_down):
    redis_down.set("queue-counts", {"qa": 3}, 20)

    assert redis_down.get("queue-counts") == {"qa": 3}
    assert redis_down.add("tries", 1, 60)
    assert redis_down.incr("tries") == 2
    assert redis_down.delete("tries")
    assert not redis_down.has_key("tries")


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


def test_with_a_silent_server_at_most_one_page_in_two_hundred_waits(tmp_path, settings):
    """Four threads of a process; each asks twice for a page, for longer than several probes."""
    path = f"{tmp_path}/silent.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(path)
        silent.listen()
        options = {"socket_timeout": 0.15, "socket_connect_timeout": 0.15}
        cache = RedisOrMemory(f"unix://{path}", {"OPTIONS": {**options, "retry": NO_RETRY}})
        end = time.monotonic() + 3 * PROBE_EVERY
        waits = []

        def open_pages():
            while time.monotonic() < end:
                began = time.monotonic()
                cache.get("queue-counts")
                cache.set("queue-counts", 1, 20)
                waits.append(time.monotonic() - began)
                time.sleep(0.005)

        threads = [threading.Thread(target=open_pages) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(waits) > 400
    assert sum(wait > 0.2 for wait in waits) <= len(waits) / 200


def test_redis_is_used_again_when_it_answers(broker):
    cache = RedisOrMemory(broker.url, dict(OPTIONS))
    broker.kill()
    cache.set("number", 7, 20)
    broker.start()
    wait_until(lambda: RedisOrMemory.asked_again_at == 0.0, what="the thread finds Redis again")

    cache.set("number", 8, 20)

    assert keys_of(broker)


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
