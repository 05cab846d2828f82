"""What is keyed about reviewers, and what reviewers answer. Forms check the paper."""

from datetime import date
from typing import Any

from django import forms

from form_fields.fields import DatedForm, Line, PaperDate, PaperText

from .models import (
    Affiliation,
    Certification,
    ConflictResult,
    CredentialFact,
    FileProof,
    Kin,
    Licence,
    LicenceKind,
    PracticeFact,
    ReportedChange,
    Reviewer,
    ReviewerAssignment,
    SanctionCheck,
    SeatApproval,
    Specialty,
    Training,
)
from .services.credentialing import EVIDENCE_FIELDS, Evidence

HOURS_ERRORS = {
    "invalid": "Write a number, such as 32 or 32.5.",
    "required": "Enter the attested hours a week.",
}


# --- giving a case to a reviewer ----------------------------------------------------------------


class AssignForm(forms.Form):
    """Which candidate of which list."""

    reviewer = forms.IntegerField(widget=forms.HiddenInput)
    candidate_list = forms.IntegerField(widget=forms.HiddenInput)
    override_code = forms.ChoiceField(
        label="Why this reviewer rather than one of the first three?",
        choices=[("", "Choose a reason"), *ReviewerAssignment.Override.choices],
        required=False,
    )
    override_reason = Line(label="Note", max_length=300, required=False)
    go_on = forms.BooleanField(required=False)  # to the next case that waits


class SettleForm(forms.Form):
    """The answer to a possible conflict."""

    result = forms.ChoiceField(
        label="Is it a conflict?",
        choices=[
            (ConflictResult.Result.PASS, "No conflict"),
            (ConflictResult.Result.FAIL, "A conflict"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether there is a conflict or not."},
    )
    note = Line(
        label="How do you know?",
        max_length=300,
        error_messages={"required": "Write a note: how do you know?"},
    )


class TakeBackForm(forms.Form):
    """Why a case is taken back from its reviewer."""

    reason = Line(
        label="Why is the case taken back?",
        max_length=300,
        error_messages={"required": "Say why the case is taken back."},
    )
    bar = forms.BooleanField(
        label="Never offer this case to this reviewer again (a conflict)", required=False
    )


class DeclineForm(forms.Form):
    """Why a reviewer gives a case back."""

    reason = Line(
        label="Why do you give the case back?",
        max_length=300,
        error_messages={"required": "Say why you give the case back."},
    )
    conflict = forms.BooleanField(
        label="I have a conflict: never offer me this case again", required=False
    )


class AttestForm(forms.Form):
    """The questions of one wording, each with yes or no and nothing chosen before."""

    wording = forms.IntegerField(widget=forms.HiddenInput)
    parties = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, questions: list[dict[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.codes = [question["code"] for question in questions]
        for question in questions:
            self.fields[f"answer_{question['code']}"] = forms.ChoiceField(
                label=question["text"],
                choices=[("no", "No"), ("yes", "Yes")],
                widget=forms.RadioSelect,
                error_messages={"required": "Answer this question with yes or no."},
            )

    def questions(self) -> list[forms.BoundField]:
        """The questions in order, as fields."""
        return [self[f"answer_{code}"] for code in self.codes]

    def answers(self) -> dict[str, str]:
        """Question code → yes or no."""
        return {code: self.cleaned_data[f"answer_{code}"] for code in self.codes}


# --- the panel ----------------------------------------------------------------------------------


class ReviewerForm(forms.Form):
    """Who somebody is, and how many cases they take at one time."""

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
    """Whether somebody is on the panel, with the reason for a change."""

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


class LicenceForm(FactForm):
    """A licence to practise."""

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
    kind = forms.ChoiceField(label="Kind", choices=LicenceKind.choices)
    standing = forms.ChoiceField(
        label="Standing", choices=Licence.Standing.choices, initial=Licence.Standing.ACTIVE
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
    """A tie to an organisation or a person."""

    own = ["relation", "organisation_name", "person_name", "kin", "share_percent", "note"]
    relation = forms.ChoiceField(label="Relation", choices=Affiliation.Relation.choices)
    organisation_name = Line(
        label="Organisation",
        max_length=300,
        required=False,
        help_text="For a family tie: what the relative works for, directs or owns.",
    )
    person_name = Line(label="Person", max_length=300, required=False)
    kin = forms.ChoiceField(
        label="Relative",
        choices=[("", "Not a relative"), *Kin.choices],
        required=False,
        help_text="How a family tie is related. Which relatives count is a dated setting.",
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
            del self.fields["organisation_name"], self.fields["person_name"]


FORMS: dict[str, type[FactForm]] = {
    "licence": LicenceForm,
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
    "licence": "Licence",
    "certification": "Board certificate",
    "practice": "Practice",
    "training": "Training",
    "sanction-check": "Check for sanctions",
    "experience": "Experience with a treatment",
    "file-proof": "Identity, malpractice, appointments",
    "leave": "Leave",
    "affiliation": "Affiliation",
}


class SeatsForm(DatedForm):
    """The Administrative Director's approval of more than one reviewer."""

    seat_count = forms.TypedChoiceField(
        label="Reviewers in all",
        coerce=int,
        choices=[(number, str(number)) for number in range(2, SeatApproval.MOST + 1)],
    )
    approved_by = Line(
        label="Approved by",
        max_length=120,
        error_messages={"required": "Name who approved it for the Administrative Director."},
    )
    approved_on = PaperDate(
        label="Approved on", error_messages={"required": "Enter the date of the approval."}
    )
    reference = Line(
        label="Reference of the letter",
        max_length=120,
        error_messages={"required": "Give the reference of the written approval."},
    )
    reason = PaperText(
        label="Why one reviewer is not enough",
        max_length=500,
        error_messages={"required": "Say why one reviewer is not enough."},
    )

    def clean_approved_on(self) -> date:
        day: date = self.cleaned_data["approved_on"]
        if day > self.today:
            raise forms.ValidationError("This date is in the future. Check the letter.")
        return day


class LimitsForm(DatedForm):
    """From where on a tie is a conflict."""

    effective_from = PaperDate(
        label="From", error_messages={"required": "Enter the day from which they hold."}
    )
    holding_percent = forms.DecimalField(
        label="A holding is a conflict above",
        help_text="Percent of an organisation.",
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "Write a number, such as 1 or 2.5.",
            "required": "Enter the share in percent.",
        },
    )
    kin = forms.MultipleChoiceField(
        label="Relatives who count",
        choices=Kin.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    reason = Line(
        label="Why",
        max_length=300,
        error_messages={"required": "Say why the limits change."},
    )


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


class LinesField(forms.Field):
    """Ticked lines, each three numbers: what is given away, the version seen, to whom."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[tuple[int, int, int]]:
        """:raises ValidationError: nothing is ticked, or a line that no page of ours wrote."""
        lines = super().clean(value)
        try:
            return [_three(line) for line in lines]
        except ValueError:
            raise forms.ValidationError("Tick the cases again.") from None


def _three(line: str) -> tuple[int, int, int]:
    given, version, reviewer = line.split(":")
    return int(given), int(version), int(reviewer)


class PlanForm(forms.Form):
    """Which lines of a plan are carried out: the case, its version, and who was shown for it."""

    choices = LinesField(error_messages={"required": "Tick at least one case."})


class MoveForm(PlanForm):
    """Which open cases of a reviewer are moved, and why."""

    reason = Line(
        label="Why is the work moved?",
        help_text="Kept with each case, for those who may know who reviews.",
        max_length=300,
        error_messages={"required": "Say why the work is moved."},
    )
