"""Forms for reading the UR decision and for answering differences from the application."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from cases.models import DisputedItem
from eligibility.models import DifferenceAnswer, URReading
from eligibility.services.ur_decision import DecisionReading, ListedDifference
from form_fields.fields import DatedForm, PaperDate, PaperText, StatedAnswer


class URDecisionForm(DatedForm):
    """The UR decision as printed: the employee, the claim, the items and their outcomes."""

    employee = PaperText(label="Employee, as printed", max_length=300, required=False)
    claim_number = PaperText(label="Claim number", max_length=60, required=False)
    date_of_injury = PaperDate(label="Date of injury", required=False)
    treatments = PaperText(
        label="Treatments decided, one per line",
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, items: Sequence[DisputedItem], **options: Any) -> None:
        super().__init__(*args, **options)
        self.items = list(items)
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

    def item_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The two fields of each item: the UR outcome, and whether it is called experimental."""
        return [
            (self[f"outcome_{item.pk}"], self[f"experimental_{item.pk}"]) for item in self.items
        ]

    def as_read(self) -> DecisionReading:
        """The typed reading as input for the service. Call this on a valid form."""
        said = self.cleaned_data
        return DecisionReading(
            employee=said["employee"],
            claim_number=said["claim_number"],
            date_of_injury=said["date_of_injury"],
            date_of_injury_printed=self.data.get("date_of_injury", "").strip()[:60],
            items=said["treatments"].splitlines(),
        )

    def outcomes(self) -> dict[int, str]:
        return {item.pk: self.cleaned_data[f"outcome_{item.pk}"] for item in self.items}

    def experimental(self) -> dict[int, bool | None]:
        return {item.pk: self.cleaned_data[f"experimental_{item.pk}"] for item in self.items}

    @classmethod
    def initial_from(cls, reading: URReading | None) -> dict[str, Any]:
        """The initial values, from the reading on file.

        Nothing is copied from the application; otherwise the comparison would find no differences.
        """
        if reading is None:
            return {}
        return {
            "employee": reading.employee,
            "claim_number": reading.claim_number,
            "date_of_injury": reading.date_of_injury,
            "treatments": "\n".join(reading.items),
        }


class DifferencesForm(forms.Form):
    """The answers to the differences between the application and the UR decision."""

    def __init__(
        self, data: QueryDict | None = None, *, listed: Sequence[ListedDifference]
    ) -> None:
        super().__init__(data)
        self.listed = {one.difference.key: one for one in listed}
        for key, one in self.listed.items():
            self.fields[f"answer_{key}"] = forms.ChoiceField(
                label="Answer",
                choices=[("", "Not answered"), *DifferenceAnswer.Answer.choices],
                required=False,
                initial=one.answer.answer if one.answer else "",
            )
            self.fields[f"note_{key}"] = PaperText(
                label="Note",
                max_length=300,
                required=False,
                initial=one.answer.note if one.answer else "",
            )

    def rows(self) -> list[tuple[ListedDifference, forms.BoundField, forms.BoundField]]:
        """Each difference with its two form fields, for the page."""
        return [
            (one, self[f"answer_{key}"], self[f"note_{key}"]) for key, one in self.listed.items()
        ]

    def answers(self) -> dict[str, str]:
        said = {key: self.cleaned_data[f"answer_{key}"] for key in self.listed}
        # A choice left empty keeps the difference as it is; it does not remove an answer.
        return {key: answer for key, answer in said.items() if answer}

    def notes(self) -> dict[str, str]:
        return {key: self.cleaned_data[f"note_{key}"] for key in self.listed}
