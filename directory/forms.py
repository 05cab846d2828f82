"""Forms about organizations: owners, officers, and duplicate entries."""

from django import forms

from form_fields.fields import DatedForm, KeyedDate, LineField

SOURCE_MISSING = {"required": "Enter the source."}


class OwnerForm(DatedForm):
    """An owner of the organization."""

    parent_name = LineField(
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
    valid_from = KeyedDate(label="From", required=False)
    valid_to = KeyedDate(label="Last day", required=False)
    source = LineField(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class OfficerForm(DatedForm):
    """An officer of the organization."""

    person_name = LineField(
        label="Officer", max_length=300, error_messages={"required": "Enter the officer’s name."}
    )
    title = LineField(
        label="Title",
        max_length=120,
        error_messages={"required": "Enter the title: director, manager, …"},
    )
    valid_from = KeyedDate(label="From", required=False)
    valid_to = KeyedDate(label="Last day", required=False)
    source = LineField(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class SamePartyForm(DatedForm):
    """Another entry of the same organization."""

    same_as_name = LineField(
        label="Duplicate of",
        max_length=300,
        error_messages={"required": "Enter the name of the other entry as it is on file."},
    )
    reason = LineField(
        label="Reason",
        max_length=300,
        error_messages={"required": "Say how you know that they are the same."},
    )
