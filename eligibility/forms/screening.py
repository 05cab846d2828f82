"""Forms of the eligibility review: the six facts, and the sources that the UR decision cites."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from cases.models import DisputedItem
from eligibility.answers import AS_READ, Answer, EligibilityFact
from eligibility.rules import (
    CODES,
    ITEM_FACTS,
    LETTER_SENTENCES,
    EligibilityProposal,
    EligibilityVerdict,
)
from eligibility.services.findings import EligibilityAnswers, ItemAnswers, list_contradictions
from eligibility.services.ur_decision import KeyedDecision, ListedDifference
from form_fields.fields import LetterText
from guidelines.citations import Citation

from .ur_decision import DifferencesForm, URDecisionForm


@dataclass(frozen=True)
class FactRow:
    """One fact on the page: its form fields and the verdicts of the rules."""

    fact: forms.BoundField
    note: forms.BoundField
    reason: forms.BoundField | None
    other_case: forms.BoundField | None
    proposed: str
    proposes_no: bool
    verdicts: list[EligibilityVerdict]

    @property
    def has_errors(self) -> bool:
        fields = (self.fact, self.note, self.reason, self.other_case)
        return any(one is not None and one.errors for one in fields)


@dataclass(frozen=True)
class ItemRow:
    """One disputed item on the page: its form fields and the verdicts of the rules.

    :ivar scope: the answer to NECESSITY that holds for the whole application, from its dates.
    :ivar read: the answer to NECESSITY that follows from the UR outcome on file.
    """

    item: DisputedItem
    outcome: forms.BoundField
    experimental: forms.BoundField
    scope: str
    read: str
    proposes_no: bool
    necessity: forms.BoundField
    not_decided: forms.BoundField
    reason: forms.BoundField
    other_case: forms.BoundField
    note: forms.BoundField
    verdicts: list[EligibilityVerdict]

    @property
    def has_errors(self) -> bool:
        fields = (
            *(self.outcome, self.experimental, self.necessity, self.not_decided),
            *(self.reason, self.other_case, self.note),
        )
        return any(one.errors for one in fields)


class EligibilityForm(DifferencesForm, URDecisionForm):
    """The six facts, with notes and different answers for single items, beside the UR decision.

    What is keyed from the UR decision answers the fact of medical necessity. The answers that the
    rules propose are preselected. Nothing is decided until a person submits the form.
    """

    def __init__(
        self,
        *args: Any,
        items: Sequence[DisputedItem] = (),
        proposal: EligibilityProposal,
        **options: Any,
    ) -> None:
        super().__init__(*args, items=items, **options)
        self.proposal = proposal
        if len(items) == 1:
            # As for all items of an application that has several.
            self.fields[f"outcome_{items[0].pk}"].widget.attrs |= {
                "data-key": "u",
                "data-key-label": "UR decision",
            }
        for number, fact in enumerate(EligibilityFact, start=1):
            self.fields[fact.value] = forms.ChoiceField(
                label=fact.label,
                choices=Answer.choices,
                widget=forms.RadioSelect,
                initial=proposal.answers[fact.value],
                error_messages={"required": "Answer Yes, No or Unknown."},
            )
            self.fields[f"note_{fact.value}"] = LetterText(
                label=f"Note on fact {number}", max_length=1000, required=False
            )
            # If there is only one reason code, there is nothing to choose.
            if len(CODES[fact.value]) > 1:
                self.fields[f"reason_{fact.value}"] = _reason_field(CODES[fact.value])
        if self.items:
            necessity = self.fields[EligibilityFact.NECESSITY.value]
            assert isinstance(necessity, forms.ChoiceField)  # noqa: S101 - for the type checker
            necessity.choices = [*Answer.choices, (AS_READ, "As read, item by item")]
            necessity.initial = AS_READ
        self.fields["other_NOT_DECIDED"] = LetterText(
            label="Other case", max_length=20, required=False
        )
        for item in self.items:
            self._add_item(item)

    def _add_item(self, item: DisputedItem) -> None:
        for fact, name in _ITEM_FIELDS.items():
            own = self.proposal.item_answers.get(item.position, {}).get(fact, "")
            self.fields[f"{name}_{item.pk}"] = forms.ChoiceField(
                label=_ITEM_LABELS[fact],
                choices=[("", _AS_WHOLE[fact]), *Answer.choices],
                required=False,
                # Only an answer that differs from the application's own is preselected. That to
                # NECESSITY follows from the UR decision.
                initial=""
                if fact == EligibilityFact.NECESSITY or own == self.proposal.answers[fact]
                else own,
            )
        codes = [code for fact in ITEM_FACTS for code in CODES[fact]]
        self.fields[f"reason_{item.pk}"] = _reason_field(codes)
        at = item.position
        self.fields[f"other_{item.pk}"] = LetterText(
            label=f"Other case, item {at}", max_length=20, required=False
        )
        self.fields[f"note_{item.pk}"] = LetterText(
            label=f"Note on item {at}", max_length=300, required=False
        )

    def renew(self, *, proposal: EligibilityProposal, listed: Sequence[ListedDifference]) -> None:
        """Show what follows from a UR decision that was recorded although the action was refused.

        What was typed stays.
        """
        self.proposal = proposal
        self.list_differences(listed)

    @property
    def has_reading_errors(self) -> bool:
        """Whether a field of the collapsed section has an error."""
        names = {"employee", "claim_number", "date_of_injury", "treatments", "rfa_time"}
        names |= {
            "rfa_method",
            "is_concurrent",
            *(f"experimental_{item.pk}" for item in self.items),
        }
        return bool(names & set(self.errors))

    def facts(self) -> list[FactRow]:
        """Return the rows of the six facts, for the page."""
        return [
            FactRow(
                fact=self[fact.value],
                note=self[f"note_{fact.value}"],
                reason=self[name] if (name := f"reason_{fact.value}") in self.fields else None,
                other_case=self[name] if (name := f"other_{fact.value}") in self.fields else None,
                proposed=Answer(self.proposal.answers[fact.value]).label,
                proposes_no=self.proposal.answers[fact.value] == Answer.NO,
                verdicts=self.proposal.of(fact.value),
            )
            for fact in EligibilityFact
        ]

    def item_rows(self) -> list[ItemRow]:
        """Return the rows of the disputed items, for the page."""
        return [
            ItemRow(
                item=item,
                outcome=self[f"outcome_{item.pk}"],
                experimental=self[f"experimental_{item.pk}"],
                scope=scope.answer if (scope := self.proposal.governing("NECESSITY")) else "",
                read=Answer(
                    self.proposal.item_answers.get(item.position, {}).get("NECESSITY", "UNKNOWN")
                ).label,
                proposes_no=Answer.NO in self.proposal.item_answers.get(item.position, {}).values(),
                necessity=self[f"necessity_{item.pk}"],
                not_decided=self[f"decided_{item.pk}"],
                reason=self[f"reason_{item.pk}"],
                other_case=self[f"other_{item.pk}"],
                note=self[f"note_{item.pk}"],
                verdicts=[
                    one for fact in ITEM_FACTS for one in self.proposal.of(fact, item.position)
                ],
            )
            for item in self.items
        ]

    def reasons(self) -> dict[str, str]:
        """Return the reason codes chosen for the whole application."""
        reasons_by_fact = {
            fact.value: self.cleaned_data.get(f"reason_{fact.value}", "")
            for fact in EligibilityFact
        }
        return {fact: code for fact, code in reasons_by_fact.items() if code}

    def item_answers(self) -> dict[int, ItemAnswers]:
        """Return the answers for each item, by its id."""
        data = self.cleaned_data
        return {
            item.pk: ItemAnswers(
                necessity=data[f"necessity_{item.pk}"],
                not_decided=data[f"decided_{item.pk}"],
                reason=data[f"reason_{item.pk}"],
                note=data[f"note_{item.pk}"],
                # Case numbers are stored in upper case, but people type them in either.
                other_case=data[f"other_{item.pk}"].strip().upper(),
            )
            for item in self.items
        }

    def answers(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[fact.value] for fact in EligibilityFact}

    def notes(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[f"note_{fact.value}"] for fact in EligibilityFact}

    def keyed_decision(self) -> KeyedDecision | None:
        """Return what was keyed from the UR decision; ``None`` if the page sent none of it."""
        # Fields that were not sent must not erase what is on file.
        return self.keyed() if "employee" in self.data else None

    def submitted(self) -> EligibilityAnswers:
        """Return all answers, as input for the rules. Call this on a valid form."""
        return EligibilityAnswers(
            self.answers(), self.notes(), self.reasons(), self.item_answers(), self.other_case()
        )

    def other_case(self) -> str:
        return str(self.cleaned_data["other_NOT_DECIDED"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # The answers below are read from all fields, so all have to be valid first.
        if not self.errors:
            self._require_notes()
        return cleaned

    def _require_notes(self) -> None:
        """Mark each note that is missing although its answer contradicts the proposal.

        The service refuses these too; here the sentence stands beside the note.
        """
        submitted = self.submitted()
        read = submitted.answers.get("NECESSITY") == AS_READ
        for fact, item in list_contradictions(submitted, self.items, self.proposal):
            own = submitted.of(item).answer(fact) if item else ""
            # The answer as read is the proposed one, once the UR decision as keyed is on file.
            if submitted.note(fact, item) or (fact == "NECESSITY" and read and not own):
                continue
            proposed = self.proposal.item_answers[item.position] if item else self.proposal.answers
            name = f"note_{item.pk}" if own and item else f"note_{fact}"
            if name not in self.errors:
                label = Answer(proposed[fact]).label
                self.add_error(
                    name, f"Explain in the note why your answer differs from the proposed {label}."
                )


_ITEM_FIELDS = {"NECESSITY": "necessity", "NOT_DECIDED": "decided"}
_AS_WHOLE = {"NECESSITY": "Same as fact 4", "NOT_DECIDED": "Same as fact 5"}
_ITEM_LABELS = {
    "NECESSITY": "Denied for medical necessity",
    "NOT_DECIDED": "Not decided before",
}


def _reason_field(codes: Sequence[str]) -> forms.ChoiceField:
    """Return a choice among reason codes, each with the sentence that the letter prints."""
    choices = [(code, LETTER_SENTENCES[code]) for code in codes]
    return forms.ChoiceField(
        label="Reason, if No", choices=[("", "As proposed"), *choices], required=False
    )


CITATION_ROWS = 6


class CitationsForm(forms.Form):
    """The sources that the UR decision cites for one item, or that it cites none."""

    nothing = forms.BooleanField(
        label="The UR decision cites no source for this item", required=False
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for row in range(CITATION_ROWS):
            self.fields[f"kind_{row}"] = forms.ChoiceField(
                label="Kind",
                choices=[("", "Choose"), ("MTUS", "MTUS chapter"), ("OTHER", "Another source")],
                required=False,
            )
            self.fields[f"chapter_{row}"] = LetterText(
                label="Chapter, or the source as printed", max_length=1000, required=False
            )
            self.fields[f"edition_{row}"] = LetterText(
                label="Edition", max_length=40, required=False
            )
            self.fields[f"sections_{row}"] = LetterText(
                label="Sections, one per line",
                max_length=2000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            self.fields[f"pages_{row}"] = LetterText(label="Pages", max_length=80, required=False)

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the form fields of each source, for the page."""
        names = ("kind", "chapter", "edition", "sections", "pages")
        return [[self[f"{name}_{row}"] for name in names] for row in range(CITATION_ROWS)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for row in range(CITATION_ROWS):
            kind, chapter = data.get(f"kind_{row}"), data.get(f"chapter_{row}")
            rest = any(data.get(f"{name}_{row}") for name in ("edition", "sections", "pages"))
            if kind and not chapter:
                self.add_error(f"chapter_{row}", "Enter the chapter or the source.")
            elif not kind and (chapter or rest):
                self.add_error(f"kind_{row}", "Choose the kind of source.")
            elif kind == "OTHER" and rest:
                self.add_error(
                    f"chapter_{row}",
                    "Enter the edition, sections and pages of another source in this field.",
                )
        # citations() reads fields that are missing from the cleaned data after an error.
        citations = self.citations() if not self.errors else []
        # Exactly one of the two. The letter prints that no source is cited, so an empty list alone
        # must not mean it.
        if not self.errors and bool(citations) == data.get("nothing"):
            self.add_error(
                None, "Enter at least one source, or select that the UR decision cites no source."
            )
        return data

    def citations(self) -> list[Citation]:
        """Return the sources, in the order of the rows. Call this on a valid form."""
        data = self.cleaned_data
        citations = []
        for row in range(CITATION_ROWS):
            kind, chapter = data.get(f"kind_{row}"), data.get(f"chapter_{row}", "")
            if kind == "MTUS":
                sections = [line.strip() for line in data[f"sections_{row}"].splitlines()]
                citations.append(
                    Citation(
                        source="MTUS",
                        mtus=True,
                        chapter=chapter,
                        edition=data[f"edition_{row}"],
                        sections=tuple(line for line in sections if line),
                        pages=data[f"pages_{row}"],
                    )
                )
            # Other sources follow no common form, so their printed text is kept whole.
            elif kind == "OTHER":
                citations.append(Citation(chapter=chapter, as_printed=chapter))
        return citations

    @classmethod
    def initial_from(cls, citations: Iterable[Citation], *, nothing: bool) -> dict[str, Any]:
        """Return the initial values of the form, from the sources on file."""
        initial: dict[str, Any] = {"nothing": nothing}
        for row, one in enumerate(list(citations)[:CITATION_ROWS]):
            initial |= {
                f"kind_{row}": "MTUS" if one.mtus else "OTHER",
                f"chapter_{row}": one.chapter if one.mtus else (one.as_printed or one.chapter),
                f"edition_{row}": one.edition,
                f"sections_{row}": "\n".join(one.sections),
                f"pages_{row}": one.pages,
            }
        return initial
