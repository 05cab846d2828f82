"""Turn off Celery's own logging in favor of ``imr_portal.logs``."""

from typing import Any

from celery.app.log import Logging


class CeleryLogging(Logging):
    """Leaves logging as Django has configured it, instead of adding handlers."""

    def setup_logging_subsystem(self, *args: Any, **options: Any) -> bool:
        Logging._setup = True  # type: ignore[attr-defined]  # missing from its stubs
        return True
