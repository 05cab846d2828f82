"""The form of a new application, in the order of DWC Form IMR.

The form checks what was typed, such as dates and lengths. The eligibility review applies the law.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

from django import forms
from django.core import signing
from django.http import QueryDict
from django.urls import reverse_lazy

from accounts.refusals import NotAllowed
from cases.category_tree import list_categories
from cases.forms.addresses import (
    ConsentBasisField,
    ConsentDayField,
    KeyedAddress,
    LanguageField,
)
from cases.formulary import build_treatment
from cases.models import (
    Application,
    ApplicationPaper,
    Case,
    Channel,
    PartyRole,
    Priority,
    ServiceMethod,
    Sex,
    Signer,
    TreatmentCategory,
    URType,
)
from cases.services.parties import PartyOnForm, find_channel_problems
from deadlines.days import PACIFIC
from eligibility.impossible_dates import find_impossible_dates
from files.models import StoredFile
from form_fields.fields import (
    DatedForm,
    KeyedDate,
    KeyedInjury,
    LetterText,
    StatedAnswer,
    read_quantity,
    split_injury,
)
from guidelines.formulary import Treatment
from intake.models import DRAFT_DAYS, Scan
from intake.services import known_parties
from intake.services.receiving import ApplicationOnForm, AttachedFile, ItemOnForm, URDecisionOnForm
from intake.treatment_words import guess_category

YES_NO_UNKNOWN = [("", "Not stated"), ("yes", "Yes"), ("no", "No")]
# Far above any real form; it bounds how many rows the server parses for one request.
MAX_ITEMS = 200
MAX_NAME_LENGTH = 300
# How long an uploaded file waits for its form to be saved: a day longer than a draft.
TICKET_SECONDS = (DRAFT_DAYS + 1) * 24 * 3600
ROW_FIELDS = (
    "item_title", "item_category", "item_quantity", "item_unit", "item_body_part", "item_id",
)  # fmt: skip


@dataclass
class ItemRow:
    """One row of disputed treatment as typed, so that a refused form can show it again."""

    title: str = ""
    category: str = ""
    quantity: str = ""
    unit: str = ""
    body_part: str = ""
    item_id: str = ""  # the item on file that a row corrects; empty for a new one
    error: str = ""
    error_part: str = ""  # see RowError

    @property
    def is_blank(self) -> bool:
        return not (self.title or self.category or self.quantity or self.unit or self.body_part)

    def refuse(self, error: forms.ValidationError) -> None:
        """Keep an error of this row, and which of its fields is wrong."""
        self.error = " ".join(error.messages)
        self.error_part = error.part if isinstance(error, RowError) else "title"


class RowError(forms.ValidationError):
    """A wrong value in one field of a row of disputed treatment.

    :ivar part: as in the id of the field: title, category, quantity, unit or body.
    """

    def __init__(self, part: str, message: Any) -> None:
        super().__init__(message)
        self.part = part


def list_row_errors(rows: Sequence[ItemRow]) -> list[tuple[str, str]]:
    """List the errors of rows for the summary: the id of the wrong field, and the sentence."""
    return [
        (f"item-{place}-{row.error_part}", f"Treatment {place + 1}: {row.error}")
        for place, row in enumerate(rows)
        if row.error
    ]


REQUIRED_FIELDS = (
    "received", "last_name", "claim_number", "ur_decided", "employer", "physician_last",
    "administrator",
)  # fmt: skip


# The parties that the form says how to reach, by the beginning of the names of their fields.
REACHED = ("employee", "employer", "attorney", "physician", "administrator")


class IntakeForm(DatedForm):
    """The fields of DWC Form IMR, in the order of the form."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    channel = forms.ChoiceField(label="Received by", choices=Channel.choices, initial=Channel.MAIL)
    received = KeyedDate(
        label="Received",
        error_messages={"required": "Enter the date on the received stamp."},
    )
    received_time = forms.TimeField(
        label="Time",
        required=False,
        error_messages={"invalid": "Enter the time as 14:05, or leave it empty."},
    )
    priority = forms.ChoiceField(
        label="Priority", choices=Priority.choices, initial=Priority.REGULAR
    )

    ur_type = forms.ChoiceField(
        label="Type of utilization review",
        choices=URType.choices,
        initial=URType.REGULAR,
    )
    first_name = LetterText(label="First name", max_length=120, required=False)
    middle_name = LetterText(label="Middle", max_length=120, required=False)
    last_name = LetterText(
        label="Last name",
        max_length=160,
        error_messages={"required": "Enter the employee’s last name."},
    )
    employee_address = KeyedAddress()
    employee_phone = LetterText(label="Phone", max_length=40, required=False)
    employee_language = LanguageField()
    employee_needs_interpreter = StatedAnswer(label="Interpreter needed?")
    employee_email = forms.EmailField(label="Email", max_length=254, required=False)
    employee_eservice_on = ConsentDayField()
    employee_eservice_basis = ConsentBasisField()
    date_of_birth = KeyedDate(label="Date of birth", required=False)
    sex = forms.ChoiceField(label="Sex", choices=[("", "Not stated"), *Sex.choices], required=False)
    claim_number = LetterText(
        label="Claim number",
        max_length=60,
        error_messages={"required": "Enter the claim number, or “none” if the form has none."},
    )
    date_of_injury = KeyedInjury(label="Date of injury", required=False)
    ur_decided = KeyedDate(
        label="Date of UR decision",
        error_messages={"required": "Enter the date of the UR decision."},
    )
    ur_reference = LetterText(label="UR reference", max_length=80, required=False)
    different_because = LetterText(
        label="Why this is not the UR decision on file",
        max_length=300,
        required=False,
        help_text="Only if an open case appears to dispute the same decision but does not.",
    )
    served_on = KeyedDate(label="UR decision served on", required=False)
    service_method = forms.ChoiceField(
        label="Served by",
        choices=[("", "Not stated"), *ServiceMethod.choices],
        required=False,
    )
    requested_on = KeyedDate(label="RFA date", required=False)
    eams_number = LetterText(label="EAMS number", max_length=40, required=False)
    wcis_number = LetterText(label="WCIS number", max_length=40, required=False)

    employer = LetterText(
        label="Employer",
        max_length=300,
        error_messages={"required": "Enter the employer."},
    )
    employer_address = KeyedAddress()
    employer_email = forms.EmailField(label="Email", max_length=254, required=False)
    employer_eservice_on = ConsentDayField()
    employer_eservice_basis = ConsentBasisField()
    attorney = LetterText(label="Employee’s attorney", max_length=300, required=False)
    attorney_firm = LetterText(label="Firm", max_length=200, required=False)
    attorney_address = KeyedAddress()
    attorney_phone = LetterText(label="Phone", max_length=40, required=False)
    attorney_fax = LetterText(label="Fax", max_length=40, required=False)
    attorney_email = forms.EmailField(label="Email", max_length=254, required=False)
    attorney_eservice_on = ConsentDayField()
    attorney_eservice_basis = ConsentBasisField()

    physician_first = LetterText(label="First name", max_length=120, required=False)
    physician_last = LetterText(
        label="Last name",
        max_length=160,
        error_messages={"required": "Enter the requesting physician’s last name."},
    )
    physician_specialty = LetterText(label="Specialty", max_length=120, required=False)
    physician_group = LetterText(label="Practice or group", max_length=300, required=False)
    physician_address = KeyedAddress()
    physician_phone = LetterText(label="Phone", max_length=40, required=False)
    physician_fax = LetterText(label="Fax", max_length=40, required=False)
    physician_email = forms.EmailField(label="Email", max_length=254, required=False)
    physician_eservice_on = ConsentDayField()
    physician_eservice_basis = ConsentBasisField()

    administrator = LetterText(
        label="Claims administrator",
        max_length=300,
        error_messages={"required": "Enter the claims administrator’s company."},
    )
    administrator_contact = LetterText(label="Adjuster", max_length=200, required=False)
    administrator_address = KeyedAddress()
    administrator_phone = LetterText(label="Phone", max_length=40, required=False)
    administrator_fax = LetterText(label="Fax", max_length=40, required=False)
    administrator_email = forms.EmailField(label="Email", max_length=254, required=False)
    administrator_eservice_on = KeyedDate(
        label="Consented to electronic service on", required=False
    )
    administrator_eservice_basis = ConsentBasisField()
    administrator_channel = forms.ChoiceField(
        label="Send notices by",
        choices=[("MAIL", "Mail"), ("FAX", "Fax"), ("ELECTRONIC", "Electronic")],
        initial="MAIL",
        required=False,
    )

    diagnosis = LetterText(
        label="Primary diagnosis",
        max_length=500,
        required=False,
        help_text="ICD-10-CM codes or words, with semicolons between them",
        widget=forms.TextInput(attrs={"data-reads": reverse_lazy("intake:read_diagnoses")}),
    )
    items_on_form = forms.IntegerField(
        label="Treatments on the form",
        min_value=1,
        max_value=MAX_ITEMS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "Enter a number.", "max_value": "At most 200."},
    )
    liability_disputed = forms.ChoiceField(
        label="Is liability also disputed?", choices=YES_NO_UNKNOWN, required=False
    )
    liability_reason = LetterText(label="Reason for the dispute", max_length=500, required=False)
    missing_information = forms.ChoiceField(
        label="Denied for missing information?", choices=YES_NO_UNKNOWN, required=False
    )
    signed_by = forms.ChoiceField(
        label="Signed by", choices=[("", "Not signed"), *Signer.choices], required=False
    )
    signed_on = KeyedDate(label="Signed on", required=False)
    consent_on = KeyedDate(label="Date of consent to obtain records", required=False)
    designated_on = KeyedDate(label="Representative designated on", required=False)
    copy_certified = forms.ChoiceField(
        label="Copy to the claims administrator certified?",
        choices=YES_NO_UNKNOWN,
        required=False,
    )
    ur_attached = forms.ChoiceField(
        label="Is the UR decision attached?", choices=YES_NO_UNKNOWN, required=False
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        today: date,
        categories: list[TreatmentCategory] | None = None,
        **options: Any,
    ) -> None:
        """Build the form.

        :param categories: what ``list_categories`` returns, for callers that fill in many forms.
        """
        super().__init__(data, today=today, **options)
        self.papers: list[AttachedFile] = []
        self.scan: Scan | None = None  # the scan that the clerk is entering
        self.rows = read_item_rows(data) if data is not None else [ItemRow()]
        self.categories = list_categories() if categories is None else categories
        # The guess is a pair of names, but the form posts keys.
        self._by_name = {
            (row.parent.name, row.name) if row.parent else (row.name, ""): str(row.pk)
            for row in self.categories
        }
        # The delay sends one request per pause in typing. The sync replaces a request under way, so
        # that an older list cannot overwrite a newer one.
        look_ups = dict.fromkeys(known_parties.FIELDS, "intake:look_up")
        look_ups["diagnosis"] = "intake:look_up_diagnoses"
        for name, address in look_ups.items():
            self.fields[name].widget.attrs |= {
                "autocomplete": "off",
                "hx-post": reverse_lazy(address),
                "hx-trigger": "input changed delay:150ms",
                "hx-target": f"#known-{name}",
                "hx-sync": "this:replace",
                "data-known": f"known-{name}",
            }

        # Most fields may stay empty, so those that may not are marked.
        for name in REQUIRED_FIELDS:
            self.fields[name].widget.attrs["data_required"] = True
        if not self.is_bound:
            self.fields["first_name"].widget.attrs["autofocus"] = True

    @property
    def has_rare_values(self) -> bool:
        """Whether a field of the collapsed section has a value or an error."""
        return self._has_values(
            "middle_name", "sex", "eams_number", "wcis_number", "employee_language",
            "employee_needs_interpreter",
        )  # fmt: skip

    @property
    def email_sections(self) -> dict[str, dict[str, Any]]:
        """The fields of the email address and consent of each party, and whether they are shown."""
        names = ("email", "eservice_on", "eservice_basis")
        return {
            prefix: {"fields": [self[f"{prefix}_{name}"] for name in names],
                     "is_open": self._has_values(*(f"{prefix}_{name}" for name in names))}
            for prefix in REACHED
        }  # fmt: skip

    def _has_values(self, *names: str) -> bool:
        return any(self[name].value() or name in self.errors for name in names)

    def guess(self, row: ItemRow) -> str:
        """Guess a row's category from its title; returns the category's key, or an empty text."""
        named = guess_category(row.title)
        return self._by_name.get(named, "") if named else ""

    @property
    def guesses(self) -> list[tuple[int, str]]:
        """The position and the guessed category of each row that has a title."""
        guesses = ((place, self.guess(row)) for place, row in enumerate(self.rows) if row.title)
        return [(place, category) for place, category in guesses if category]

    def valid_values(self) -> dict[str, Any]:
        """Return the values of all valid fields of a form that may be half typed."""
        values = {}
        # Each field by itself: a full validation would mark errors while the clerk is still typing.
        for name, field in self.fields.items():
            try:
                values[name] = field.clean(self[name].data)
            except forms.ValidationError:
                continue
        return split_injury(values)

    def clean(self) -> dict[str, Any]:
        cleaned = split_injury(super().clean() or {})
        for impossible in find_impossible_dates(cleaned, today=self.today):
            self.add_error(impossible.field, impossible.sentence)
        self._clean_channels(cleaned)
        # Each part fits its own field, but the joined name has to fit one column.
        for first, middle, last in (
            ("first_name", "middle_name", "last_name"),
            ("physician_first", "", "physician_last"),
        ):
            name = _full_name(*(cleaned.get(part) or "" for part in (first, middle, last)))
            if len(name) > MAX_NAME_LENGTH:
                self.add_error(
                    last,
                    f"The full name has {len(name)} characters. Shorten it to {MAX_NAME_LENGTH}.",
                )
        self._clean_items(cleaned)
        return cleaned

    @property
    def row_errors(self) -> list[tuple[str, str]]:
        """The errors of the rows of disputed treatment, with links to their fields."""
        return list_row_errors(self.rows)

    def _clean_channels(self, cleaned: dict[str, Any]) -> None:
        """Check how each party is reached, before a notice has to leave."""
        for prefix in REACHED:
            values = {
                name: cleaned.get(f"{prefix}_{name}")
                for name in ("fax", "email", "eservice_on", "eservice_basis")
            }
            channel = cleaned.get(f"{prefix}_channel") or "MAIL"
            for name, sentence in find_channel_problems(
                values, today=self.today, channel=channel
            ).items():
                if f"{prefix}_{name}" not in self.errors:
                    self.add_error(f"{prefix}_{name}", sentence)

    def _clean_items(self, cleaned: dict[str, Any]) -> None:
        items = []
        category_ids = {str(category.pk) for category in self.categories}
        for row in self.rows:
            if row.is_blank:
                continue
            try:
                # On a page without scripts, nothing preselects the guess.
                row.category = row.category or self.guess(row)
                items.append(parse_item_row(row, category_ids))
            except forms.ValidationError as error:
                row.refuse(error)
        if any(row.error for row in self.rows):
            self.add_error(None, "Correct the marked rows of disputed treatment.")
        elif not items:
            self.rows[0].refuse(RowError("title", "Enter at least one disputed treatment."))
            self.add_error(None, "The application names no disputed treatment.")
        elif len(items) > MAX_ITEMS:
            self.add_error(None, f"An application can have at most {MAX_ITEMS} treatments.")
        # The clerk counts the treatments on the form separately, so an overlooked one is noticed.
        expected = cleaned.get("items_on_form")
        if items and expected and expected != len(items):
            self.add_error(
                "items_on_form",
                f"Treatments on the form: {expected}. Entered: {len(items)}. "
                "Enter the missing ones, or correct the number.",
            )
        cleaned["items"] = items

    @property
    def items_entered(self) -> int:
        return sum(1 for row in self.rows if not row.is_blank)

    @property
    def has_other_count(self) -> bool:
        """Whether another number of treatments is on the form than is entered."""
        stated = str(self["items_on_form"].value() or "").strip()
        return bool(stated) and stated != str(self.items_entered)

    @property
    def treatments(self) -> list[Treatment]:
        """The treatments as typed, each with its category or the guessed one."""
        categories = {str(category.pk): category for category in self.categories}
        return [
            build_treatment(
                title=row.title, category=categories.get(row.category or self.guess(row))
            )
            for row in self.rows
            if row.title.strip()
        ]

    def start_new_key(self) -> None:
        """Give the form a new key, because its key belongs to a form that was saved."""
        data = cast("QueryDict", self.data).copy()
        data["key"] = str(new_form_key())
        self.data = data

    def application(self) -> ApplicationOnForm:
        """Return the typed application as input for the service. Call this on a valid form."""
        values = self.cleaned_data
        # Periods count local days, so a form without a time is stored as received at midnight.
        received_at = datetime.combine(
            values["received"], values["received_time"] or time(0, 0), tzinfo=PACIFIC
        )
        # Everything exactly as typed; the stored application keeps it beside the parsed values.
        printed = {
            name: _strip_null_characters(self.data[name])
            for name in self.fields
            if name != "key" and self.data.get(name)
        }
        return ApplicationOnForm(
            key=values["key"],
            channel=values["channel"],
            received_at=received_at,
            claim_number=values["claim_number"],
            priority=Priority(values["priority"]),
            date_of_injury=values["date_of_injury"],
            injury_last_day=values["injury_last_day"],
            date_of_injury_printed=self.data.get("date_of_injury", "").strip(),
            eams_number=values["eams_number"],
            wcis_number=values["wcis_number"],
            diagnosis=values["diagnosis"],
            sex=values["sex"],
            items_on_form=values["items_on_form"],
            signed_by=values["signed_by"],
            signed_on=values["signed_on"],
            consent_on=values["consent_on"],
            designated_on=values["designated_on"],
            ur_decision_attached=parse_yes_no(values["ur_attached"]),
            copy_certified=parse_yes_no(values["copy_certified"]),
            ur_decision=URDecisionOnForm(
                decided_on=values["ur_decided"],
                decided_printed=self.data.get("ur_decided", "").strip(),
                reference=values["ur_reference"],
                different_because=values["different_because"],
                ur_type=URType(values["ur_type"]),
                served_on=values["served_on"],
                service_method=values["service_method"],
                requested_on=values["requested_on"],
                liability_disputed=parse_yes_no(values["liability_disputed"]),
                liability_reason=values["liability_reason"],
                denied_for_missing_information=parse_yes_no(values["missing_information"]),
            ),
            parties=list(self._parties(values)),
            items=values["items"],
            printed=printed,
            papers=self.papers,
            scan_id=self.scan.pk if self.scan else None,
        )

    def _parties(self, values: dict[str, Any]) -> Iterable[PartyOnForm]:
        yield PartyOnForm(
            role=PartyRole.EMPLOYEE,
            name=_full_name(values["first_name"], values["middle_name"], values["last_name"]),
            first=values["first_name"],
            middle=values["middle_name"],
            last=values["last_name"],
            date_of_birth=values["date_of_birth"],
            date_of_birth_printed=self.data.get("date_of_birth", "").strip(),
            address=values["employee_address"],
            phone=values["employee_phone"],
            language=values["employee_language"],
            needs_interpreter=values["employee_needs_interpreter"],
            **_read_consent(values, "employee"),
        )
        yield PartyOnForm(
            role=PartyRole.EMPLOYER,
            name=values["employer"],
            address=values["employer_address"],
            **_read_consent(values, "employer"),
        )
        if values["attorney"]:
            yield PartyOnForm(
                role=PartyRole.EMPLOYEE_ATTORNEY,
                name=values["attorney"],
                contact=values["attorney_firm"],
                address=values["attorney_address"],
                phone=values["attorney_phone"],
                fax=values["attorney_fax"],
                **_read_consent(values, "attorney"),
            )
        yield PartyOnForm(
            role=PartyRole.REQUESTING_PHYSICIAN,
            name=_full_name(values["physician_first"], "", values["physician_last"]),
            first=values["physician_first"],
            last=values["physician_last"],
            specialty=values["physician_specialty"],
            address=values["physician_address"],
            phone=values["physician_phone"],
            fax=values["physician_fax"],
            **_read_consent(values, "physician"),
        )
        if values["physician_group"]:
            yield PartyOnForm(role=PartyRole.PHYSICIAN_GROUP, name=values["physician_group"])
        yield PartyOnForm(
            role=PartyRole.CLAIMS_ADMINISTRATOR,
            name=values["administrator"],
            contact=values["administrator_contact"],
            address=values["administrator_address"],
            phone=values["administrator_phone"],
            fax=values["administrator_fax"],
            **_read_consent(values, "administrator"),
            preferred_channel=values["administrator_channel"] or "MAIL",
        )


def read_typed_fields(data: QueryDict) -> dict[str, list[str]]:
    """Read all typed fields and file tickets from a request, as a draft stores them."""
    names = (*IntakeForm.base_fields, *ROW_FIELDS, "paper")
    return {
        name: [_strip_null_characters(text) for text in data.getlist(name)]
        for name in names
        if name in data
    }


def rebuild_form_data(content: dict[str, list[str]]) -> QueryDict:
    """Turn the stored fields of a draft into form data."""
    data = QueryDict(mutable=True)
    for name, texts in content.items():
        data.setlist(name, texts)
    return data


@dataclass(frozen=True)
class Difference:
    """One field of a form that was saved with another text than is typed now."""

    label: str
    stored: str
    typed: str


def list_form_differences(case: Case, form: IntakeForm) -> list[Difference]:
    """Compare what a form states now with what was saved from the same form as a case."""
    application = case.application
    if application is None:  # a case that was loaded from a published decision
        return []
    pairs = [
        (str(field.label), application.printed.get(name, ""), form.data.get(name, ""))
        for name, field in form.fields.items()
        if name != "key"
    ]
    items = case.items.select_related("category__parent").order_by("position")
    names = {str(category.pk): str(category) for category in form.categories}
    pairs += [
        (
            "Disputed treatments",
            "\n".join(
                _describe_item(
                    item.title,
                    item.requested_quantity,
                    item.unit,
                    item.body_part,
                    item.category.full_name if item.category else "",
                )
                for item in items
            ),
            "\n".join(
                _describe_item(
                    item.title,
                    item.quantity,
                    item.unit,
                    item.body_part,
                    names.get(str(item.category_id), ""),
                )
                for item in form.cleaned_data.get("items", [])
            ),
        ),
        _describe_files(application, form),
    ]
    return [Difference(label, stored, typed) for label, stored, typed in pairs if stored != typed]


def _describe_files(application: Application, form: IntakeForm) -> tuple[str, str, str]:
    """Name the files of both versions. A file with other contents is marked, as names may agree."""
    stored = {paper.file_id: paper.name_received for paper in application.papers.order_by("pk")}
    typed = {paper.file.pk: paper.name for paper in form.papers}
    # A scan of a batch was stored with the papers, and the form does not upload it again.
    if form.scan is not None and form.scan.file_id is not None:
        typed[form.scan.file_id] = form.scan.name_received
    if stored.keys() == typed.keys():
        return "Files", "", ""
    lines = [f"{name}{'' if pk in stored else ' (another file)'}" for pk, name in typed.items()]
    return "Files", "\n".join(stored.values()), "\n".join(lines)


def _describe_item(
    title: str, quantity: Decimal | None, unit: str, body_part: str, category: str
) -> str:
    amount = f"{quantity.normalize():f} {unit}".strip() if quantity is not None else unit
    return ", ".join(part for part in (title, amount, body_part, category) if part)


def sign_file_ticket(file: StoredFile, name: str, kind: str) -> str:
    """Sign a token that stands for an uploaded file, so that a refused form does not lose it."""
    return signing.dumps({"file": file.pk, "name": name, "kind": kind}, salt="intake-paper")


def read_file_ticket(ticket: str) -> AttachedFile | None:
    """Return the file of a ticket; ``None`` if it is invalid, expired, or the file is gone."""
    try:
        values = signing.loads(ticket, salt="intake-paper", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    file = StoredFile.objects.filter(pk=values["file"]).first()
    return (
        AttachedFile(ApplicationPaper.Kind(values["kind"]), file, values["name"]) if file else None
    )


def sign_scan_ticket(file: StoredFile) -> str:
    """Sign a token that lets the clerk view a scan.

    It becomes part of a URL, which logs keep, so it does not contain the name of the file.
    """
    # Its own salt: a ticket that was copied from a URL must not be accepted as an uploaded file.
    return signing.dumps(file.pk, salt="intake-scan")


def read_scan_ticket(ticket: str) -> StoredFile | None:
    """Return the scan of a token; ``None`` if it is invalid, expired, or the file is gone."""
    try:
        file_id = signing.loads(ticket, salt="intake-scan", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    return StoredFile.objects.filter(pk=file_id).first()


def read_form_key(text: str) -> UUID:
    """Read the idempotency key of a form, made by ``new_form_key``, from a request.

    :raises NotAllowed: it is not a valid key.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotAllowed(
            "This form is not valid. Open the page again to start a new form."
        ) from None


def new_form_key() -> UUID:
    """Make the idempotency key of a new form: submitting the form twice creates one case."""
    return uuid4()


def read_item_rows(data: QueryDict) -> list[ItemRow]:
    """Read the rows of disputed treatment from a request; the last row is empty."""
    columns = [data.getlist(name) for name in ROW_FIELDS]
    # One row more than allowed, so that a longer form is refused but not parsed to its end.
    row_count = min(max((len(column) for column in columns), default=0), MAX_ITEMS + 1)
    rows = [
        # Only a correction sends item ids; for a new application that column is empty.
        ItemRow(*(column[index] if index < len(column) else "" for column in columns))
        for index in range(row_count)
    ]
    if not rows or not rows[-1].is_blank:
        rows.append(ItemRow())
    return rows


def parse_item_row(row: ItemRow, categories: set[str]) -> ItemOnForm:
    """Validate one row of disputed treatment.

    :param categories: the keys of the categories that can be chosen.
    :raises RowError: a value of the row is missing or wrong.
    """
    required = {"required": "Enter the treatment, or clear the whole row."}
    # Pasted text may have line breaks.
    typed = " ".join(row.title.split())
    title = _clean_part("title", LetterText(max_length=2000, error_messages=required), typed)
    quantity = None
    if row.quantity.strip():
        try:
            quantity = read_quantity(row.quantity)
        except ValueError as error:
            raise RowError("quantity", "Enter the quantity as a number, such as 12.") from error
        if not 0 < quantity < 100_000:
            raise RowError("quantity", "The quantity must be between 0 and 100,000.")
        # The column has two decimals; a third would be lost without notice.
        if quantity != round(quantity, 2):
            raise RowError("quantity", "Enter the quantity with at most two decimals.")
    if row.category and row.category not in categories:
        raise RowError("category", "Choose a category from the list.")
    return ItemOnForm(
        title=title,
        category_id=int(row.category) if row.category else None,
        quantity=quantity,
        unit=_clean_part("unit", LetterText(max_length=40, required=False), row.unit),
        body_part=_clean_part("body", LetterText(max_length=80, required=False), row.body_part),
    )


def _clean_part(part: str, field: LetterText, keyed: str) -> str:
    try:
        return field.clean(keyed)
    except forms.ValidationError as error:
        raise RowError(part, error.messages) from error


def _strip_null_characters(keyed: str) -> str:
    """Remove null characters, which PostgreSQL cannot store."""
    return keyed.replace("\0", "")


def _read_consent(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the email address of a party, and its consent to electronic service."""
    names = ("email", "eservice_on", "eservice_basis")
    return {name: values[f"{prefix}_{name}"] for name in names}


def _full_name(first: str, middle: str, last: str) -> str:
    return " ".join(part for part in (first, middle, last) if part)


def parse_yes_no(answer: str) -> bool | None:
    """Convert the value of a yes/no field; ``None`` if not stated."""
    return {"yes": True, "no": False}.get(answer)
