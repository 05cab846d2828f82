"""Refusals: the base classes of every app's refusals, with their HTTP status.

Every app may import this module, also from pure modules. Views never catch these classes
themselves: ``accounts.actions`` does, and takes the status from the class.
"""

from typing import ClassVar


class Refused(Exception):
    """An action was refused; the message is the sentence that the page shows.

    ``field`` is the form field that the sentence is about; empty for the whole form.
    """

    status: ClassVar[int] = 422  # of the page that shows the refusal
    field: str = ""


class NotAllowed(Refused):
    """A rule does not allow the action."""


class BadFact(NotAllowed):
    """An impossible fact; ``field`` is the field to check."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


class StaleForm(Refused):
    """The data has changed since the form was opened."""

    status = 409


class TakenByAnother(StaleForm):
    """Someone else took it first; the message says who, or what to do instead."""


def refuse_if(reason: str) -> None:
    """Raise ``NotAllowed`` with the reason, unless it is empty.

    :raises NotAllowed: the reason is not empty.
    """
    if reason:
        raise NotAllowed(reason)
