"""Forms for reviewers, their credential facts, and the changes that reviewers report.

The forms check formats only. The services check the rest.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from deadlines.days import start_of_day
from form_fields.fields import DatedForm, KeyedDate, LetterText, LineField
from reviewers.models import (
    Affiliation,
    Certification,
    CredentialFact,
    FileProof,
    Kin,
    License,
    LicenseKind,
    PracticeFact,
    ReportedChange,
    Reviewer,
    SanctionCheck,
    Specialty,
    Training,
)
from reviewers.services.credentialing import EVIDENCE_FIELDS, Evidence

HOURS_ERRORS = {
    "invalid": "Enter a number, such as 32 or 32.5.",
    "required": "Enter the attested hours a week.",
}


class ReviewerForm(forms.Form):
    """A reviewer's name, contact details and capacity."""

    first_name = LineField(label="First name", error_messages={"required": "Enter the first name."})
    last_name = LineField(
        label="Last name", max_length=160, error_messages={"required": "Enter the last name."}
    )
    email = forms.EmailField(
        label="Email",
        required=False,
        error_messages={"invalid": "This is not an email address. Check it."},
    )
    phone = LineField(label="Phone", max_length=40, required=False)
    capacity = forms.IntegerField(
        label="Capacity (open cases at one time)",
        min_value=0,
        max_value=200,
        initial=4,
        error_messages={
            "required": "Enter the capacity.",
            "invalid": "Enter a number.",
            "min_value": "Enter 0 to 200.",
            "max_value": "Enter 0 to 200.",
        },
    )


class StatusForm(forms.Form):
    """A reviewer's status on the panel, with the reason for a change."""

    status = forms.ChoiceField(label="Status", choices=Reviewer.Status.choices)
    reason = LineField(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter why the status changes."},
    )


class SignInForm(forms.Form):
    """The user account of a reviewer."""

    email = forms.EmailField(
        label="Email address of the account",
        error_messages={
            "required": "Enter the email address.",
            "invalid": "This is not an email address. Check it.",
        },
    )


class AsOfForm(DatedForm):
    """The day of the facts, and the day on which they were known."""

    on = KeyedDate(label="Facts on", required=False)
    known = KeyedDate(label="As known at the end of", required=False)


def read_as_of(form: AsOfForm, *, today: date, now: datetime) -> tuple[date, datetime]:
    """Return the requested day, and the end of the day on which the facts were known."""
    if not form.is_bound or not form.is_valid():
        return today, now
    on = form.cleaned_data["on"] or today
    known = form.cleaned_data["known"]
    # Today is not over, so what is known is known up to this moment.
    if known is None or known >= today:
        return on, now
    return on, start_of_day(known + timedelta(days=1))


class FactForm(DatedForm):
    """The fields of every dated fact: its days and its verification."""

    valid_from = KeyedDate(label="First day", required=False)
    valid_to = KeyedDate(label="Last day", required=False)
    verified_on = KeyedDate(
        label="Verified on", error_messages={"required": "Enter the day of verification."}
    )
    verified_by = LineField(
        label="Verified by", error_messages={"required": "Enter who verified this."}
    )
    source = LineField(
        label="Source",
        max_length=200,
        help_text="The register, board or document.",
        error_messages={"required": "Enter the source."},
    )

    own: list[str] = []  # the fields of this kind only, in order

    field_order: list[str]

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if correcting:
            self.fields["withdrawn"] = forms.BooleanField(
                label="Withdraw without a replacement: entered by mistake", required=False
            )
        self.order_fields([*self.own, "valid_from", "valid_to"])

    def facts(self) -> dict[str, Any]:
        """Return the fields of the row. Requires a valid form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "withdrawn"}

    def new_fact(self) -> dict[str, Any]:
        """Return the arguments of the service for a new row. Requires a valid form."""
        given = self.facts()
        evidence = Evidence(**{name: given.pop(name) for name in EVIDENCE_FIELDS if name in given})
        return {**given, "evidence": evidence}

    @classmethod
    def of(cls, row: CredentialFact) -> dict[str, Any]:
        """Return the values of a stored fact as the initial values of a correction."""
        return {name: getattr(row, name, None) for name in cls.base_fields}


class LicenseForm(FactForm):
    """A license to practice."""

    own = ["state", "number", "kind", "standing"]
    state = LineField(
        label="State",
        max_length=40,
        in_letters=True,
        initial="California",
        help_text="In full, as letters print it.",
        error_messages={"required": "Enter the state."},
    )
    number = LineField(
        label="Number", max_length=40, error_messages={"required": "Enter the number."}
    )
    kind = forms.ChoiceField(label="Kind", choices=LicenseKind.choices)
    standing = forms.ChoiceField(
        label="Standing", choices=License.Standing.choices, initial=License.Standing.ACTIVE
    )


class CertificationForm(FactForm):
    """A board certification."""

    own = ["board", "specialty", "parent", "standing", "maintenance"]
    board = LineField(
        label="Board", max_length=160, error_messages={"required": "Enter the board."}
    )
    specialty = forms.ModelChoiceField(
        label="Specialty",
        queryset=Specialty.objects.filter(is_active=True).order_by("name"),
        empty_label="Choose",
        error_messages={"required": "Choose the specialty."},
    )
    parent = forms.ModelChoiceField(
        label="Parent specialty",
        queryset=Specialty.objects.filter(is_active=True).order_by("name"),
        empty_label="None",
        required=False,
        help_text="For a subspecialty.",
    )
    standing = forms.ChoiceField(
        label="Standing",
        choices=Certification.Standing.choices,
        initial=Certification.Standing.CERTIFIED,
    )
    maintenance = forms.ChoiceField(
        label="Maintenance of certification",
        choices=[("", "Not stated"), *Certification.Maintenance.choices],
        required=False,
    )


class PracticeForm(FactForm):
    """The start of practice, or weekly hours."""

    own = ["kind", "weekly_hours"]
    kind = forms.ChoiceField(label="Fact", choices=PracticeFact.Kind.choices)
    weekly_hours = forms.DecimalField(
        label="Hours a week",
        max_digits=4,
        decimal_places=1,
        required=False,
        error_messages=HOURS_ERRORS,
        help_text="For an attestation of hours. Leave empty for the start of practice.",
    )


class TrainingForm(FactForm):
    """Training in the governing law or in the evidence hierarchy."""

    own = ["topic", "version_taught"]
    topic = forms.ChoiceField(label="Topic", choices=Training.Topic.choices)
    version_taught = LineField(
        label="Version",
        max_length=40,
        error_messages={"required": "Enter the version of the training."},
    )


class SanctionCheckForm(FactForm):
    """The result of a sanction check."""

    own = ["register", "found", "note"]
    register = LineField(
        label="Register",
        max_length=80,
        help_text="NPDB, OIG, a licensing board.",
        error_messages={"required": "Enter the register."},
    )
    # No default, so that no one records a clear result by leaving the field alone.
    found = forms.TypedChoiceField(
        label="Result",
        choices=[("", "Choose"), ("no", "Nothing found"), ("yes", "Sanction found")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        error_messages={"required": "Choose the result."},
    )
    note = forms.CharField(
        label="Note", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    # The field uses "yes" and "no", but the row stores a boolean.
    @classmethod
    def of(cls, row: CredentialFact) -> dict[str, Any]:
        answer = "yes" if isinstance(row, SanctionCheck) and row.found else "no"
        return super().of(row) | {"found": answer}


class ExperienceForm(FactForm):
    """Clinical experience with a treatment."""

    own = ["treatment", "detail"]
    treatment = LineField(
        label="Treatment",
        max_length=160,
        help_text="As in requests. Add another entry for another name, such as “PRP”.",
        error_messages={"required": "Enter the treatment."},
    )
    detail = LineField(
        label="Detail",
        max_length=300,
        required=False,
        help_text="Where, and how often.",
    )


class FileProofForm(FactForm):
    """A document in the file."""

    own = ["kind", "detail"]
    kind = forms.ChoiceField(label="What it proves", choices=FileProof.Kind.choices)
    detail = LineField(
        label="Document",
        max_length=300,
        help_text="Type of document, carrier and policy, or malpractice history.",
        error_messages={"required": "Describe the document."},
    )


class LeaveForm(FactForm):
    """A leave."""

    own = ["note"]
    note = LineField(label="Note", max_length=200, required=False)

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, correcting=correcting, **options)
        self.fields["source"].initial = "Reported by the reviewer"  # the usual source


class AffiliationForm(FactForm):
    """An affiliation with an organization or a person."""

    own = ["relation", "organization_name", "person_name", "kin", "share_percent", "note"]
    relation = forms.ChoiceField(label="Relation", choices=Affiliation.Relation.choices)
    organization_name = LineField(
        label="Organization",
        max_length=300,
        required=False,
        help_text="For a family affiliation: the relative’s employer, or what they direct or own.",
    )
    person_name = LineField(label="Person", max_length=300, required=False)
    kin = forms.ChoiceField(
        label="Relative",
        choices=[("", "Not a relative"), *Kin.choices],
        required=False,
        help_text="For a family affiliation. The conflict limits say which relatives count.",
    )
    share_percent = forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        required=False,
        error_messages={"invalid": "Enter a number, such as 2.5."},
        help_text="For ownership or a holding.",
    )
    note = LineField(label="Note", max_length=300, required=False)

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, correcting=correcting, **options)
        if correcting:  # another party is another fact: withdraw this one and add a new one
            del self.fields["organization_name"], self.fields["person_name"]


FORMS: dict[str, type[FactForm]] = {
    "license": LicenseForm,
    "certification": CertificationForm,
    "practice": PracticeForm,
    "training": TrainingForm,
    "sanction-check": SanctionCheckForm,
    "experience": ExperienceForm,
    "file-proof": FileProofForm,
    "leave": LeaveForm,
    "affiliation": AffiliationForm,
}
TITLES: dict[str, str] = {
    "license": "License",
    "certification": "Board certification",
    "practice": "Practice",
    "training": "Training",
    "sanction-check": "Sanction check",
    "experience": "Experience with a treatment",
    "file-proof": "Identity, malpractice, appointments",
    "leave": "Leave",
    "affiliation": "Affiliation",
}


class ReportForm(DatedForm):
    """A change reported by a reviewer."""

    subject = forms.ChoiceField(
        label="What has changed",
        choices=ReportedChange.Subject.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what has changed."},
    )
    changed_on = KeyedDate(
        label="Date of the change", error_messages={"required": "Enter the day of the change."}
    )
    words = LetterText(
        label="Description",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Describe what has changed."},
    )
