"""Celery's own logging, switched off in favor of ``imr_portal.logs``."""

from typing import Any

from celery.app.log import Logging


class CeleryLogging(Logging):
    """Leaves logging as Django has set it up, instead of adding handlers with other words."""

    def setup_logging_subsystem(self, *args: Any, **options: Any) -> bool:
        Logging._setup = True  # type: ignore[attr-defined]  # not in its stubs
        return True
