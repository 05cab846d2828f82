"""Forms about organizations: owners, officers, and duplicate entries."""

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate

SOURCE_MISSING = {"required": "Enter the source."}


class OwnerForm(DatedForm):
    """An owner of the organization."""

    parent_name = Line(
        label="Owner", max_length=300, error_messages={"required": "Enter the owner’s name."}
    )
    share_percent = forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        required=False,
        help_text="Leave empty if it controls the organization.",
        error_messages={"invalid": "Write a number, such as 2.5."},
    )
    valid_from = PaperDate(label="From", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    source = Line(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class OfficerForm(DatedForm):
    """An officer of the organization."""

    person_name = Line(
        label="Officer", max_length=300, error_messages={"required": "Enter the officer’s name."}
    )
    title = Line(
        label="Title",
        max_length=120,
        error_messages={"required": "Enter the title: director, manager, …"},
    )
    valid_from = PaperDate(label="From", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    source = Line(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class SamePartyForm(DatedForm):
    """Another entry of the same organization."""

    same_as_name = Line(
        label="Duplicate of",
        max_length=300,
        error_messages={"required": "Enter the name of the other entry as it is on file."},
    )
    reason = Line(
        label="Reason",
        max_length=300,
        error_messages={"required": "Say how you know that they are the same."},
    )
