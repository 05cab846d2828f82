"""Form fields for text and dates keyed from paper, shared by all apps."""

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.urls import reverse_lazy

from letters.glyphs import find_unprintable, normalize_text

from .dates import Injury, NotADate, read_date, read_injury

TOO_LONG = "This is %(show_value)d characters long. Shorten it to %(limit_value)d."


def clean_letter_text(text: str) -> str:
    """Return text that letters can print, without leftovers of word processors.

    :raises ValidationError: naming each character that letters cannot print.
    """
    clean, _ = normalize_text(text)
    characters = find_unprintable(clean)
    if characters:
        names = ", ".join(sorted({glyph.name for glyph in characters}))
        raise forms.ValidationError(
            f"A printed letter cannot contain {names}. Replace it with words or a plain character."
        )
    return clean


class LetterText(forms.CharField):
    """A text keyed from paper, which letters may print.

    :param in_letters: whether one does. Otherwise it may have any character, and only the leftovers
        of word processors are removed.
    """

    def __init__(self, *, max_length: int = 200, in_letters: bool = True, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.in_letters = in_letters
        self.error_messages["max_length"] = TOO_LONG

    def clean(self, value: Any) -> str:
        # Far too long a text is refused before it is normalized, which would take time.
        if value and len(value) > 10 * (self.max_length or 0) + 1000:
            raise forms.ValidationError(
                f"This is {len(value):,} characters long. Shorten it to {self.max_length}."
            )
        # Normalized before the length is checked, because this is the text that is stored.
        text: str = super().clean(normalize_text(value)[0] if value else value)
        return clean_letter_text(text) if self.in_letters else text


class LineField(forms.CharField):
    """A line of text, limited to the length of its column.

    :param in_letters: letters print it, so only characters that letters can print are accepted.
    """

    def __init__(self, *, max_length: int = 120, in_letters: bool = False, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.in_letters = in_letters
        self.error_messages["max_length"] = TOO_LONG
        self.error_messages["null_characters_not_allowed"] = (
            "This contains characters that cannot be stored. Type it again."
        )

    def clean(self, value: Any) -> str:
        # A line that no letter prints may contain any character.
        text: str = super().clean(value)
        return clean_letter_text(text) if self.in_letters else text


def read_quantity(keyed: str) -> Decimal:
    """Read a quantity as papers print it: 12, 1,200, 2.5, ½, 1 ½, 1/2.

    :raises ValueError: it is no number. “1,5” is none, because it may mean 1.5 or 15.
    """
    # “1½” is one and a half; NFKC alone would read it as 11/2.
    text = unicodedata.normalize("NFKC", re.sub(r"(\d)([¼-¾⅐-⅞])", r"\1 \2", keyed.strip()))
    match = re.fullmatch(r"(?:(\d{1,5}) +)?(\d{1,3})[/⁄](\d{1,3})", text, re.ASCII)
    if match and int(match[3]):
        return Decimal(match[1] or 0) + Decimal(match[2]) / Decimal(match[3])
    if not re.fullmatch(r"-?\d*\.?\d*|\d{1,3}(,\d{3})+(\.\d*)?", text, re.ASCII):
        raise ValueError(keyed)
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise ValueError(keyed) from error


class KeyedQuantity(forms.DecimalField):
    """A quantity as papers print it; see ``read_quantity``."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            try:
                value = read_quantity(value)
            except ValueError:
                raise forms.ValidationError(
                    self.error_messages["invalid"], code="invalid"
                ) from None
        return super().to_python(value)


_READ_DATE = reverse_lazy("form_fields:say_date")


class KeyedDate(forms.CharField):
    """A date as clerks key it: 9/20/24, 092024, 0920, Sep 20, 2024, t for today.

    :param starts_today: an empty form shows today, for what is nearly always entered on its day.
    """

    def __init__(self, *, starts_today: bool = False, **options: Any) -> None:
        self.starts_today = starts_today
        options.setdefault(
            "widget", forms.TextInput(attrs={"data-reads": _READ_DATE, "autocomplete": "off"})
        )
        super().__init__(max_length=40, **options)
        self.today = date.max  # set by DatedForm

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%m/%d/%Y}" if isinstance(value, date) else value

    def clean(self, value: Any) -> Any:
        """Return what ``read`` returns; ``None`` if nothing was keyed."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return self.read(text)
        except NotADate as error:
            raise forms.ValidationError(str(error)) from error

    def read(self, text: str) -> Any:
        """Read what was keyed. :raises NotADate: with a sentence for the clerk."""
        return read_date(text, today=self.today)


class KeyedInjury(KeyedDate):
    """A date of injury as clerks key it: a day, or the period of a cumulative injury.

    Its forms split the value with ``split_injury``.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "A cumulative trauma: 010509-031214")
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, Injury) else super().prepare_value(value)

    def read(self, text: str) -> Any:
        return read_injury(text, today=self.today)


def split_injury(values: dict[str, Any]) -> dict[str, Any]:
    """Replace the keyed date of injury among the values of a form by its two days.

    ``date_of_injury`` is then the day or the first day, and ``injury_last_day`` the last day of a
    cumulative injury, both ``None`` if not stated.
    """
    injury = values.get("date_of_injury")
    if isinstance(injury, Injury):
        return values | {"date_of_injury": injury.day, "injury_last_day": injury.last_day}
    return values | {"injury_last_day": values.get("injury_last_day")}


class StatedAnswer(forms.TypedChoiceField):
    """What a document says: yes, no, or nothing (``None``), which is never guessed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[("", "Not stated"), ("yes", "Yes"), ("no", "No")],
            coerce=lambda answer: answer == "yes",
            empty_value=None,
            required=False,
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        """Return a stored answer as the value of its choice."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value


ENDS_BEFORE = "The period ends before it begins. Check both dates."


class DatedForm(forms.Form):
    """A form that knows the current day, which the view passes in."""

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today
        for field in self.fields.values():
            if isinstance(field, KeyedDate):
                field.today = today
                if field.starts_today and field.initial is None:
                    field.initial = today

    def refuse_reversed_period(self, first: str, last: str) -> None:
        """Put an error beside the second of two days if it is before the first."""
        begin, end = self.cleaned_data.get(first), self.cleaned_data.get(last)
        if begin and end and end < begin:
            self.add_error(last, ENDS_BEFORE)
