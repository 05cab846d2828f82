"""The forms of the filters of the timeline and of the access log."""

from typing import Any

from django import forms

from accounts.models import User
from cases.models import Event
from form_fields.fields import DatedForm, KeyedDate

from .access_log import SUBJECTS, AccessFilter, list_people
from .timeline import Filters


class TimelineForm(DatedForm):
    """Filters of the timeline, kept in the address. Invalid fields do not filter."""

    kind = forms.ChoiceField(
        label="Kind of event", choices=[("", "All events"), *Event.Kind.choices], required=False
    )
    person = forms.CharField(label="By whom", max_length=20, required=False)
    first_day = KeyedDate(label="From", required=False)
    last_day = KeyedDate(label="To", required=False)

    def clean(self) -> None:
        self.refuse_reversed_period("first_day", "last_day")

    def filters(self, people: list[tuple[str, str]]) -> Filters:
        """Return the filters that were entered. Call it after ``is_valid``.

        Invalid fields do not filter; the page shows their errors.
        """
        entered = self.cleaned_data
        # Only those who acted on this case: an id in the address must not reveal a reviewer.
        person_keys = {value for value, _ in people}
        return Filters(
            kind=entered.get("kind", ""),
            person=entered.get("person", "") if entered.get("person") in person_keys else "",
            first_day=entered.get("first_day"),
            last_day=entered.get("last_day"),
        )


class AccessLogForm(DatedForm):
    """Filters of the access log, kept in the address. Invalid fields do not filter."""

    subject = forms.ChoiceField(
        label="What", choices=[("", "Everything"), *SUBJECTS.items()], required=False
    )
    number = forms.CharField(
        label="Case",
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"size": 14, "placeholder": "CM26-…"}),
    )
    first_day = KeyedDate(label="From", required=False)
    last_day = KeyedDate(label="To", required=False)
    refused = forms.BooleanField(label="Refusals only", required=False)

    def __init__(self, *args: Any, reader: User, **options: Any) -> None:
        super().__init__(*args, **options)
        # Only names that the reader may know: an id in the address must not reveal a reviewer.
        people = forms.ChoiceField(
            label="Person", choices=[("", "Everyone"), *list_people(reader)], required=False
        )
        self.fields["person"] = people

    def clean(self) -> None:
        self.refuse_reversed_period("first_day", "last_day")

    def filters(self) -> AccessFilter:
        """The filters that were entered. Call it after ``is_valid``.

        Invalid fields do not filter; the page shows their errors.
        """
        entered = self.cleaned_data
        return AccessFilter(
            person=entered.get("person", ""),
            subject=entered.get("subject", ""),
            number=entered.get("number", "").strip().upper(),
            first_day=entered.get("first_day"),
            last_day=entered.get("last_day"),
            refused=entered.get("refused", False),
        )
