"""What can be decided of an item and of a case, with the words that pages and letters print."""

from django.db.models import TextChoices


class Outcome(TextChoices):
    """What is decided of an item: the denial stands, or the treatment is necessary."""

    OVERTURNED = "OVERTURNED", "Overturned"
    UPHELD = "UPHELD", "Upheld"


class CaseOutcome(TextChoices):
    """What the outcomes of its items come to for a case."""

    UPHOLD = "Uphold", "Uphold"
    OVERTURN = "Overturn", "Overturn"
    PARTIAL = "Partially Overturn", "Partially Overturn"


CHOICE = " or ".join(Outcome.labels)  # "Overturned or Upheld", as a sentence asks for it


def outcome_choices() -> list[tuple[str, str]]:
    """The outcomes of an item; a function, so that another label needs no migration."""
    return Outcome.choices


def case_outcome_choices() -> list[tuple[str, str]]:
    """The outcomes of a case."""
    return CaseOutcome.choices
