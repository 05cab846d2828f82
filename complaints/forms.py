"""Forms of complaints: record one, answer it, corrective actions, and the filter of the list."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings

from accounts.models import User
from accounts.names import name_actor
from form_fields.fields import DatedForm, KeyedDate, LineField

from .models import Complaint
from .overview import list_people_responsible
from .services import ComplaintValues

_IN_FUTURE = "This day is in the future."
# Typed or pasted from what the party wrote, and printed by no letter.
_TEXT: dict[str, Any] = {"max_length": 4000, "widget": forms.Textarea(attrs={"rows": 6})}


def _choose(choices: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [("", "Choose"), *choices]


class ComplaintForm(DatedForm):
    """A complaint as it is recorded."""

    received_on = KeyedDate(
        label="Received",
        starts_today=True,
        error_messages={"required": "Enter the day on which the complaint was received."},
    )
    channel = forms.ChoiceField(
        label="Received by",
        choices=_choose(Complaint.Channel.choices),
        error_messages={"required": "Choose how the complaint was received."},
    )
    party_kind = forms.ChoiceField(
        label="From",
        choices=_choose(Complaint.PartyKind.choices),
        error_messages={"required": "Choose who complained."},
    )
    party_name = LineField(label="Name", max_length=120, required=False)
    category = forms.ChoiceField(
        label="Category",
        choices=_choose(Complaint.Category.choices),
        error_messages={"required": "Choose what the complaint is about."},
    )
    case_number = LineField(
        label="Case",
        max_length=20,
        required=False,
        help_text="Leave it empty if the complaint is about no case.",
    )
    text = LineField(
        label="Complaint", error_messages={"required": "Enter the complaint."}, **_TEXT
    )
    answer_due_on = KeyedDate(label="Answer due", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["answer_due_on"].help_text = (
            f"Leave it empty for {settings.COMPLAINT_ANSWER_DAYS} days after receipt, "
            "or enter an earlier day."
        )

    @staticmethod
    def initial_from(complaint: Complaint) -> dict[str, Any]:
        """Return the recorded values, for the form that changes them."""
        names = ("received_on", "channel", "party_kind", "party_name", "category", "text")
        values = {name: getattr(complaint, name) for name in names}
        values["answer_due_on"] = complaint.answer_due_on
        return values | {"case_number": complaint.case.number if complaint.case else ""}

    def values(self) -> ComplaintValues:
        """Return what was entered. Call it on a valid form."""
        return ComplaintValues(**self.cleaned_data)


class AnswerForm(DatedForm):
    """The answer to a complaint."""

    answer = LineField(label="Answer", error_messages={"required": "Enter the answer."}, **_TEXT)
    answered_on = KeyedDate(
        label="Answered",
        starts_today=True,
        error_messages={"required": "Enter the day of the answer."},
    )


class CorrectiveActionForm(DatedForm):
    """A corrective action: what, by whom, until when."""

    description = LineField(
        label="Action",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Enter what is to be done."},
    )
    responsible = forms.ChoiceField(
        label="Responsible",
        error_messages={
            "required": "Choose who is responsible.",
            "invalid_choice": "Choose who is responsible.",
        },
    )
    due_on = KeyedDate(
        label="Due", error_messages={"required": "Enter the day by which it is done."}
    )

    def __init__(self, *args: Any, reader: User, today: date, **options: Any) -> None:
        super().__init__(*args, today=today, **options)
        people = [
            (str(person.pk), name_actor(person, reader=reader))
            for person in list_people_responsible(reader)
        ]
        self.fields["responsible"].choices = _choose(people)  # type: ignore[attr-defined]


class DoneForm(DatedForm):
    """That a corrective action was done."""

    note = LineField(
        label="What was done", max_length=500, error_messages={"required": "Enter what was done."}
    )
    done_on = KeyedDate(
        label="Done",
        starts_today=True,
        error_messages={"required": "Enter the day on which it was done."},
    )


class ComplaintFilterForm(DatedForm):
    """Filters of the list, kept in the address. Invalid fields do not filter."""

    state = forms.ChoiceField(
        label="State", choices=[("", "All"), *Complaint.State.choices], required=False
    )
    category = forms.ChoiceField(
        label="Category", choices=[("", "All"), *Complaint.Category.choices], required=False
    )
    first_day = KeyedDate(label="Received from", required=False)
    last_day = KeyedDate(label="to", required=False)

    def clean(self) -> None:
        self.refuse_reversed_period("first_day", "last_day")

    def conditions(self) -> dict[str, Any]:
        """Return what was entered, as conditions of a query. Call it after ``is_valid``."""
        columns = {
            "state": "state",
            "category": "category",
            "first_day": "received_on__gte",
            "last_day": "received_on__lte",
        }
        entered = self.cleaned_data
        return {column: entered[name] for name, column in columns.items() if entered.get(name)}
