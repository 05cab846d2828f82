"""The outcomes of an item and of a case, with the labels for pages and letters."""

from django.db.models import TextChoices


class Outcome(TextChoices):
    """The decision on an item: the treatment is necessary (Overturned) or not (Upheld)."""

    OVERTURNED = "OVERTURNED", "Overturned"
    UPHELD = "UPHELD", "Upheld"


class CaseOutcome(TextChoices):
    """The outcome of a case, which follows from those of its items."""

    UPHOLD = "Uphold", "Uphold"
    OVERTURN = "Overturn", "Overturn"
    PARTIAL = "Partially Overturn", "Partially Overturn"


CHOICE = " or ".join(Outcome.labels)  # "Overturned or Upheld", as a sentence asks for it


def outcome_choices() -> list[tuple[str, str]]:
    """Return the outcomes of an item as choices.

    A function, so that new labels need no migration.
    """
    return Outcome.choices


def case_outcome_choices() -> list[tuple[str, str]]:
    """Return the outcomes of a case as choices.

    A function, so that new labels need no migration.
    """
    return CaseOutcome.choices
