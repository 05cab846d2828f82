"""The cache: Redis while it is available, and otherwise the memory of this process.

Every page with a menu reads counts from the cache, and every sign-in counts its attempts there.
Neither may fail because Redis is unavailable. Until it is back, the limits on attempts apply to
each process separately.

After the first failure no page asks Redis again: a thread of the process asks until Redis answers.
Otherwise, with a Redis that is silent, one page of every few would wait for the time limit.
"""

import math
import threading
import time
from time import monotonic
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

PROBE_EVERY = 2.0  # seconds between two attempts of the thread to reach Redis


class RedisOrMemory(BaseCache):
    """Django's Redis cache, replaced by memory from its first failure until it answers again."""

    # Shared by all threads of the process. Infinite while the thread asks.
    asked_again_at: ClassVar[float] = 0.0
    _probe_lock: ClassVar[threading.Lock] = threading.Lock()
    _prober: ClassVar[threading.Thread | None] = None
    _unanswered: ClassVar[RedisCache | None] = None  # the client that failed last

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        # Without the options, which only Redis understands.
        self._memory = LocMemCache("while-redis-is-down", {**params, "OPTIONS": {}})

    def _ask(self, method: str, *args: Any, **options: Any) -> Any:
        # Unlike the time of day, this value never goes back.
        if monotonic() >= RedisOrMemory.asked_again_at:
            try:
                return getattr(self._redis, method)(*args, **options)
            except (RedisError, OSError) as error:
                logger.warning("cache_away", error=type(error).__name__)
                self._begin_probing()
        return getattr(self._memory, method)(*args, **options)

    def _begin_probing(self) -> None:
        """Let one thread of the process ask Redis until it answers."""
        with RedisOrMemory._probe_lock:
            RedisOrMemory.asked_again_at = math.inf
            RedisOrMemory._unanswered = self._redis
            prober = RedisOrMemory._prober
            # A forked process inherits the object of a thread that does not run in it.
            if prober is None or not prober.is_alive():
                RedisOrMemory._prober = threading.Thread(
                    target=_probe_until_answered, name="redis-probe", daemon=True
                )
                RedisOrMemory._prober.start()

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("add", *args, **options))

    def get(self, *args: Any, **options: Any) -> Any:
        return self._ask("get", *args, **options)

    def set(self, *args: Any, **options: Any) -> None:
        self._ask("set", *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("touch", *args, **options))

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("delete", *args, **options))

    def incr(self, *args: Any, **options: Any) -> int:
        return int(self._ask("incr", *args, **options))

    def has_key(self, *args: Any, **options: Any) -> bool:
        return bool(self._ask("has_key", *args, **options))

    def clear(self) -> None:
        self._ask("clear")


def _probe_until_answered() -> None:
    """Ask Redis every few seconds until it answers, then let pages use it again."""
    while RedisOrMemory.asked_again_at == math.inf:
        time.sleep(PROBE_EVERY)
        client = RedisOrMemory._unanswered
        try:
            if client is not None:
                client.has_key("probe")
        except (RedisError, OSError):
            continue
        logger.warning("cache_back")
        RedisOrMemory.asked_again_at = 0.0
