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
