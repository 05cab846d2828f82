"""The cache: Redis while it is available, and otherwise the memory of this process.

Every page with a menu reads counts from the cache, and every sign-in counts its attempts there.
Neither may fail because Redis is unavailable. Until it is back, the limits on attempts apply to
each process separately.
"""

from time import monotonic
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

SECONDS_OF_REST = 10.0  # between two attempts to reach Redis, so that not every page waits


class RedisOrMemory(BaseCache):
    """Django's Redis cache, replaced by memory for some seconds after it failed."""

    asked_again_at: ClassVar[float] = 0.0  # shared by all threads of the process

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        # Without the options, which only Redis understands.
        self._memory = LocMemCache("while-redis-is-away", {**params, "OPTIONS": {}})

    def _ask(self, act: str, *args: Any, **options: Any) -> Any:
        # Unlike the time of day, this value never goes back.
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
