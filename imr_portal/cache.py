"""The cache: Redis while it answers, this process's own memory while it does not.

Every page with a side bar reads a count from the cache, and every sign-in counts its tries there.
Neither may fail because the broker is away: what is owed stands in the database, and limits on
tries hold for each process alone until Redis is back.
"""

from time import monotonic
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

SECONDS_OF_REST = 10.0  # between two tries to reach Redis, so that not every page waits for it


class RedisOrMemory(BaseCache):
    """Django's Redis cache, with memory in its place for some seconds after it failed."""

    asked_again_at: ClassVar[float] = 0.0  # one for the process: a thread tells the others

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        self._memory = LocMemCache("while-redis-is-away", {**params, "OPTIONS": {}})

    def _ask(self, act: str, *args: Any, **options: Any) -> Any:
        if monotonic() >= RedisOrMemory.asked_again_at:
            try:
                return getattr(self._redis, act)(*args, **options)
            except (RedisError, OSError) as error:
                RedisOrMemory.asked_again_at = monotonic() + SECONDS_OF_REST
                logger.warning("cache_away", error=type(error).__name__)
        return getattr(self._memory, act)(*args, **options)

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
