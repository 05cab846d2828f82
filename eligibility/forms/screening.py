"""Forms of the eligibility review: the six facts, and the sources that the UR decision cites."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from cases.models import DisputedItem
from eligibility.answers import Answer, EligibilityFact
from eligibility.rules import CODES, ITEM_FACTS, LETTER_SENTENCES, EligibilityVerdict, Proposal
from eligibility.services.findings import ItemAnswers
from form_fields.fields import PaperText
from guidelines.citations import Citation


@dataclass(frozen=True)
class FactRow:
    """One fact on the page: its form fields and the verdicts of the rules."""

    fact: forms.BoundField
    note: forms.BoundField
    reason: forms.BoundField | None
    proposed: str
    verdicts: list[EligibilityVerdict]


@dataclass(frozen=True)
class ItemRow:
    """One disputed item on the page: its form fields and the verdicts of the rules."""

    item: DisputedItem
    necessity: forms.BoundField
    not_decided: forms.BoundField
    reason: forms.BoundField
    other_case: forms.BoundField
    note: forms.BoundField
    verdicts: list[EligibilityVerdict]


class EligibilityForm(forms.Form):
    """The answers to the six facts, with notes, and different answers for single items.

    The answers that the rules propose are preselected. Nothing is decided until a person submits
    the form.
    """

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        items: Sequence[DisputedItem] = (),
        proposal: Proposal,
    ) -> None:
        super().__init__(data)
        self.items, self.proposal = list(items), proposal
        for fact in EligibilityFact:
            self.fields[fact.value] = forms.ChoiceField(
                label=fact.label,
                choices=Answer.choices,
                widget=forms.RadioSelect,
                initial=proposal.answers[fact.value],
                error_messages={"required": "Answer Yes, No or Unknown."},
            )
            self.fields[f"note_{fact.value}"] = PaperText(
                label="Note", max_length=1000, required=False
            )
            # If there is only one reason code, there is nothing to choose.
            if len(CODES[fact.value]) > 1:
                self.fields[f"reason_{fact.value}"] = _reason_field(CODES[fact.value])
        for item in self.items:
            self._add_item(item)

    def _add_item(self, item: DisputedItem) -> None:
        as_whole = [("", "Same as above"), *Answer.choices]
        for fact, name in _ITEM_FIELDS.items():
            own = self.proposal.item_answers.get(item.position, {}).get(fact, "")
            self.fields[f"{name}_{item.pk}"] = forms.ChoiceField(
                label=_ITEM_LABELS[fact],
                choices=as_whole,
                required=False,
                # Only an answer that differs from the application's own is preselected.
                initial="" if own == self.proposal.answers[fact] else own,
            )
        codes = [code for fact in ITEM_FACTS for code in CODES[fact]]
        self.fields[f"reason_{item.pk}"] = _reason_field(codes)
        self.fields[f"other_{item.pk}"] = PaperText(
            label="Other case", max_length=20, required=False
        )
        self.fields[f"note_{item.pk}"] = PaperText(label="Note", max_length=300, required=False)

    def facts(self) -> list[FactRow]:
        """The rows of the six facts, for the page."""
        return [
            FactRow(
                fact=self[fact.value],
                note=self[f"note_{fact.value}"],
                reason=self[name] if (name := f"reason_{fact.value}") in self.fields else None,
                proposed=Answer(self.proposal.answers[fact.value]).label,
                verdicts=self.proposal.of(fact.value),
            )
            for fact in EligibilityFact
        ]

    def item_rows(self) -> list[ItemRow]:
        """The rows of the disputed items, for the page."""
        return [
            ItemRow(
                item=item,
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
        """The reason codes chosen for the whole application."""
        chosen = {
            fact.value: self.cleaned_data.get(f"reason_{fact.value}", "")
            for fact in EligibilityFact
        }
        return {fact: code for fact, code in chosen.items() if code}

    def item_answers(self) -> dict[int, ItemAnswers]:
        """The answers for each item, by its id."""
        said = self.cleaned_data
        return {
            item.pk: ItemAnswers(
                necessity=said[f"necessity_{item.pk}"],
                not_decided=said[f"decided_{item.pk}"],
                reason=said[f"reason_{item.pk}"],
                note=said[f"note_{item.pk}"],
                # Case numbers are stored in upper case, but people type them in either.
                other_case=said[f"other_{item.pk}"].strip().upper(),
            )
            for item in self.items
        }

    def answers(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[fact.value] for fact in EligibilityFact}

    def notes(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[f"note_{fact.value}"] for fact in EligibilityFact}


_ITEM_FIELDS = {"NECESSITY": "necessity", "NOT_DECIDED": "decided"}
_ITEM_LABELS = {
    "NECESSITY": "Denied for medical necessity",
    "NOT_DECIDED": "Not decided before",
}


def _reason_field(codes: Sequence[str]) -> forms.ChoiceField:
    """A choice among reason codes, each with the sentence that the letter prints."""
    choices = [(code, f"{code}: {LETTER_SENTENCES[code]}") for code in codes]
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
                choices=[("", "–"), ("MTUS", "MTUS chapter"), ("OTHER", "Another source")],
                required=False,
            )
            self.fields[f"chapter_{row}"] = PaperText(
                label="Chapter, or the source as printed", max_length=1000, required=False
            )
            self.fields[f"edition_{row}"] = PaperText(
                label="Edition", max_length=40, required=False
            )
            self.fields[f"sections_{row}"] = PaperText(
                label="Sections, one per line",
                max_length=2000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            self.fields[f"pages_{row}"] = PaperText(label="Pages", max_length=80, required=False)

    def rows(self) -> list[list[forms.BoundField]]:
        """The form fields of each source, for the page."""
        names = ("kind", "chapter", "edition", "sections", "pages")
        return [[self[f"{name}_{row}"] for name in names] for row in range(CITATION_ROWS)]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for row in range(CITATION_ROWS):
            kind, chapter = said.get(f"kind_{row}"), said.get(f"chapter_{row}")
            rest = any(said.get(f"{name}_{row}") for name in ("edition", "sections", "pages"))
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
        found = self.citations() if not self.errors else []
        # Exactly one of the two. The letter prints that no source is cited, so an empty list alone
        # must not mean it.
        if not self.errors and bool(found) == said.get("nothing"):
            self.add_error(
                None, "Enter at least one source, or select that the UR decision cites no source."
            )
        return said

    def citations(self) -> list[Citation]:
        """The sources, in the order of the rows. Call this on a valid form."""
        said = self.cleaned_data
        found = []
        for row in range(CITATION_ROWS):
            kind, chapter = said.get(f"kind_{row}"), said.get(f"chapter_{row}", "")
            if kind == "MTUS":
                sections = [line.strip() for line in said[f"sections_{row}"].splitlines()]
                found.append(
                    Citation(
                        source="MTUS",
                        mtus=True,
                        chapter=chapter,
                        edition=said[f"edition_{row}"],
                        sections=tuple(line for line in sections if line),
                        pages=said[f"pages_{row}"],
                    )
                )
            # Other sources follow no common form, so their printed text is kept whole.
            elif kind == "OTHER":
                found.append(Citation(chapter=chapter, as_printed=chapter))
        return found

    @classmethod
    def initial_from(cls, citations: Iterable[Citation], *, nothing: bool) -> dict[str, Any]:
        """The initial values of the form, from the sources on file."""
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
