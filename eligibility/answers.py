"""The facts of eligibility, how each is answered, and what the answers come to. Pure."""

from django.db.models import TextChoices


class Answer(TextChoices):
    YES = "YES", "Yes"
    NO = "NO", "No"
    UNKNOWN = "UNKNOWN", "Unknown"


class EligibilityFact(TextChoices):
    """The six facts on which eligibility rests."""

    SIGNED = "SIGNED", "Signed by the employee or a valid representative"
    TIMELY = "TIMELY", "Received in time"
    UR_ATTACHED = "UR_ATTACHED", "The UR decision is attached"
    NECESSITY = "NECESSITY", "It denies or modifies these items for medical necessity"
    NOT_DECIDED = "NOT_DECIDED", "Not a duplicate and not already decided"
    LIABILITY_CLEAR = "LIABILITY_CLEAR", "No liability dispute is open"


class EligibilityResult(TextChoices):
    ELIGIBLE = "ELIGIBLE", "Eligible"
    INELIGIBLE = "INELIGIBLE", "Ineligible"
    DEFERRED = "DEFERRED", "Deferred"
    INCOMPLETE = "INCOMPLETE", "A fact is missing"
