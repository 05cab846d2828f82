"""What is keyed about organizations: owners, officers, and rows that are one."""

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate

SOURCE_MISSING = {"required": "Say where this is known from."}


class OwnerForm(DatedForm):
    """Who owns or controls it."""

    parent_name = Line(
        label="Owner", max_length=300, error_messages={"required": "Name the owner."}
    )
    share_percent = forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        required=False,
        help_text="Empty: it controls it.",
        error_messages={"invalid": "Write a number, such as 2.5."},
    )
    valid_from = PaperDate(label="From", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    source = Line(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class OfficerForm(DatedForm):
    """Who directs it."""

    person_name = Line(
        label="Officer", max_length=300, error_messages={"required": "Name the officer."}
    )
    title = Line(
        label="Office",
        max_length=120,
        error_messages={"required": "Say what the officer is: director, manager, …"},
    )
    valid_from = PaperDate(label="From", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    source = Line(label="Source", max_length=200, error_messages=SOURCE_MISSING)


class SameForm(DatedForm):
    """Which other row is the same organization."""

    same_as_name = Line(
        label="Is the same as",
        max_length=300,
        error_messages={"required": "Name the other organization as it is on file."},
    )
    reason = Line(
        label="How you know",
        max_length=300,
        error_messages={"required": "Say how you know that they are the same."},
    )
