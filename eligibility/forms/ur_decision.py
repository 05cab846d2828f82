"""Forms for reading the UR decision and for answering differences from the application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from cases.models import DisputedItem, RFAMethod, URDecision
from deadlines.facts import read_moment
from deadlines.kinds import BadDeadlineFact
from eligibility.models import DifferenceAnswer, URReading
from eligibility.services.ur_decision import (
    DecisionReading,
    KeyedDecision,
    ListedDifference,
    RFAReceipt,
)
from form_fields.dates import print_injury
from form_fields.fields import DatedForm, KeyedInjury, LetterText, StatedAnswer, split_injury


class URDecisionForm(DatedForm):
    """The UR decision as printed: the employee, the claim, the items and their outcomes."""

    employee = LetterText(label="Employee, as printed", max_length=300, required=False)
    claim_number = LetterText(label="Claim number", max_length=60, required=False)
    date_of_injury = KeyedInjury(label="Date of injury", required=False)
    treatments = LetterText(
        label="Treatments decided, one per line",
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    rfa_time = forms.TimeField(
        label="Time, Pacific",
        required=False,
        input_formats=["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p"],
        widget=forms.TimeInput(format="%H:%M", attrs={"autocomplete": "off"}),
        error_messages={"invalid": "Enter the time as 17:31 or 5:31 PM, or leave it empty."},
    )
    rfa_method = forms.ChoiceField(
        label="Received by", choices=[("", "Not stated"), *RFAMethod.choices], required=False
    )
    is_concurrent = StatedAnswer(label="Concurrent review?")

    def __init__(
        self,
        *args: Any,
        items: Sequence[DisputedItem],
        ur_decision: URDecision | None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.ur_decision = ur_decision
        self.items = list(items)
        self.fields["outcome_of_all"] = forms.ChoiceField(
            label="UR decision, same for all items",
            choices=[("", "Choose for all"), *DisputedItem.UROutcome.choices],
            required=False,
        )
        for item in self.items:
            self.fields[f"outcome_{item.pk}"] = forms.ChoiceField(
                label=f"{item.position}. {item.title}",
                choices=[("", "Not entered yet"), *DisputedItem.UROutcome.choices],
                required=False,
                initial=item.ur_outcome,
            )
            self.fields[f"experimental_{item.pk}"] = StatedAnswer(
                label=f"Item {item.position}: called experimental or investigational?",
                initial=item.is_experimental,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        hour, requested_on = (
            cleaned.get("rfa_time"),
            getattr(self.ur_decision, "requested_on", None),
        )
        if hour is None:
            return cleaned
        if requested_on is None:
            self.add_error("rfa_time", "Enter the RFA date first: correct the application.")
            return cleaned
        try:
            read_moment("rfa", datetime.combine(requested_on, hour))
        except BadDeadlineFact:
            self.add_error(
                "rfa_time",
                "This time did not exist on that day: the clocks were set forward. Check the RFA.",
            )
        if not cleaned.get("rfa_method"):
            self.add_error("rfa_method", "Choose how the RFA was received, or remove the time.")
        return cleaned

    def rfa(self) -> RFAReceipt:
        """Return the receipt of the RFA, as input for the service. Call this on a valid form."""
        return RFAReceipt(
            hour=self.cleaned_data["rfa_time"],
            method=self.cleaned_data["rfa_method"],
            is_concurrent=self.cleaned_data["is_concurrent"],
        )

    def item_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the two fields of each item: the UR outcome, and if it is called experimental."""
        return [
            (self[f"outcome_{item.pk}"], self[f"experimental_{item.pk}"]) for item in self.items
        ]

    def as_read(self) -> DecisionReading:
        """Return the typed reading as input for the service. Call this on a valid form."""
        data = split_injury(self.cleaned_data)
        return DecisionReading(
            employee=data["employee"],
            claim_number=data["claim_number"],
            date_of_injury=data["date_of_injury"],
            injury_last_day=data["injury_last_day"],
            date_of_injury_printed=self.data.get("date_of_injury", "").strip()[:60],
            items=data["treatments"].splitlines(),
        )

    def outcomes(self) -> dict[int, str]:
        """Return the outcome of each item; items without one take the outcome for all."""
        every = self.cleaned_data["outcome_of_all"]
        return {item.pk: self.cleaned_data[f"outcome_{item.pk}"] or every for item in self.items}

    def experimental(self) -> dict[int, bool | None]:
        return {item.pk: self.cleaned_data[f"experimental_{item.pk}"] for item in self.items}

    def keyed(self) -> KeyedDecision:
        """Return everything that was keyed, as input for the service. Call this on a valid form."""
        return KeyedDecision(self.as_read(), self.outcomes(), self.experimental(), self.rfa())

    @classmethod
    def initial_from(
        cls, reading: URReading | None, ur_decision: URDecision | None
    ) -> dict[str, Any]:
        """Return the initial values, from the reading on file and from the receipt of the RFA.

        Nothing is copied from the application; otherwise the comparison would find no differences.
        """
        names = ("rfa_time", "rfa_method", "is_concurrent")
        rfa = {name: getattr(ur_decision, name, None) for name in names}
        if reading is None:
            return rfa
        return rfa | {
            "employee": reading.employee,
            "claim_number": reading.claim_number,
            "date_of_injury": print_injury(reading.date_of_injury, reading.injury_last_day),
            "treatments": "\n".join(reading.items),
        }


class DifferencesForm(forms.Form):
    """The answers to the differences between the application and the UR decision."""

    def __init__(self, *args: Any, listed: Sequence[ListedDifference], **options: Any) -> None:
        super().__init__(*args, **options)
        self.list_differences(listed)

    def list_differences(self, listed: Sequence[ListedDifference]) -> None:
        """Show these differences, each with its two fields."""
        self.listed = {one.difference.key: one for one in listed}
        for key, one in self.listed.items():
            self.fields[f"answer_{key}"] = forms.ChoiceField(
                label="Answer",
                choices=[("", "Not answered"), *DifferenceAnswer.Answer.choices],
                required=False,
                initial=one.answer.answer if one.answer else "",
            )
            self.fields[f"note_{key}"] = LetterText(
                label="Note",
                max_length=300,
                required=False,
                initial=one.answer.note if one.answer else "",
            )

    def difference_rows(self) -> list[tuple[ListedDifference, forms.BoundField, forms.BoundField]]:
        """Return each difference with its two form fields, for the page."""
        return [
            (one, self[f"answer_{key}"], self[f"note_{key}"]) for key, one in self.listed.items()
        ]

    def difference_answers(self) -> dict[str, str]:
        answers = {key: self.cleaned_data[f"answer_{key}"] for key in self.listed}
        # A choice left empty keeps the difference as it is; it does not remove an answer.
        return {key: answer for key, answer in answers.items() if answer}

    def difference_notes(self) -> dict[str, str]:
        return {key: self.cleaned_data[f"note_{key}"] for key in self.listed}
