"""What is keyed about reviewers, and what reviewers answer. Forms check the paper."""

from typing import Any

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate, PaperText
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
    "invalid": "Write a number, such as 32 or 32.5.",
    "required": "Enter the attested hours a week.",
}


# --- giving a case to a reviewer ----------------------------------------------------------------


# --- the panel ----------------------------------------------------------------------------------


class ReviewerForm(forms.Form):
    """Who someone is, and how many cases they take at one time."""

    first_name = Line(label="First name", error_messages={"required": "Enter the first name."})
    last_name = Line(
        label="Last name", max_length=160, error_messages={"required": "Enter the last name."}
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        error_messages={"invalid": "This is no e-mail address. Check it."},
    )
    phone = Line(label="Phone", max_length=40, required=False)
    capacity = forms.IntegerField(
        label="Open cases at one time",
        min_value=0,
        max_value=200,
        initial=4,
        error_messages={
            "required": "Enter how many open cases at one time.",
            "invalid": "Write a number.",
            "min_value": "Enter 0 to 200.",
            "max_value": "Enter 0 to 200.",
        },
    )


class StatusForm(forms.Form):
    """Whether someone is on the panel, with the reason for a change."""

    status = forms.ChoiceField(label="Status", choices=Reviewer.Status.choices)
    reason = Line(
        label="Why?",
        max_length=300,
        error_messages={"required": "Say why the status changes."},
    )


class SignInForm(forms.Form):
    """Which user is the reviewer."""

    email = forms.EmailField(
        label="E-mail address of the sign-in",
        error_messages={
            "required": "Enter the address.",
            "invalid": "This is no e-mail address. Check it.",
        },
    )


class AsOfForm(DatedForm):
    """Two days: which facts, and as known when."""

    on = PaperDate(label="Facts of", required=False)
    known = PaperDate(label="As known at the end of", required=False)


class FactForm(DatedForm):
    """What every dated fact owes: when it held, and who verified it when against what."""

    valid_from = PaperDate(label="First day", required=False)
    valid_to = PaperDate(label="Last day", required=False)
    verified_on = PaperDate(
        label="Verified on", error_messages={"required": "Enter the day of verification."}
    )
    verified_by = Line(label="Verified by", error_messages={"required": "Enter who verified this."})
    source = Line(
        label="Source",
        max_length=200,
        help_text="The register, board or paper that was read.",
        error_messages={"required": "Enter the source."},
    )

    own: list[str] = []  # the fields of this kind alone, in order

    field_order: list[str]

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if correcting:
            self.fields["withdrawn"] = forms.BooleanField(
                label="It was never true, and nothing stands in its place", required=False
            )
        self.order_fields([*self.own, "valid_from", "valid_to"])

    def facts(self) -> dict[str, Any]:
        """Every field of the row. Call it on a valid form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "withdrawn"}

    def new_fact(self) -> dict[str, Any]:
        """What the service takes for a new row. Call it on a valid form."""
        said = self.facts()
        evidence = Evidence(**{name: said.pop(name) for name in EVIDENCE_FIELDS if name in said})
        return {**said, "evidence": evidence}

    @classmethod
    def of(cls, row: CredentialFact) -> dict[str, Any]:
        """The values of a stored fact, to begin a correction with."""
        return {name: getattr(row, name, None) for name in cls.base_fields}


class LicenseForm(FactForm):
    """A license to practice."""

    own = ["state", "number", "kind", "standing"]
    state = Line(
        label="State",
        max_length=40,
        in_letters=True,
        initial="California",
        help_text="In full, as letters print it.",
        error_messages={"required": "Enter the state."},
    )
    number = Line(label="Number", max_length=40, error_messages={"required": "Enter the number."})
    kind = forms.ChoiceField(label="Kind", choices=LicenseKind.choices)
    standing = forms.ChoiceField(
        label="Standing", choices=License.Standing.choices, initial=License.Standing.ACTIVE
    )


class CertificationForm(FactForm):
    """A board's certificate."""

    own = ["board", "specialty", "parent", "standing", "maintenance"]
    board = Line(label="Board", max_length=160, error_messages={"required": "Enter the board."})
    specialty = forms.ModelChoiceField(
        label="Specialty",
        queryset=Specialty.objects.filter(is_active=True).order_by("name"),
        error_messages={"required": "Choose the specialty."},
    )
    parent = forms.ModelChoiceField(
        label="Parent specialty",
        queryset=Specialty.objects.filter(is_active=True).order_by("name"),
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
    """Since when, or how many hours a week."""

    own = ["kind", "weekly_hours"]
    kind = forms.ChoiceField(label="Fact", choices=PracticeFact.Kind.choices)
    weekly_hours = forms.DecimalField(
        label="Hours a week",
        max_digits=4,
        decimal_places=1,
        required=False,
        error_messages=HOURS_ERRORS,
        help_text="For an attestation of hours; leave it empty for the start of practice.",
    )


class TrainingForm(FactForm):
    """Training in the law or in the hierarchy of evidence."""

    own = ["topic", "version_taught"]
    topic = forms.ChoiceField(label="Topic", choices=Training.Topic.choices)
    version_taught = Line(
        label="Version taught",
        max_length=40,
        error_messages={"required": "Enter the version that was taught."},
    )


class SanctionCheckForm(FactForm):
    """What a register of sanctions said."""

    own = ["register", "found", "note"]
    register = Line(
        label="Register",
        max_length=80,
        help_text="NPDB, OIG, a licensing board.",
        error_messages={"required": "Enter the register that was asked."},
    )
    found = forms.TypedChoiceField(
        label="Answer",
        choices=[("", "Choose"), ("no", "Nothing found"), ("yes", "A sanction was found")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        error_messages={"required": "Say what the register answered."},
    )
    note = forms.CharField(
        label="Note", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    @classmethod
    def of(cls, row: CredentialFact) -> dict[str, Any]:
        found = "yes" if isinstance(row, SanctionCheck) and row.found else "no"
        return super().of(row) | {"found": found}


class ExperienceForm(FactForm):
    """Clinical experience with a treatment."""

    own = ["treatment", "detail"]
    treatment = Line(
        label="Treatment",
        max_length=160,
        help_text="As requests call it. Add another line for another name, such as “PRP”.",
        error_messages={"required": "Name the treatment."},
    )
    detail = Line(
        label="Detail",
        max_length=300,
        required=False,
        help_text="Where, and how much of it.",
    )


class FileProofForm(FactForm):
    """A paper of the file."""

    own = ["kind", "detail"]
    kind = forms.ChoiceField(label="What it proves", choices=FileProof.Kind.choices)
    detail = Line(
        label="The paper",
        max_length=300,
        help_text="Kind of document, carrier and policy, or what the history says.",
        error_messages={"required": "Say what the paper is."},
    )


class LeaveForm(FactForm):
    """Days away."""

    own = ["note"]
    note = Line(label="Note", max_length=200, required=False)

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, correcting=correcting, **options)
        self.fields["source"].initial = "Told by the reviewer"  # the usual one: two dates are all


class AffiliationForm(FactForm):
    """An affiliation to an organization or a person."""

    own = ["relation", "organization_name", "person_name", "kin", "share_percent", "note"]
    relation = forms.ChoiceField(label="Relation", choices=Affiliation.Relation.choices)
    organization_name = Line(
        label="Organization",
        max_length=300,
        required=False,
        help_text="For a family affiliation: what the relative works for, directs or owns.",
    )
    person_name = Line(label="Person", max_length=300, required=False)
    kin = forms.ChoiceField(
        label="Relative",
        choices=[("", "Not a relative"), *Kin.choices],
        required=False,
        help_text="How a family affiliation is related. Which relatives count is a dated setting.",
    )
    share_percent = forms.DecimalField(
        label="Share in percent",
        max_digits=5,
        decimal_places=2,
        required=False,
        error_messages={"invalid": "Write a number, such as 2.5."},
        help_text="For ownership or a holding.",
    )
    note = Line(label="Note", max_length=300, required=False)

    def __init__(self, *args: Any, correcting: bool = False, **options: Any) -> None:
        super().__init__(*args, correcting=correcting, **options)
        if correcting:  # someone else is another fact: withdraw this one and add that
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
    "certification": "Board certificate",
    "practice": "Practice",
    "training": "Training",
    "sanction-check": "Check for sanctions",
    "experience": "Experience with a treatment",
    "file-proof": "Identity, malpractice, appointments",
    "leave": "Leave",
    "affiliation": "Affiliation",
}


class ReportForm(DatedForm):
    """A change that a reviewer reports."""

    subject = forms.ChoiceField(
        label="What has changed",
        choices=ReportedChange.Subject.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what has changed."},
    )
    changed_on = PaperDate(
        label="Since when", error_messages={"required": "Enter the day on which it changed."}
    )
    words = PaperText(
        label="In your words",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what has changed."},
    )
