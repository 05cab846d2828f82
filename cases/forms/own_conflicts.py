"""Forms for members of this organization, their affiliations, and conflict resolution."""

from typing import Any

from django import forms

from accounts.models import User
from cases.models import OrganizationMember, OwnConflictResult
from directory.forms import SOURCE_MISSING
from directory.models import AffiliationRelation, Kin
from form_fields.fields import DatedForm, KeyedDate, LineField

Kind = OrganizationMember.Kind


def _build_share_field() -> forms.DecimalField:
    """Build the field of a share in percent."""
    return forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        required=False,
        error_messages={
            "invalid": "Enter a number, such as 2.5.",
            "max_digits": "Enter a number up to 100, such as 2.5.",
            "max_whole_digits": "Enter a number up to 100, such as 2.5.",
            "max_decimal_places": "Enter at most two decimal places.",
        },
    )


class OwnOrganizationForm(DatedForm):
    """Period and source, which every fact about the organization has."""

    valid_from = KeyedDate(label="First day", required=False)
    valid_to = KeyedDate(label="Last day", required=False)
    source = LineField(label="Source", max_length=200, error_messages=SOURCE_MISSING)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Order: the name, then the user account, then period and source.
        own = [
            name for name in self.fields if name not in {"user", *OwnOrganizationForm.base_fields}
        ]
        self.order_fields([*own, "user"])


class OrganizationItselfForm(OwnOrganizationForm):
    """The organization."""

    name = LineField(label="Name", max_length=300, error_messages={"required": "Enter the name."})


class _MemberWithUserForm(OwnOrganizationForm):
    """A member who may have a user account."""

    user = forms.TypedChoiceField(
        label="User account",
        coerce=int,
        empty_value=None,
        required=False,
        help_text="Users cannot work on cases with their own conflicts, or resolve them.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Reviewers have conflict checks of their own, and their names must not appear here.
        people = User.objects.filter(is_active=True, ever_reviewer=False).order_by("name", "pk")
        choices = [("", "None"), *((one.pk, f"{one.name}, {one.email}") for one in people)]
        self.fields["user"].choices = choices  # type: ignore[attr-defined]


class OwnerForm(_MemberWithUserForm):
    """An owner of a part of the organization."""

    name = LineField(label="Owner", max_length=300, error_messages={"required": "Enter the name."})
    is_company = forms.BooleanField(label="Owner is an organization", required=False)
    share_percent = _build_share_field()


class OfficerForm(_MemberWithUserForm):
    """An officer or director."""

    name = LineField(label="Name", max_length=300, error_messages={"required": "Enter the name."})
    title = LineField(
        label="Office",
        max_length=120,
        error_messages={"required": "Enter the office: director, manager, …"},
    )


class StaffForm(_MemberWithUserForm):
    """A staff member."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        user = self.fields["user"]
        user.label, user.required = "Staff member", True
        user.error_messages["required"] = "Choose the staff member."
        user.choices = [("", "Choose"), *user.choices[1:]]  # type: ignore[attr-defined]


MEMBER_FORMS: dict[str, type[OwnOrganizationForm]] = {
    Kind.ITSELF.value: OrganizationItselfForm,
    Kind.OWNER.value: OwnerForm,
    Kind.OFFICER.value: OfficerForm,
    Kind.STAFF.value: StaffForm,
}


class MemberAffiliationForm(OwnOrganizationForm):
    """An affiliation of a member of this organization."""

    relation = forms.ChoiceField(label="Relation", choices=AffiliationRelation.choices)
    organization_name = LineField(
        label="Organization",
        max_length=300,
        required=False,
        help_text="For a family affiliation: the organization of the relative.",
    )
    person_name = LineField(label="Person", max_length=300, required=False)
    kin = forms.ChoiceField(
        label="Relative", choices=[("", "Not a relative"), *Kin.choices], required=False
    )
    share_percent = _build_share_field()
    note = LineField(label="Note", max_length=300, required=False)


class CorrectFactForm(OwnOrganizationForm):
    """Period, share and source of a fact on file."""

    # No person or company: another one would be another fact.
    share_percent = _build_share_field()


class ResolveConflictForm(forms.Form):
    """The resolution of a possible affiliation."""

    result = forms.ChoiceField(
        label="Is it an affiliation?",
        choices=[
            (OwnConflictResult.Result.PASS, "No affiliation"),
            (OwnConflictResult.Result.FAIL, "An affiliation"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether there is an affiliation."},
    )
    note = LineField(
        label="Reason or source",
        max_length=300,
        error_messages={"required": "Enter how you know."},
    )
