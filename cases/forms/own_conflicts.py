"""What is keyed about this organization.

Who belongs to it, their affiliations, answers to doubts.
"""

from typing import Any

from django import forms

from accounts.models import User
from cases.models import OrganizationMember, OwnConflictResult
from directory.forms import SOURCE_MISSING
from directory.models import AffiliationRelation, Kin
from form_fields.fields import DatedForm, Line, PaperDate

Kind = OrganizationMember.Kind


def _share() -> forms.DecimalField:
    return forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        required=False,
        error_messages={
            "invalid": "Write a number, such as 2.5.",
            "max_digits": "Write a number up to 100, such as 2.5.",
            "max_whole_digits": "Write a number up to 100, such as 2.5.",
            "max_decimal_places": "Write at most two places behind the point.",
        },
    )


class OwnOrganizationForm(DatedForm):
    """What every dated fact about the organization owes.

    When it held, and where it is known from.
    """

    valid_from = PaperDate(label="First day", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    source = Line(label="Source", max_length=200, error_messages=SOURCE_MISSING)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Who it is comes first, then who that is here, then when it held.
        own = [
            name for name in self.fields if name not in {"user", *OwnOrganizationForm.base_fields}
        ]
        self.order_fields([*own, "user"])


class ItselfForm(OwnOrganizationForm):
    """The organization."""

    name = Line(label="Name", max_length=300, error_messages={"required": "Enter the name."})


class _MayWorkHere(OwnOrganizationForm):
    """Someone who may also sign in."""

    user = forms.TypedChoiceField(
        label="Signs in as",
        coerce=int,
        empty_value=None,
        required=False,
        help_text="Who signs in works on no case with a conflict of their own, and resolves none.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = User.objects.filter(is_active=True, ever_reviewer=False).order_by("name", "pk")
        choices = [("", "No one"), *((one.pk, f"{one.name}, {one.email}") for one in people)]
        self.fields["user"].choices = choices  # type: ignore[attr-defined]


class OwnerForm(_MayWorkHere):
    """Who owns a part of it."""

    name = Line(label="Owner", max_length=300, error_messages={"required": "Enter the name."})
    is_company = forms.BooleanField(label="An organization, not a person", required=False)
    share_percent = _share()


class OfficerForm(_MayWorkHere):
    """Who directs it."""

    name = Line(label="Name", max_length=300, error_messages={"required": "Enter the name."})
    title = Line(
        label="Office",
        max_length=120,
        error_messages={"required": "Say what the officer is: director, manager, …"},
    )


class StaffForm(_MayWorkHere):
    """Who works here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        user = self.fields["user"]
        user.label, user.required = "Who", True
        user.error_messages["required"] = "Choose who it is."
        user.choices = [("", "Choose"), *user.choices[1:]]  # type: ignore[attr-defined]


MEMBER_FORMS: dict[str, type[OwnOrganizationForm]] = {
    Kind.ITSELF.value: ItselfForm,
    Kind.OWNER.value: OwnerForm,
    Kind.OFFICER.value: OfficerForm,
    Kind.STAFF.value: StaffForm,
}


class MemberAffiliationForm(OwnOrganizationForm):
    """An affiliation of a member of this organization."""

    relation = forms.ChoiceField(label="Relation", choices=AffiliationRelation.choices)
    organization_name = Line(
        label="Organization",
        max_length=300,
        required=False,
        help_text="For a family affiliation: what the relative works for, directs or owns.",
    )
    person_name = Line(label="Person", max_length=300, required=False)
    kin = forms.ChoiceField(
        label="Relative", choices=[("", "Not a relative"), *Kin.choices], required=False
    )
    share_percent = _share()
    note = Line(label="Note", max_length=300, required=False)


class CorrectForm(OwnOrganizationForm):
    """The days, the share and the source of a fact on file."""

    share_percent = _share()


class SettleForm(forms.Form):
    """The answer to a possible affiliation."""

    result = forms.ChoiceField(
        label="Is it an affiliation?",
        choices=[
            (OwnConflictResult.Result.PASS, "No affiliation"),
            (OwnConflictResult.Result.FAIL, "An affiliation"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether there is an affiliation or not."},
    )
    note = Line(
        label="How do you know?",
        max_length=300,
        error_messages={"required": "Write a note: how do you know?"},
    )
