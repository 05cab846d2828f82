"""What the clerk keys from the paper. Forms check the paper; services check the law."""

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
from intake.services.receiving import ApplicationOnForm, ItemOnForm, Paper, URDecisionOnForm
from intake.treatment_words import guess_category

YES_NO_UNKNOWN = [("", "Not stated"), ("yes", "Yes"), ("no", "No")]
MOST_ITEMS = 200
LONGEST_NAME = 300
# How long a file that was handed in waits for its form: as long as a draft.
TICKET_SECONDS = (DRAFT_DAYS + 1) * 24 * 3600
_ROW_FIELDS = (
    "item_title", "item_category", "item_quantity", "item_unit", "item_body_part", "item_id",
)  # fmt: skip


@dataclass
class ItemRow:
    """One row of disputed treatment as keyed, so that a refused form shows it again."""

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
    """DWC Form IMR, in the paper's order."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    channel = forms.ChoiceField(label="Came by", choices=Channel.choices, initial=Channel.MAIL)
    received = PaperDate(
        label="Received",
        error_messages={"required": "Enter the date of our received stamp."},
    )
    received_time = forms.TimeField(
        label="Time",
        required=False,
        error_messages={"invalid": "Write the time as 14:05, or leave it empty."},
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
        label="Different from the UR decision on file because",
        max_length=300,
        required=False,
        help_text="Only if an open case seems to dispute the same decision and does not.",
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
        max_value=MOST_ITEMS,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "data-items-on-form": ""}),
        error_messages={"invalid": "Write a number.", "max_value": "At most 200."},
    )
    liability_disputed = forms.ChoiceField(
        label="Is liability also disputed?", choices=YES_NO_UNKNOWN, required=False
    )
    liability_reason = PaperText(label="Why", max_length=500, required=False)
    missing_information = forms.ChoiceField(
        label="Denied for missing information?", choices=YES_NO_UNKNOWN, required=False
    )
    signed_by = forms.ChoiceField(
        label="Signed by", choices=[("", "Not signed"), *Signer.choices], required=False
    )
    signed_on = PaperDate(label="Signed on", required=False)
    consent_on = PaperDate(label="Consent to obtain records, dated", required=False)
    designated_on = PaperDate(label="Representative designated on", required=False)
    copy_certified = forms.ChoiceField(
        label="Certifies a copy to the claims administrator?",
        choices=YES_NO_UNKNOWN,
        required=False,
    )
    ur_attached = forms.ChoiceField(
        label="Is the UR decision attached?", choices=YES_NO_UNKNOWN, required=False
    )

    def __init__(self, data: QueryDict | None = None, *, today: date, **options: Any) -> None:
        super().__init__(data, today=today, **options)
        self.papers: list[Paper] = []
        self.scan: Scan | None = None  # the scan of a batch that is keyed
        self.rows = rows_of(data) if data is not None else [ItemRow() for _ in range(4)]
        self.categories = list(
            TreatmentCategory.objects.filter(is_active=True)
            .select_related("parent")
            .order_by("parent__name", "name")
        )
        self._by_name = {
            (row.parent.name, row.name) if row.parent else (row.name, ""): str(row.pk)
            for row in self.categories
        }
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
    def has_rare(self) -> bool:
        """Whether one of the fields that few forms fill has something in it."""
        rare = ("middle_name", "sex", "eams_number", "wcis_number")
        return any(self[name].value() or name in self.errors for name in rare)

    def guess(self, row: ItemRow) -> str:
        """The category that a row's title speaks for, as its key; empty if none does."""
        named = guess_category(row.title)
        return self._by_name.get(named, "") if named else ""

    @property
    def guesses(self) -> list[tuple[int, str]]:
        """For each row with words: its place, and the category that they speak for."""
        found = ((place, self.guess(row)) for place, row in enumerate(self.rows) if row.title)
        return [(place, category) for place, category in found if category]

    def so_far(self) -> dict[str, Any]:
        """The fields that can be read, of a form that may be half typed."""
        found = {}
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
        if received and decided and decided > received:
            self.add_error(
                "ur_decided",
                "The decision is dated after the day we received it. Check both dates.",
            )
        if cleaned.get("administrator_channel") == "FAX" and not cleaned.get("administrator_fax"):
            self.add_error(
                "administrator_fax", "Enter the fax number, or send the notices another way."
            )
        injury = cleaned.get("date_of_injury")
        if injury and decided and injury > decided:
            self.add_error(
                "date_of_injury",
                "The injury is dated after the UR decision. Check both dates.",
            )
        if injury and cleaned.get("date_of_birth") and injury < cleaned["date_of_birth"]:
            self.add_error("date_of_injury", "The injury is dated before the birth. Check both.")
        for first, middle, last in (
            ("first_name", "middle_name", "last_name"),
            ("physician_first", "", "physician_last"),
        ):
            name = _full_name(*(cleaned.get(part) or "" for part in (first, middle, last)))
            if len(name) > LONGEST_NAME:
                self.add_error(
                    last,
                    f"The names are together {len(name)} characters long. "
                    f"Shorten them to {LONGEST_NAME}.",
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
                row.category = row.category or self.guess(row)
                items.append(item_of(row, known))
            except forms.ValidationError as error:
                row.error = " ".join(error.messages)
        if any(row.error for row in self.rows):
            self.add_error(None, "A disputed treatment needs a correction; see the marked rows.")
        elif not items:
            self.add_error(None, "Enter at least one disputed treatment.")
        elif len(items) > MOST_ITEMS:
            self.add_error(None, f"At most {MOST_ITEMS} treatments fit one application.")
        expected = cleaned.get("items_on_form")
        if items and expected and expected != len(items):
            self.add_error(
                "items_on_form",
                f"The form shows {expected} treatments and {len(items)} are entered. "
                "Enter the missing ones, or correct the count.",
            )
        cleaned["items"] = items

    @property
    def items_entered(self) -> int:
        return sum(1 for row in self.rows if not row.is_blank)

    def application(self) -> ApplicationOnForm:
        """What the scan says, for the service. Call it on a valid form."""
        said = self.cleaned_data
        received_at = datetime.combine(
            said["received"], said["received_time"] or time(0, 0), tzinfo=PACIFIC
        )
        printed = {
            name: _storable(self.data[name])
            for name in self.fields
            if name != "key" and self.data.get(name)
        }
        return ApplicationOnForm(
            key=said["key"],
            channel=said["channel"],
            received_at=received_at,
            claim_number=said["claim_number"],
            priority=Priority(said["priority"]),
            date_of_injury=said["date_of_injury"],
            date_of_injury_printed=self.data.get("date_of_injury", "").strip(),
            eams_number=said["eams_number"],
            wcis_number=said["wcis_number"],
            diagnosis=said["diagnosis"],
            sex=said["sex"],
            items_on_form=said["items_on_form"],
            signed_by=said["signed_by"],
            signed_on=said["signed_on"],
            consent_on=said["consent_on"],
            designated_on=said["designated_on"],
            ur_decision_attached=yes_no(said["ur_attached"]),
            copy_certified=yes_no(said["copy_certified"]),
            ur_decision=URDecisionOnForm(
                decided_on=said["ur_decided"],
                decided_printed=self.data.get("ur_decided", "").strip(),
                reference=said["ur_reference"],
                different_because=said["different_because"],
                ur_type=URType(said["ur_type"]),
                served_on=said["served_on"],
                service_method=said["service_method"],
                requested_on=said["requested_on"],
                liability_disputed=yes_no(said["liability_disputed"]),
                liability_reason=said["liability_reason"],
                denied_for_missing_information=yes_no(said["missing_information"]),
            ),
            parties=list(self._parties(said)),
            items=said["items"],
            printed=printed,
            papers=self.papers,
            scan_id=self.scan.pk if self.scan else None,
        )

    def _parties(self, said: dict[str, Any]) -> Iterable[PartyOnForm]:
        yield PartyOnForm(
            role=Role.EMPLOYEE,
            name=_full_name(said["first_name"], said["middle_name"], said["last_name"]),
            first=said["first_name"],
            middle=said["middle_name"],
            last=said["last_name"],
            date_of_birth=said["date_of_birth"],
            date_of_birth_printed=self.data.get("date_of_birth", "").strip(),
            address=said["employee_address"],
            phone=said["employee_phone"],
        )
        yield PartyOnForm(
            role=Role.EMPLOYER, name=said["employer"], address=said["employer_address"]
        )
        if said["attorney"]:
            yield PartyOnForm(
                role=Role.EMPLOYEE_ATTORNEY,
                name=said["attorney"],
                contact=said["attorney_firm"],
                address=said["attorney_address"],
                phone=said["attorney_phone"],
                fax=said["attorney_fax"],
            )
        yield PartyOnForm(
            role=Role.REQUESTING_PHYSICIAN,
            name=_full_name(said["physician_first"], "", said["physician_last"]),
            first=said["physician_first"],
            last=said["physician_last"],
            specialty=said["physician_specialty"],
            address=said["physician_address"],
            phone=said["physician_phone"],
            fax=said["physician_fax"],
        )
        if said["physician_group"]:
            yield PartyOnForm(role=Role.PHYSICIAN_GROUP, name=said["physician_group"])
        yield PartyOnForm(
            role=Role.CLAIMS_ADMINISTRATOR,
            name=said["administrator"],
            contact=said["administrator_contact"],
            address=said["administrator_address"],
            phone=said["administrator_phone"],
            fax=said["administrator_fax"],
            preferred_channel=said["administrator_channel"] or "MAIL",
        )


def typed_on(data: QueryDict) -> dict[str, list[str]]:
    """Everything that was typed, and the papers at hand, as a draft keeps it."""
    kept = (*IntakeForm.base_fields, *_ROW_FIELDS, "paper")
    return {name: [_storable(text) for text in data.getlist(name)] for name in kept if name in data}


def typed_again(content: dict[str, list[str]]) -> QueryDict:
    """What a draft kept, as a form reads it."""
    data = QueryDict(mutable=True)
    for name, texts in content.items():
        data.setlist(name, texts)
    return data


def sign_paper(file: StoredFile, name: str, kind: str) -> str:
    """A ticket for a file that a refused form already handed in, so that it is not lost."""
    return signing.dumps({"file": file.pk, "name": name, "kind": kind}, salt="intake-paper")


def paper_of(ticket: str) -> Paper | None:
    """The paper behind a ticket; ``None`` when the ticket is not ours or has grown old."""
    try:
        said = signing.loads(ticket, salt="intake-paper", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    file = StoredFile.objects.filter(pk=said["file"]).first()
    return Paper(ApplicationPaper.Kind(said["kind"]), file, said["name"]) if file else None


def sign_scan(file: StoredFile) -> str:
    """A ticket to look at a file by: it stands in an address, so it holds no one's name."""
    return signing.dumps(file.pk, salt="intake-scan")


def scan_of(ticket: str) -> StoredFile | None:
    """The file behind a ticket to look by; ``None`` as for ``paper_of``."""
    try:
        file_id = signing.loads(ticket, salt="intake-scan", max_age=TICKET_SECONDS)
    except signing.BadSignature:
        return None
    return StoredFile.objects.filter(pk=file_id).first()


def read_key(text: str) -> UUID:
    """The key of a form that the page sent back.

    :raises NotAllowed: it is none of ours.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotAllowed("Begin a new form.") from None


def new_key() -> UUID:
    """The key of a fresh form; saving the form twice with it gives one case."""
    return uuid4()


def rows_of(data: QueryDict) -> list[ItemRow]:
    columns = [data.getlist(name) for name in _ROW_FIELDS]
    height = min(max((len(column) for column in columns), default=0), MOST_ITEMS + 1)
    rows = [
        ItemRow(*(column[place] if place < len(column) else "" for column in columns))
        for place in range(height)
    ]
    while len(rows) < 4:
        rows.append(ItemRow())
    return rows


def item_of(row: ItemRow, categories: set[str]) -> ItemOnForm:
    title = PaperText(
        max_length=2000,
        error_messages={"required": "Write the treatment, or clear the whole row."},
    ).clean(row.title)
    quantity = None
    if row.quantity.strip():
        try:
            quantity = Decimal(row.quantity.strip())
        except InvalidOperation as error:
            raise forms.ValidationError("Write the quantity as a number, such as 12.") from error
        if not quantity.is_finite() or not 0 < quantity < 100_000:
            raise forms.ValidationError("The quantity has to lie between 0 and 100,000.")
        if quantity != round(quantity, 2):
            raise forms.ValidationError("Write the quantity with at most two decimals.")
    if row.category and row.category not in categories:
        raise forms.ValidationError("Choose a category from the list.")
    return ItemOnForm(
        title=title,
        category_id=int(row.category) if row.category else None,
        quantity=quantity,
        unit=PaperText(max_length=40, required=False).clean(row.unit),
        body_part=PaperText(max_length=80, required=False).clean(row.body_part),
    )


def _storable(keyed: str) -> str:
    """What was keyed, without the one character that PostgreSQL cannot store."""
    return keyed.replace("\0", "")


def _full_name(first: str, middle: str, last: str) -> str:
    return " ".join(part for part in (first, middle, last) if part)


def yes_no(answer: str) -> bool | None:
    return {"yes": True, "no": False}.get(answer)
