"""Refuse, in a sentence, what violates a unique constraint because of a concurrent save."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from .refusals import TakenByAnother


@contextmanager
def refuse_unique_clash(reason: str) -> Iterator[None]:
    """Turn an ``IntegrityError`` of the block into a refusal.

    For a unique constraint that was checked before, but another transaction saved in between.

    :raises TakenByAnother: someone else has saved the same value.
    """
    try:
        # A savepoint. Without it, PostgreSQL refuses all further statements of the transaction.
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise TakenByAnother(reason) from error
