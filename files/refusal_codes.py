"""Coded reasons for which a file is refused. Lists are filtered by them. Pure."""

from django.db.models import TextChoices


class RefusalCode(TextChoices):
    """Why a file is refused; the sentence beside it names the file and says what to do."""

    EMPTY = "EMPTY", "Empty file"
    TOO_LARGE = "TOO_LARGE", "File too large"
    TYPE = "TYPE", "Type of file not accepted"
    NAME = "NAME", "Name and content differ"
    PASSWORD = "PASSWORD", "Protected by a password"  # noqa: S105 - not a password
    DAMAGED = "DAMAGED", "Damaged or incomplete"
    ATTACHMENTS = "ATTACHMENTS", "Other files attached"
    ADOBE_FORM = "ADOBE_FORM", "Form for Adobe Reader"
    TOO_MANY_PAGES = "TOO_MANY_PAGES", "Too many pages"
    PAGE_TOO_LARGE = "PAGE_TOO_LARGE", "Page too large"
    LIMITS = "LIMITS", "Takes too long to read"
    VIRUS = "VIRUS", "Virus found"
    OTHER = "OTHER", "Cannot be shown"


# The codes of the refusals of the parser, see ``files.services.REFUSAL_REASONS``.
OF_PARSER = {
    "password": RefusalCode.PASSWORD,
    "damaged": RefusalCode.DAMAGED,
    "attachments": RefusalCode.ATTACHMENTS,
    "needs_adobe_reader": RefusalCode.ADOBE_FORM,
    "too_many_pages": RefusalCode.TOO_MANY_PAGES,
    "page_too_large": RefusalCode.PAGE_TOO_LARGE,
    "limits": RefusalCode.LIMITS,
}
