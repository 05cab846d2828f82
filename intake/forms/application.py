"""The form of a new application, in the order of DWC Form IMR.

The form checks what was typed, such as dates and lengths. The eligibility review applies the law.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core import signing
from django.http import QueryDict
from django.urls import reverse_lazy

from accounts.refusals import NotAllowed
from cases.models import (
    ApplicationPaper,
    Channel,
    Priority,
    Role,
    ServiceMethod,
    Sex,
    Signer,
    TreatmentCategory,
    URType,
)
from cases.services.parties import PartyOnForm
from deadlines.days import PACIFIC
from files.models import StoredFile
from form_fields.fields import DatedForm, PaperDate, PaperText
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
_ROW_FIELDS = (
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

    @property
    def is_blank(self) -> bool:
        return not (self.title or self.category or self.quantity or self.unit or self.body_part)


class IntakeForm(DatedForm):
    """The fields of DWC Form IMR, in the order of the form."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    channel = forms.ChoiceField(label="Received by", choices=Channel.choices, initial=Channel.MAIL)
    received = PaperDate(
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
    first_name = PaperText(label="First name", max_length=120, required=False)
    middle_name = PaperText(label="Middle", max_length=120, required=False)
    last_name = PaperText(
        label="Last name",
        max_length=160,
        error_messages={"required": "Enter the employee’s last name."},
    )
    employee_address = PaperText(
        label="Address",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    employee_phone = PaperText(label="Phone", max_length=40, required=False)
    date_of_birth = PaperDate(label="Date of birth", required=False)
    sex = forms.ChoiceField(label="Sex", choices=[("", "Not stated"), *Sex.choices], required=False)
    claim_number = PaperText(
        label="Claim number",
        max_length=60,
        error_messages={"required": "Enter the claim number, or “none” if the form has none."},
    )
    date_of_injury = PaperDate(label="Date of injury", required=False)
    ur_decided = PaperDate(
        label="Date of UR decision",
        error_messages={"required": "Enter the date of the UR decision."},
    )
    ur_reference = PaperText(label="UR reference", max_length=80, required=False)
    different_because = PaperText(
        label="Why this is not the UR decision on file",
        max_length=300,
        required=False,
        help_text="Only if an open case appears to dispute the same decision but does not.",
    )
    served_on = PaperDate(label="UR decision served on", required=False)
    service_method = forms.ChoiceField(
        label="Served by",
        choices=[("", "Not stated"), *ServiceMethod.choices],
        required=False,
    )
    requested_on = PaperDate(label="RFA date", required=False)
    eams_number = PaperText(label="EAMS number", max_length=40, required=False)
    wcis_number = PaperText(label="WCIS number", max_length=40, required=False)

    employer = PaperText(
        label="Employer",
        max_length=300,
        error_messages={"required": "Enter the employer."},
    )
    employer_address = PaperText(
        label="Address",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    attorney = PaperText(label="Employee’s attorney", max_length=300, required=False)
    attorney_firm = PaperText(label="Firm", max_length=200, required=False)
    attorney_address = PaperText(
        label="Address",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    attorney_phone = PaperText(label="Phone", max_length=40, required=False)
    attorney_fax = PaperText(label="Fax", max_length=40, required=False)

    physician_first = PaperText(label="First name", max_length=120, required=False)
    physician_last = PaperText(
        label="Last name",
        max_length=160,
        error_messages={"required": "Enter the requesting physician’s last name."},
    )
    physician_specialty = PaperText(label="Specialty", max_length=120, required=False)
    physician_group = PaperText(label="Practice or group", max_length=300, required=False)
    physician_address = PaperText(
        label="Address",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    physician_phone = PaperText(label="Phone", max_length=40, required=False)
    physician_fax = PaperText(label="Fax", max_length=40, required=False)

    administrator = PaperText(
        label="Claims administrator",
        max_length=300,
        error_messages={"required": "Enter the claims administrator’s company."},
    )
    administrator_contact = PaperText(label="Adjuster", max_length=200, required=False)
    administrator_address = PaperText(
        label="Address",
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    administrator_phone = PaperText(label="Phone", max_length=40, required=False)
    administrator_fax = PaperText(label="Fax", max_length=40, required=False)
    administrator_channel = forms.ChoiceField(
        label="Send notices by",
        choices=[("MAIL", "Mail"), ("FAX", "Fax"), ("ELECTRONIC", "Electronic")],
        initial="MAIL",
        required=False,
    )

    diagnosis = PaperText(label="Primary diagnosis", max_length=500, required=False)
    items_on_form = forms.IntegerField(
        label="Treatments on the form",
        min_value=1,
        max_value=MAX_ITEMS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "data-items-on-form": ""}),
        error_messages={"invalid": "Enter a number.", "max_value": "At most 200."},
    )
    liability_disputed = forms.ChoiceField(
        label="Is liability also disputed?", choices=YES_NO_UNKNOWN, required=False
    )
    liability_reason = PaperText(label="Reason for the dispute", max_length=500, required=False)
    missing_information = forms.ChoiceField(
        label="Denied for missing information?", choices=YES_NO_UNKNOWN, required=False
    )
    signed_by = forms.ChoiceField(
        label="Signed by", choices=[("", "Not signed"), *Signer.choices], required=False
    )
    signed_on = PaperDate(label="Signed on", required=False)
    consent_on = PaperDate(label="Date of consent to obtain records", required=False)
    designated_on = PaperDate(label="Representative designated on", required=False)
    copy_certified = forms.ChoiceField(
        label="Copy to the claims administrator certified?",
        choices=YES_NO_UNKNOWN,
        required=False,
    )
    ur_attached = forms.ChoiceField(
        label="Is the UR decision attached?", choices=YES_NO_UNKNOWN, required=False
    )

    def __init__(self, data: QueryDict | None = None, *, today: date, **options: Any) -> None:
        super().__init__(data, today=today, **options)
        self.papers: list[AttachedFile] = []
        self.scan: Scan | None = None  # the scan that the clerk is entering
        self.rows = read_item_rows(data) if data is not None else [ItemRow() for _ in range(4)]
        self.categories = list(
            TreatmentCategory.objects.filter(is_active=True)
            .select_related("parent")
            .order_by("parent__name", "name")
        )
        # The guess is a pair of names, but the form posts keys.
        self._by_name = {
            (row.parent.name, row.name) if row.parent else (row.name, ""): str(row.pk)
            for row in self.categories
        }
        # The delay sends one request per pause in typing. The sync replaces a request under way, so
        # that an older list cannot overwrite a newer one.
        for name in known_parties.FIELDS:
            self.fields[name].widget.attrs |= {
                "autocomplete": "off",
                "hx-post": reverse_lazy("intake:look_up"),
                "hx-trigger": "input changed delay:150ms",
                "hx-target": f"#known-{name}",
                "hx-sync": "this:replace",
                "data-known": f"known-{name}",
            }

        if not self.is_bound:
            self.fields["first_name"].widget.attrs["autofocus"] = True

    @property
    def has_rare_values(self) -> bool:
        """Whether a field of the collapsed section has a value or an error."""
        rare = ("middle_name", "sex", "eams_number", "wcis_number")
        return any(self[name].value() or name in self.errors for name in rare)

    def guess(self, row: ItemRow) -> str:
        """Guess a row's category from its title; returns the category's key, or an empty text."""
        named = guess_category(row.title)
        return self._by_name.get(named, "") if named else ""

    @property
    def guesses(self) -> list[tuple[int, str]]:
        """The position and the guessed category of each row that has a title."""
        found = ((place, self.guess(row)) for place, row in enumerate(self.rows) if row.title)
        return [(place, category) for place, category in found if category]

    def valid_values(self) -> dict[str, Any]:
        """The values of all valid fields of a form that may be half typed."""
        found = {}
        # Each field by itself: a full validation would mark errors while the clerk is still typing.
        for name, field in self.fields.items():
            try:
                found[name] = field.clean(self[name].data)
            except forms.ValidationError:
                continue
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        received, decided = cleaned.get("received"), cleaned.get("ur_decided")
        for name, label in (
            ("received", "This date is in the future. Check the stamp."),
            ("date_of_birth", "This date is in the future. Check the form."),
            ("date_of_injury", "This date is in the future. Check the form."),
            ("signed_on", "This date is in the future. Check the signature."),
            ("consent_on", "This date is in the future. Check the form."),
            ("designated_on", "This date is in the future. Check the form."),
            ("served_on", "This date is in the future. Check the proof of service."),
            ("requested_on", "This date is in the future. Check the RFA."),
        ):
            if cleaned.get(name) and cleaned[name] > self.today:
                self.add_error(name, label)
        # This also keeps the UR decision out of the future, because the received date was checked
        # above.
        if received and decided and decided > received:
            self.add_error(
                "ur_decided",
                "The decision is dated after the day we received it. Check both dates.",
            )
        # Otherwise the missing number would be noticed only when a notice has to leave.
        if cleaned.get("administrator_channel") == "FAX" and not cleaned.get("administrator_fax"):
            self.add_error(
                "administrator_fax", "Enter the fax number, or choose another way to send notices."
            )
        injury = cleaned.get("date_of_injury")
        if injury and decided and injury > decided:
            self.add_error(
                "date_of_injury",
                "The injury is dated after the UR decision. Check both dates.",
            )
        if injury and cleaned.get("date_of_birth") and injury < cleaned["date_of_birth"]:
            self.add_error("date_of_injury", "The injury is dated before the birth. Check both.")
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

    def _clean_items(self, cleaned: dict[str, Any]) -> None:
        items = []
        known = {str(category.pk) for category in self.categories}
        for row in self.rows:
            if row.is_blank:
                continue
            try:
                # On a page without scripts, nothing preselects the guess.
                row.category = row.category or self.guess(row)
                items.append(parse_item_row(row, known))
            except forms.ValidationError as error:
                row.error = " ".join(error.messages)
        if any(row.error for row in self.rows):
            self.add_error(None, "Correct the marked rows of disputed treatment.")
        elif not items:
            self.add_error(None, "Enter at least one disputed treatment.")
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

    def application(self) -> ApplicationOnForm:
        """The typed application as input for the service. Call this on a valid form."""
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
            role=Role.EMPLOYEE,
            name=_full_name(values["first_name"], values["middle_name"], values["last_name"]),
            first=values["first_name"],
            middle=values["middle_name"],
            last=values["last_name"],
            date_of_birth=values["date_of_birth"],
            date_of_birth_printed=self.data.get("date_of_birth", "").strip(),
            address=values["employee_address"],
            phone=values["employee_phone"],
        )
        yield PartyOnForm(
            role=Role.EMPLOYER, name=values["employer"], address=values["employer_address"]
        )
        if values["attorney"]:
            yield PartyOnForm(
                role=Role.EMPLOYEE_ATTORNEY,
                name=values["attorney"],
                contact=values["attorney_firm"],
                address=values["attorney_address"],
                phone=values["attorney_phone"],
                fax=values["attorney_fax"],
            )
        yield PartyOnForm(
            role=Role.REQUESTING_PHYSICIAN,
            name=_full_name(values["physician_first"], "", values["physician_last"]),
            first=values["physician_first"],
            last=values["physician_last"],
            specialty=values["physician_specialty"],
            address=values["physician_address"],
            phone=values["physician_phone"],
            fax=values["physician_fax"],
        )
        if values["physician_group"]:
            yield PartyOnForm(role=Role.PHYSICIAN_GROUP, name=values["physician_group"])
        yield PartyOnForm(
            role=Role.CLAIMS_ADMINISTRATOR,
            name=values["administrator"],
            contact=values["administrator_contact"],
            address=values["administrator_address"],
            phone=values["administrator_phone"],
            fax=values["administrator_fax"],
            preferred_channel=values["administrator_channel"] or "MAIL",
        )


def read_typed_fields(data: QueryDict) -> dict[str, list[str]]:
    """Read all typed fields and file tickets from a request, as a draft stores them."""
    kept = (*IntakeForm.base_fields, *_ROW_FIELDS, "paper")
    return {
        name: [_strip_null_characters(text) for text in data.getlist(name)]
        for name in kept
        if name in data
    }


def rebuild_form_data(content: dict[str, list[str]]) -> QueryDict:
    """Turn the stored fields of a draft into form data."""
    data = QueryDict(mutable=True)
    for name, texts in content.items():
        data.setlist(name, texts)
    return data


def sign_file_ticket(file: StoredFile, name: str, kind: str) -> str:
    """Sign a ticket for an uploaded file, so that a refused form does not lose it."""
    return signing.dumps({"file": file.pk, "name": name, "kind": kind}, salt="intake-paper")


def read_file_ticket(ticket: str) -> AttachedFile | None:
    """Return the file of a ticket; ``None`` if the signature is wrong or expired."""
    try:
        values = signing.loads(ticket, salt="intake-paper", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    file = StoredFile.objects.filter(pk=values["file"]).first()
    return (
        AttachedFile(ApplicationPaper.Kind(values["kind"]), file, values["name"]) if file else None
    )


def sign_scan_ticket(file: StoredFile) -> str:
    """Sign a ticket for viewing a file. It becomes part of a URL, so it must contain no name."""
    # Its own salt: a ticket that was copied from a URL must not be accepted as an uploaded file.
    return signing.dumps(file.pk, salt="intake-scan")


def read_scan_ticket(ticket: str) -> StoredFile | None:
    """Return the file of a viewing ticket; ``None`` if the signature is wrong or expired."""
    try:
        file_id = signing.loads(ticket, salt="intake-scan", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    return StoredFile.objects.filter(pk=file_id).first()


def read_form_key(text: str) -> UUID:
    """Read the key of a form from a request.

    :raises NotAllowed: it is not a valid key.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotAllowed("Start a new form.") from None


def new_form_key() -> UUID:
    """Make the key of a new form. Because of it, saving a form twice gives one case."""
    return uuid4()


def read_item_rows(data: QueryDict) -> list[ItemRow]:
    """Read the rows of disputed treatment from a request; at least four rows."""
    columns = [data.getlist(name) for name in _ROW_FIELDS]
    # One row more than allowed, so that a longer form is refused but not parsed to its end.
    height = min(max((len(column) for column in columns), default=0), MAX_ITEMS + 1)
    rows = [
        # A form of new treatments sends no item ids, so that column is shorter than the others.
        ItemRow(*(column[place] if place < len(column) else "" for column in columns))
        for place in range(height)
    ]
    while len(rows) < 4:  # the form always shows a few empty rows
        rows.append(ItemRow())
    return rows


def parse_item_row(row: ItemRow, categories: set[str]) -> ItemOnForm:
    """Validate one row of disputed treatment.

    :param categories: the keys of the categories that can be chosen.
    :raises ValidationError: a value of the row is missing or wrong.
    """
    title = PaperText(
        max_length=2000,
        error_messages={"required": "Enter the treatment, or clear the whole row."},
    ).clean(row.title)
    quantity = None
    if row.quantity.strip():
        try:
            quantity = Decimal(row.quantity.strip())
        except InvalidOperation as error:
            raise forms.ValidationError("Enter the quantity as a number, such as 12.") from error
        # Decimal also reads “NaN” and “Infinity”.
        if not quantity.is_finite() or not 0 < quantity < 100_000:
            raise forms.ValidationError("The quantity must be between 0 and 100,000.")
        # The column has two decimals; a third would be lost without notice.
        if quantity != round(quantity, 2):
            raise forms.ValidationError("Enter the quantity with at most two decimals.")
    if row.category and row.category not in categories:
        raise forms.ValidationError("Choose a category from the list.")
    return ItemOnForm(
        title=title,
        category_id=int(row.category) if row.category else None,
        quantity=quantity,
        unit=PaperText(max_length=40, required=False).clean(row.unit),
        body_part=PaperText(max_length=80, required=False).clean(row.body_part),
    )


def _strip_null_characters(keyed: str) -> str:
    """Remove null characters, which PostgreSQL cannot store."""
    return keyed.replace("\0", "")


def _full_name(first: str, middle: str, last: str) -> str:
    return " ".join(part for part in (first, middle, last) if part)


def parse_yes_no(answer: str) -> bool | None:
    """Convert the value of a yes/no field; ``None`` if not stated."""
    return {"yes": True, "no": False}.get(answer)
