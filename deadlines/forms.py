"""Forms of the deadline rules and holidays: confirm, replace, add, end, recalculate."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.requests import read_whole_number
from form_fields.fields import DatedForm, KeyedDate, LetterText, LineField

from .calendars import FIRST_DAY, LAST_DAY, BadHoliday, CalendarName, read_pattern
from .kinds import DEADLINE_KINDS, METHODS
from .models import DatedRow, DeadlineRule
from .rules import MAIL_METHODS, Effect, Kind, Roll

_CALENDARS = [(one.value, one.label) for one in CalendarName]
_KINDS = [(one.value, f"{one.unit.capitalize()}s") for one in Kind]
_ROLLS = [(one.value, one.label) for one in Roll]
_COUNTED_AS = [("", "Calendar days"), ("court", "Court days")]
_WHY = {"required": "Say why."}
_YEARS = f"{FIRST_DAY.year} to {LAST_DAY.year}"
_BAD_YEAR = f"Holidays are on file for {_YEARS}. Enter one of these years."
_BAD_TIME = "Enter the time as 17:30, or leave it empty."


class ConfirmForm(DatedForm):
    """State that a row was compared with the text of the law."""

    compared_with = LineField(
        label="Compared with",
        max_length=200,
        help_text="Which text, and as of when.",
        error_messages={"required": "Say with which text it was compared."},
    )
    on = KeyedDate(label="On", error_messages={"required": "Enter the day."})


class SeenRows(forms.MultipleChoiceField):
    """Selected rows, each with the version that the page showed: ``12-3`` is version 3 of row 12.

    The cleaned value maps ids to versions.
    """

    def clean(self, value: Any) -> Any:
        # The choices are the ids: a row that has a newer version by now is stale, not unknown.
        pairs = [str(one).partition("-")[::2] for one in value or []]
        ids = super().clean([row_id for row_id, _ in pairs])
        # A version that is malformed is taken as 0, which no row has.
        return {
            int(row_id): read_whole_number(seen) or 0
            for row_id, (_, seen) in zip(ids, pairs, strict=True)
        }


class ConfirmRowsForm(ConfirmForm):
    """State that several rows were compared with one text of the law."""

    rows = SeenRows(
        label="Selected rows",
        error_messages={
            "required": "Select at least one row.",
            "invalid_choice": "Select rows of this page.",
        },
    )

    def __init__(self, *args: Any, rows: Iterable[DatedRow], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["rows"]
        assert isinstance(field, SeenRows)  # noqa: S101
        field.choices = [(row.pk, str(row)) for row in rows]
        self.order_fields(["rows"])

    @property
    def selected(self) -> set[int]:
        """The ids of the selected rows, also on a form that is invalid."""
        values = self["rows"].value() or []
        ids = (read_whole_number(str(one).partition("-")[0]) for one in values)
        return {row_id for row_id in ids if row_id is not None}


class SupersedeForm(DatedForm):
    """A row that replaces another from a day on; fields that are not changed keep their values.

    A penalty has amounts in place of a length. What depends on the way of service has a field for
    each way; a way without days is not covered by the new row.
    """

    effective_from = KeyedDate(
        label="In force from", error_messages={"required": "Enter the first day."}
    )
    effective_to = KeyedDate(
        label="Last day",
        required=False,
        help_text="Leave empty to keep the last day of the replaced rule.",
    )
    length = forms.IntegerField(label="Length", min_value=1, max_value=999)
    kind = forms.ChoiceField(label="Unit", choices=_KINDS)
    calendar = forms.ChoiceField(
        label="Calendar", choices=[("", "None"), *_CALENDARS], required=False
    )
    roll = forms.ChoiceField(label="If the last day is closed", choices=_ROLLS)
    cutoff = forms.TimeField(
        label="Cut-off for faxes",
        required=False,
        widget=forms.TimeInput(format="%H:%M"),
        help_text="Pacific time. A fax that arrives later is received on the next open day.",
        error_messages={"invalid": _BAD_TIME},
    )
    outer_days = forms.IntegerField(
        label="Outer limit, days after the recommendation",
        required=False,
        min_value=1,
        max_value=999,
        help_text="Leave empty if there is no limit.",
    )
    usd_per_day = forms.IntegerField(
        label="Dollars for each day late",
        min_value=1,
        max_value=1_000_000,
        error_messages={"required": "Enter the amount."},
    )
    usd_limit = forms.IntegerField(
        label="At most, in dollars",
        required=False,
        min_value=1,
        max_value=100_000_000,
        help_text="Leave empty if there is no limit.",
    )
    defines_calendar = forms.BooleanField(label="The law defines which days count", required=False)
    extends_by_address = forms.BooleanField(
        label="By the address of the person served, for every way of service except in hand",
        required=False,
    )
    source = LineField(
        label="Source", max_length=200, error_messages={"required": "Name the source."}
    )
    note = LetterText(label="Note", max_length=1000, required=False)
    why = LetterText(label="Why it changes", max_length=500, error_messages=_WHY)

    def __init__(
        self, *args: Any, rule: DeadlineRule, reasons: dict[str, str], **options: Any
    ) -> None:
        """
        :param reasons: the labels of the reasons of holds, by their codes.
        """
        names = [*self.base_fields.keys() - {"effective_from", "effective_to", "why"}]
        initial = {name: getattr(rule, name) for name in names}
        if rule.lacks_amount:
            # The amount is valid from the first day; it was only not on file.
            initial["effective_from"] = rule.effective_from
        super().__init__(*args, initial=initial, **options)
        self.rule = rule
        for name in self._names_to_leave_out():
            del self.fields[name]
        self._by_method: list[str] = []
        self._deemed: list[str] = []
        self._extensions: dict[str, list[str]] = {}
        self._holds: dict[str, list[str]] = {}
        self._reasons = reasons
        self._add_lengths()
        self._add_extensions()
        self._add_holds()

    def _names_to_leave_out(self) -> set[str]:
        """Return the fields of which this rule has no use."""
        if self.rule.deadline_kind == "records_penalty":
            return {
                "length", "kind", "calendar", "roll", "cutoff", "outer_days", "defines_calendar",
                "extends_by_address",
            }  # fmt: skip
        facts = DEADLINE_KINDS[self.rule.deadline_kind].takes
        leave_out = {"usd_per_day", "usd_limit"}
        # Such a rule has a length for each way of service.
        if self.rule.length is None:
            leave_out.add("length")
        if not self.rule.extensions:
            leave_out.add("extends_by_address")
        # Only the request for authorization has these facts.
        if self.rule.cutoff is None and "concurrent" not in facts:
            leave_out.add("cutoff")
        if self.rule.outer_days is None and "recommended" not in facts:
            leave_out.add("outer_days")
        return leave_out

    def _add_lengths(self) -> None:
        """Add the lengths by way of service, and the days from posting to receipt."""
        for method, label in METHODS.items() if self.rule.length_by_method else ():
            self._by_method.append(f"length_{method}")
            self.fields[f"length_{method}"] = forms.IntegerField(
                label=f"Length, {label}",
                required=False,
                min_value=1,
                max_value=999,
                initial=self.rule.length_by_method.get(method),
            )
        for method, days in self.rule.deemed_received.items():
            self._deemed.append(f"deemed_{method}")
            self.fields[f"deemed_{method}"] = forms.IntegerField(
                label=f"Received, {METHODS[method]}, days after posting",
                required=False,
                min_value=1,
                max_value=99,
                initial=days,
            )

    def _add_extensions(self) -> None:
        """Add the days for each way of service."""
        for method, label in METHODS.items() if self.rule.extensions else ():
            old = self.rule.extensions.get(method, {})
            added = {
                f"extension_{method}": forms.IntegerField(
                    label=f"More days, {label}",
                    required=False,
                    min_value=0,
                    max_value=366,
                    initial=old.get("days"),
                ),
                f"extension_unit_{method}": forms.ChoiceField(
                    label="Counted as",
                    required=False,
                    choices=_COUNTED_AS,
                    initial="court" if old.get("court_days") else "",
                ),
                f"extension_source_{method}": LineField(
                    label="Source of these days",
                    required=False,
                    max_length=200,
                    initial=old.get("source", ""),
                ),
                f"extension_disputed_{method}": forms.BooleanField(
                    label="It is disputed whether the law adds them",
                    required=False,
                    initial=old.get("disputed", False),
                ),
            }
            self._extensions[method] = list(added)
            self.fields |= added

    def _add_holds(self) -> None:
        """Add the limit and the source of each reason that moves the legal date."""
        for reason, hold in self.rule.legal_holds.items():
            label = self._reasons.get(reason, reason)
            added: dict[str, forms.Field] = {}
            if hold["effect"] == Effect.EXTENDS:
                added[f"hold_days_{reason}"] = forms.IntegerField(
                    label=f"At most days, {label}",
                    required=False,
                    min_value=1,
                    max_value=999,
                    initial=hold.get("max_days"),
                    help_text="Leave empty if there is no limit.",
                )
            added[f"hold_source_{reason}"] = LineField(
                label=f"Source, {label}",
                max_length=200,
                initial=hold["source"],
                error_messages={"required": "Name the source."},
            )
            self._holds[reason] = list(added)
            self.fields |= added

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        if self.rule.deadline_kind == "records_penalty":
            return entered
        kind, roll = entered.get("kind"), entered.get("roll")
        if kind == Kind.HOURS and roll == Roll.FORWARD:
            self.add_error("roll", "A deadline in hours never moves to another day.")
        elif (kind in (Kind.WORKING, Kind.BUSINESS) or roll == Roll.FORWARD) and not entered.get(
            "calendar"
        ):
            self.add_error("calendar", "Choose the calendar of the open days.")
        # Fields with an error of their own are missing here.
        if self._by_method and all(entered.get(name, 0) is None for name in self._by_method):
            self.add_error(self._by_method[0], "Enter the length for at least one way of service.")
        if entered.get("extends_by_address"):
            for method in ("in_hand", *MAIL_METHODS.values()):
                if entered.get(f"extension_{method}", 0) is None:
                    self.add_error(
                        f"extension_{method}",
                        "Enter the days, because they depend on the address.",
                    )
        return entered

    # --- for the page ---

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """The days in force and the length."""
        names = [
            "effective_from", "effective_to", "length", *self._by_method, "kind", "calendar",
            "roll", *self._deemed, "cutoff", "outer_days", "usd_per_day", "usd_limit",
            "defines_calendar",
        ]  # fmt: skip
        return [self[name] for name in names if name in self.fields]

    @property
    def extension_groups(self) -> list[list[forms.BoundField]]:
        """The fields of each way of service."""
        return [[self[name] for name in names] for names in self._extensions.values()]

    @property
    def hold_groups(self) -> list[list[forms.BoundField]]:
        """The fields of each reason that moves the legal date."""
        return [[self[name] for name in names] for names in self._holds.values()]

    @property
    def shows_extensions(self) -> bool:
        """Whether a field about the way of service was changed or has an error."""
        names = [name for group in self._extensions.values() for name in group]
        return self._needs_attention([*names, "extends_by_address"])

    @property
    def shows_holds(self) -> bool:
        """Whether a field about holds was changed or has an error."""
        return self._needs_attention([name for group in self._holds.values() for name in group])

    @property
    def last_fields(self) -> list[forms.BoundField]:
        """Where the new row comes from."""
        return [self[name] for name in ("source", "note", "why")]

    def _needs_attention(self, names: Iterable[str]) -> bool:
        return bool(self.is_bound and {*names} & ({*self.errors} | {*self.changed_data}))

    # --- for the service ---

    def terms(self) -> dict[str, Any]:
        """Return the columns of the new row. Call it on a valid form."""
        entered = self.cleaned_data
        plain = (
            "length", "kind", "calendar", "roll", "cutoff", "outer_days", "usd_per_day",
            "usd_limit", "defines_calendar", "extends_by_address", "source", "note",
        )  # fmt: skip
        terms = {name: entered[name] for name in plain if name in entered}
        if self._by_method:
            terms["length_by_method"] = self._days_by_method("length_", self._by_method)
        if self._deemed:
            terms["deemed_received"] = self._days_by_method("deemed_", self._deemed)
        if self._extensions:
            terms["extensions"] = {
                method: {
                    "days": entered[f"extension_{method}"],
                    "source": entered[f"extension_source_{method}"],
                    "court_days": entered[f"extension_unit_{method}"] == "court",
                    "disputed": entered[f"extension_disputed_{method}"],
                }
                for method in self._extensions
                if entered[f"extension_{method}"] is not None
            }
        if self._holds:
            terms["legal_holds"] = {
                reason: hold
                | {"source": entered[f"hold_source_{reason}"]}
                | (
                    {"max_days": entered[f"hold_days_{reason}"]}
                    if f"hold_days_{reason}" in entered
                    else {}
                )
                for reason, hold in self.rule.legal_holds.items()
            }
        return terms

    def _days_by_method(self, prefix: str, names: Iterable[str]) -> dict[str, int]:
        return {
            name.removeprefix(prefix): self.cleaned_data[name]
            for name in names
            if self.cleaned_data[name] is not None
        }


class HolidayYearForm(forms.Form):
    """Which year and which calendar the page of holidays shows."""

    year = forms.IntegerField(
        label="Year",
        widget=forms.NumberInput(attrs={"min": FIRST_DAY.year, "max": LAST_DAY.year}),
        error_messages={"required": _BAD_YEAR, "invalid": _BAD_YEAR},
    )
    calendar = forms.ChoiceField(choices=_CALENDARS, widget=forms.HiddenInput)

    def clean_year(self) -> int:
        """Return the year, if holidays are on file for it."""
        year: int = self.cleaned_data["year"]
        if not FIRST_DAY.year <= year <= LAST_DAY.year:
            raise forms.ValidationError(_BAD_YEAR)
        return year


class HolidayForm(DatedForm):
    """A holiday that is added to one calendar from a day on."""

    calendar = forms.ChoiceField(label="Calendar", choices=_CALENDARS)
    name = LineField(
        label="Name", max_length=80, error_messages={"required": "Enter the name of the holiday."}
    )
    pattern = LetterText(
        label="When it falls",
        max_length=2000,
        widget=forms.TextInput,
        help_text="12-25 (month and day), 3 MON 01 (third Monday of January), LAST MON 05, "
        "4 THU 11 +1 (the day after a Thursday), or dates such as 01/09/2025.",
        error_messages={"required": "Enter when the holiday falls."},
    )
    effective_from = KeyedDate(
        label="In force from", error_messages={"required": "Enter the first day."}
    )
    effective_to = KeyedDate(
        label="Last day", required=False, help_text="Leave empty if there is no last day."
    )
    source = LineField(
        label="Source", max_length=200, error_messages={"required": "Name the source."}
    )
    sunday_moves_to_monday = forms.BooleanField(
        label="On a Sunday, it is observed on the Monday after", required=False
    )
    saturday_moves_to_friday = forms.BooleanField(
        label="On a Saturday, it is observed on the Friday before", required=False
    )
    note = LetterText(label="Note", max_length=1000, required=False)
    why = LetterText(label="Why it is added", max_length=500, error_messages=_WHY)

    def clean_pattern(self) -> str:
        """Return the pattern as the calendars read it; dates may be typed as on paper."""
        normalized: str = self.cleaned_data["pattern"].upper().replace(",", " ").replace(";", " ")
        pattern = " ".join(
            f"{found[3]}-{found[1]:0>2}-{found[2]:0>2}"
            if (found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", word))
            else word
            for word in normalized.split()
        )
        try:
            read_pattern(pattern)
        except BadHoliday as problem:
            raise forms.ValidationError(str(problem)) from problem
        return pattern

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        first, last = entered.get("effective_from"), entered.get("effective_to")
        if first and last and last < first:
            self.add_error("effective_to", "This is before the first day.")
        for name in ("effective_from", "effective_to"):
            if (day := entered.get(name)) and not FIRST_DAY <= day <= LAST_DAY:
                self.add_error(name, f"Holidays are on file for {_YEARS}. Check the year.")
        return entered


class EndHolidayForm(DatedForm):
    """The last day on which a holiday may fall."""

    effective_to = KeyedDate(
        label="Last day",
        help_text="The last day on which it may fall.",
        error_messages={"required": "Enter the last day."},
    )
    why = LetterText(label="Why it ends", max_length=500, error_messages=_WHY)


class RecountForm(forms.Form):
    """The reason for recalculating the active deadlines."""

    why = LetterText(label="Why", max_length=500, error_messages=_WHY)
