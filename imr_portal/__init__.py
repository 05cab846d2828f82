"""IMR Portal: settings, URLs and processes. Refers to every app; no app imports it."""

from .celery import app as celery_app

__version__ = "0.1.0"
__all__ = ["__version__", "celery_app"]
