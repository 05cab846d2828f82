"""What two people store at the same moment and only one of them can have."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from .refusals import TakenByAnother


@contextmanager
def refuse_clash(reason: str) -> Iterator[None]:
    """Refuse, with a sentence, what breaks a unique constraint that was kept when it was judged.

    :raises TakenByAnother: someone else has stored the same in between.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise TakenByAnother(reason) from error
