"""Describe why a job failed, in a sentence without personal data."""

import errno
import traceback
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, OperationalError
from kombu.exceptions import OperationalError as BrokerConnectionError
from redis.exceptions import RedisError

from accounts.refusals import Refused


class LeaseLost(Exception):
    """Another run has taken over the job; this one must end and record nothing."""


def describe_failure(error: BaseException) -> str:
    """Describe an error for staff. Messages of unknown errors are left out: they may hold names."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, SoftTimeLimitExceeded):
        return "The job took longer than it may, and was stopped."
    if isinstance(error, OperationalError):
        return "The database did not answer, or was locked for too long. Run the job again."
    if isinstance(error, RedisError | BrokerConnectionError):
        return "The broker (Redis) did not answer. Run the job again when it is back."
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk is full. Free space, then run the job again."
    if isinstance(error, DatabaseError):
        return f"The database refused a change ({type(error).__name__}){_find_place(error)}."
    return f"An error in the program: {type(error).__name__}{_find_place(error)}."


def _find_place(error: BaseException) -> str:
    """Return the last line of our own code that the error passed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(settings.BASE_DIR) and ".venv" not in path.parts:
            return f" in {path.relative_to(settings.BASE_DIR)}, line {frame.lineno}"
    return ""
