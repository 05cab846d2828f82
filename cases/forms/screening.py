"""What is found when a case is screened: the facts of eligibility, and what UR cites."""

from collections.abc import Iterable
from typing import Any

from django import forms

from cases.models import (
    Answer,
    EligibilityFact,
)
from cases.paper_fields import PaperText
from guidelines.citations import Citation


class EligibilityForm(forms.Form):
    """The six facts, each answered, each with room for a note."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for fact in EligibilityFact:
            self.fields[fact.value] = forms.ChoiceField(
                label=fact.label,
                choices=Answer.choices,
                widget=forms.RadioSelect,
                error_messages={"required": "Answer this fact; “Unknown” is an answer too."},
            )
            self.fields[f"note_{fact.value}"] = PaperText(
                label="Note", max_length=1000, required=False
            )

    def facts(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each fact with its note, for the page."""
        return [(self[fact.value], self[f"note_{fact.value}"]) for fact in EligibilityFact]

    def answers(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[fact.value] for fact in EligibilityFact}

    def notes(self) -> dict[str, str]:
        return {fact.value: self.cleaned_data[f"note_{fact.value}"] for fact in EligibilityFact}


CITATION_ROWS = 6


class CitationsForm(forms.Form):
    """What the UR decision cites for one item: sources row by row, or nothing."""

    nothing = forms.BooleanField(
        label="The UR decision cites nothing for this item", required=False
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
                label="Chapter, or the source in its own words", max_length=1000, required=False
            )
            self.fields[f"edition_{row}"] = PaperText(
                label="Edition", max_length=40, required=False
            )
            self.fields[f"sections_{row}"] = PaperText(
                label="Sections, one a line",
                max_length=2000,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            self.fields[f"pages_{row}"] = PaperText(label="Pages", max_length=80, required=False)

    def rows(self) -> list[list[forms.BoundField]]:
        """The fields of each row, for the page."""
        names = ("kind", "chapter", "edition", "sections", "pages")
        return [[self[f"{name}_{row}"] for name in names] for row in range(CITATION_ROWS)]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for row in range(CITATION_ROWS):
            kind, chapter = said.get(f"kind_{row}"), said.get(f"chapter_{row}")
            rest = any(said.get(f"{name}_{row}") for name in ("edition", "sections", "pages"))
            if kind and not chapter:
                self.add_error(f"chapter_{row}", "Name the chapter or the source.")
            elif not kind and (chapter or rest):
                self.add_error(f"kind_{row}", "Say whether this is an MTUS chapter.")
            elif kind == "OTHER" and rest:
                self.add_error(
                    f"chapter_{row}",
                    "Write the edition, sections and pages of another source into its own words.",
                )
        found = self.citations() if not self.errors else []
        if not self.errors and bool(found) == said.get("nothing"):
            self.add_error(
                None, "Enter what the UR decision cites, or tick that it cites nothing. Not both."
            )
        return said

    def citations(self) -> list[Citation]:
        """The sources, in order. Call it on a valid form."""
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
            elif kind == "OTHER":
                found.append(Citation(chapter=chapter, as_printed=chapter))
        return found

    @classmethod
    def initial_from(cls, citations: Iterable[Citation], *, nothing: bool) -> dict[str, Any]:
        """What was stated before, for the page."""
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
