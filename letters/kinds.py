"""Every kind of letter, in one list."""

from django.db.models import TextChoices


class LetterKind(TextChoices):
    """What a letter is, by the name that wording sets and stored letters carry."""

    DETERMINATION = "determination", "Final determination"
    ASSIGNMENT_NOTICE = "assignment_notice", "Notice of assignment"
    # Letters of a case: one layout sets them all, and a person approves each.
    ACKNOWLEDGMENT = "acknowledgment", "Acknowledgment of the application"
    INFORMATION_REQUEST = "information_request", "Request for eligibility information"
    INELIGIBILITY = "ineligibility_notice", "Notice of ineligibility"
    DEFERRAL = "deferral_notice", "Notice of deferral"
    EXPEDITED = "expedited_notice", "Notice of expedited review"
    RECORDS_REMINDER = "records_reminder", "Reminder that records are overdue"
    MORE_INFORMATION = "more_information", "Request for more information"
    CLOSURE = "closure_notice", "Notice that the review has ended"


CASE_LETTERS = tuple(
    kind
    for kind in LetterKind
    if kind not in (LetterKind.DETERMINATION, LetterKind.ASSIGNMENT_NOTICE)
)


def case_letter_choices() -> list[tuple[str, str]]:
    """The letters of a case as choices of a column or a form."""
    return [(kind.value, kind.label) for kind in CASE_LETTERS]
