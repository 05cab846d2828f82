"""The six facts of eligibility, the possible answers, and the possible results. Pure."""

from django.db.models import TextChoices


class Answer(TextChoices):
    """The answer to a fact. An unknown fact never counts as No."""

    YES = "YES", "Yes"
    NO = "NO", "No"
    UNKNOWN = "UNKNOWN", "Unknown"


# In place of an answer to NECESSITY: each item's answer follows from the UR decision as entered.
AS_READ = "READ"


class EligibilityFact(TextChoices):
    """The six facts that decide eligibility."""

    SIGNED = "SIGNED", "Signed by the employee or a valid representative"
    TIMELY = "TIMELY", "Received on time"
    UR_ATTACHED = "UR_ATTACHED", "UR decision attached"
    NECESSITY = "NECESSITY", "UR denied or modified these items for medical necessity"
    NOT_DECIDED = "NOT_DECIDED", "Not a duplicate and not decided before"
    LIABILITY_CLEAR = "LIABILITY_CLEAR", "No open liability dispute"


class EligibilityResult(TextChoices):
    """The result of an eligibility review."""

    ELIGIBLE = "ELIGIBLE", "Eligible"
    INELIGIBLE = "INELIGIBLE", "Ineligible"
    DEFERRED = "DEFERRED", "Deferred"
    INCOMPLETE = "INCOMPLETE", "Incomplete"
