"""All kinds of letters."""

from django.db.models import TextChoices


class LetterKind(TextChoices):
    """The kinds of letters, by the names used in wording sets and stored letters."""

    DETERMINATION = "determination", "Final determination"
    ASSIGNMENT_NOTICE = "assignment_notice", "Notice of assignment"
    # Case letters: they share one layout, and a person approves each.
    ACKNOWLEDGMENT = "acknowledgment", "Acknowledgment of the application"
    INFORMATION_REQUEST = "information_request", "Request for eligibility information"
    INELIGIBILITY = "ineligibility_notice", "Notice of ineligibility"
    DEFERRAL = "deferral_notice", "Notice of deferral"
    EXPEDITED = "expedited_notice", "Notice of expedited review"
    CORRECTED_NOTICE = "corrected_notice", "Corrected list of disputed treatment"
    RECORDS_REMINDER = "records_reminder", "Reminder that records are overdue"
    MORE_INFORMATION = "more_information", "Request for more information"
    CLOSURE = "closure_notice", "Notice that the review has ended"


CASE_LETTERS = tuple(
    kind
    for kind in LetterKind
    if kind not in (LetterKind.DETERMINATION, LetterKind.ASSIGNMENT_NOTICE)
)


def case_letter_choices() -> list[tuple[str, str]]:
    """Return the kinds of case letters, as choices of a model field or form field."""
    return [(kind.value, kind.label) for kind in CASE_LETTERS]
