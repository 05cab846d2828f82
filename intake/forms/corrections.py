"""Forms for correcting a saved application: the received date, and the typed fields."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.http import QueryDict

from cases.models import Case
from deadlines.days import PACIFIC
from eligibility.impossible_dates import find_impossible_dates
from form_fields.fields import DatedForm, KeyedDate, LetterText, split_injury
from intake.services.corrections import APPLICATION_FIELDS, CASE_FIELDS
from intake.services.receiving import ItemOnForm

from .application import (
    IntakeForm,
    ItemRow,
    list_row_errors,
    parse_item_row,
    parse_yes_no,
    read_item_rows,
)

# Form field to model field, if the names differ.
_NAMES = {
    "ur_decided": "decided_on",
    "ur_reference": "reference",
    "missing_information": "denied_for_missing_information",
    "ur_attached": "ur_decision_attached",
}
_YES_NO = {"liability_disputed", "missing_information", "ur_attached", "copy_certified"}
_FIELDS = (
    "channel", "claim_number", "date_of_injury", "ur_decided", "diagnosis", "sex", "eams_number",
    "wcis_number", "ur_type", "ur_reference", "requested_on", "served_on", "service_method",
    "liability_disputed", "missing_information", "liability_reason", "signed_by", "signed_on",
    "consent_on", "designated_on", "ur_attached", "copy_certified",
)  # fmt: skip


class ReceivedForm(DatedForm):
    """The corrected date and time of receipt, with the reason."""

    received = KeyedDate(
        label="Received", error_messages={"required": "Enter the date on the received stamp."}
    )
    received_time = forms.TimeField(
        label="Time",
        required=False,
        error_messages={"invalid": "Enter the time as 14:05, or leave it empty."},
    )
    reason = LetterText(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter the reason for the correction."},
    )

    def received_at(self) -> datetime:
        """Return the date and time of receipt, in Pacific time. Call this on a valid form."""
        values = self.cleaned_data
        hour = values["received_time"] or time(0, 0)
        return datetime.combine(values["received"], hour, tzinfo=PACIFIC)


class CorrectionForm(DatedForm):
    """The typed fields and treatments of a saved application, for correction."""

    why = LetterText(label="Note", max_length=300, required=False)

    def __init__(self, data: QueryDict | None, *, case: Case, today: date) -> None:
        super().__init__(data, today=today, initial=_initial_values(case))
        self.rows = read_item_rows(data) if data is not None else list(_item_rows(case))
        self.received_on = case.received_on
        self.items: dict[int, ItemOnForm] = {}  # the items on file, by id
        self.added: list[ItemOnForm] = []  # treatments that were not entered before
        # Use the fields of the intake form, so that labels and limits are the same on both pages.
        like = IntakeForm(today=today)
        self.categories = like.categories
        self.fields = {name: like.fields[name] for name in _FIELDS} | self.fields
        # This page has no list to choose from; a code still gets its description.
        attrs = self.fields["diagnosis"].widget.attrs
        for name in [name for name in attrs if name.startswith("hx-")]:
            del attrs[name]

    def clean(self) -> dict[str, Any]:
        cleaned = split_injury(super().clean() or {})
        for impossible in find_impossible_dates(
            cleaned | {"received": self.received_on}, today=self.today
        ):
            self.add_error(impossible.field, impossible.sentence)
        category_ids = {str(category.pk) for category in self.categories}
        for row in self.rows:
            if row.is_blank:
                continue
            try:
                self._read_row(row, category_ids)
            except forms.ValidationError as error:
                row.refuse(error)
                self.add_error(None, "Correct the marked rows of disputed treatment.")
        return cleaned

    @property
    def row_errors(self) -> list[tuple[str, str]]:
        """The errors of the rows of disputed treatment, with links to their fields."""
        return list_row_errors(self.rows)

    def _read_row(self, row: ItemRow, categories: set[str]) -> None:
        item = parse_item_row(row, categories)
        if not row.item_id:
            self.added.append(item)
        # isdigit() alone accepts characters such as “²”, which int() refuses.
        elif not (row.item_id.isascii() and row.item_id.isdigit()):
            raise forms.ValidationError("This row belongs to no treatment. Reload the page.")
        # Otherwise the second copy of a row would silently replace the first.
        elif int(row.item_id) in self.items:
            raise forms.ValidationError("This treatment was sent twice. Reload the page.")
        else:
            self.items[int(row.item_id)] = item

    def values(self) -> dict[str, Any]:
        """Return the values by the names of the model fields. Call this on a valid form."""
        return {
            _NAMES.get(name, name): parse_yes_no(self.cleaned_data[name])
            if name in _YES_NO
            else self.cleaned_data[name]
            for name in (*_FIELDS, "injury_last_day")
        }


def _initial_values(case: Case) -> dict[str, Any]:
    labels = {True: "yes", False: "no", None: ""}
    values: dict[str, Any] = {}
    for name in _FIELDS:
        field = _NAMES.get(name, name)
        holder = case if field in CASE_FIELDS else case.ur_decision
        row = case.application if field in APPLICATION_FIELDS else holder
        # A case may have no UR decision; its fields are then empty.
        value = getattr(row, field, None)
        values[name] = labels[value] if name in _YES_NO else value
    values["date_of_injury"] = case.injury_printed
    return values


def _item_rows(case: Case) -> Iterable[ItemRow]:
    for item in case.items.order_by("position"):
        quantity = item.requested_quantity
        yield ItemRow(
            item.title,
            str(item.category_id or ""),
            # “10”, neither “10.00” as stored nor “1E+1” as normalize() alone would print it.
            f"{quantity.normalize():f}" if quantity is not None else "",
            item.unit,
            item.body_part,
            str(item.pk),
        )
