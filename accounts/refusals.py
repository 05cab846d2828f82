"""What the product refuses: the base class of every app's refusals, and the status of each.

Every app may import this module, also from modules of pure rules. A view never catches these
classes by itself: ``accounts.actions`` does, and takes the status from the class.
"""

from typing import ClassVar


class Refused(Exception):
    """An action was refused; the message is the sentence that the page shows.

    ``field`` names the field of the form that the sentence is about; empty: the whole form.
    """

    status: ClassVar[int] = 422  # what a page answers that shows the refusal
    field: str = ""


class NotAllowed(Refused):
    """A rule does not allow the action."""


class BadFact(NotAllowed):
    """A fact that cannot be so; ``field`` is the one to look at."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


class StaleForm(Refused):
    """What the form is about is no longer what its page showed."""

    status = 409


class TakenByAnother(StaleForm):
    """Someone else has it now; the message says who, or what to do instead."""


def refuse(reason: str) -> None:
    """Raise the reason if there is one.

    :raises NotAllowed: the reason is not empty.
    """
    if reason:
        raise NotAllowed(reason)
