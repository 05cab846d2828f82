"""Services of the guidelines: load, confirm and publish them; import the drug list."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.counting import count_noun
from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed

from .drug_list_file import FileRow, read_drug_list
from .models import (
    ApprovedParagraph,
    DrugListEdition,
    Edition,
    Guideline,
    ListedDrug,
    Recommendation,
    Source,
    format_day,
)

SEEDS = Path(__file__).with_name("seeds")
SHIPPED = "Shipped with the product"
DRUG_LIST_SOURCE = "8 CCR 9792.27.15"
# What a row of the drug list states. A difference makes a new dated row.
_STATED = (
    "ingredient", "status", "special_fill", "perioperative_fill", "drug_class", "reference",
    "identifiers",
)  # fmt: skip


@dataclass
class SeedCounts:
    """The number of rows that seeding added."""

    sources: int = 0
    guidelines: int = 0
    editions: int = 0
    recommendations: int = 0

    def __str__(self) -> str:
        return (
            f"{count_noun(self.sources, 'source')}, {count_noun(self.guidelines, 'guideline')}, "
            f"{count_noun(self.editions, 'edition')} and "
            f"{count_noun(self.recommendations, 'recommendation')} added"
        )


@transaction.atomic
def confirm_edition(*, edition_id: int, on: date, by: User, at: datetime) -> Edition:
    """Confirm, as a named person, that an edition's dates and regulation match the source.

    :param on: the local day of the confirmation.
    :raises NotAllowed: the user is no guideline administrator, or it is already confirmed.
    """
    if not by.may("guidelines.manage_guidelines"):
        raise NotAllowed("Only a guideline administrator can confirm an edition.")
    # Locked, so that of two confirmations at once the second is refused with a name.
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    # Not overwritten: the file must keep who confirmed it first.
    if edition.is_confirmed:
        name = name_actor(edition.confirmed_by, reader=by)
        raise NotAllowed(
            f"{edition} was confirmed by {name} on {format_day(edition.confirmed_on)}."
        )
    edition.confirmed_by, edition.confirmed_on = by, on
    return edition.store(by=by, at=at, why="Confirmed", fields=["confirmed_by", "confirmed_on"])


@transaction.atomic
def publish_paragraph(*, paragraph_id: int, by: User, at: datetime) -> ApprovedParagraph:
    """Publish a paragraph for reviewers. Finished decisions are not changed.

    :raises NotAllowed: the user is no guideline administrator, or it is not a draft.
    """
    if not by.may("guidelines.manage_guidelines"):
        raise NotAllowed("Only a guideline administrator can publish a paragraph.")
    paragraph = ApprovedParagraph.objects.select_for_update().get(pk=paragraph_id)
    # A retired paragraph stays retired, so that its text cannot return unnoticed.
    if paragraph.state != ApprovedParagraph.State.DRAFT:
        raise NotAllowed(f"“{paragraph}” is {paragraph.get_state_display().lower()}, not a draft.")
    paragraph.state = ApprovedParagraph.State.PUBLISHED
    return paragraph.store(by=by, at=at, why="Published", fields=["state"])


@transaction.atomic
def seed_guidelines(*, by: User | None, at: datetime) -> SeedCounts:
    """Add the shipped rows that are missing. Existing rows are not changed.

    Every shipped edition is unconfirmed until a person confirms it.
    """
    filled = SeedCounts()
    for path in sorted(SEEDS.glob("*.toml")):
        shipped = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in shipped["source"]:
            # By code, and existing rows stay as they are: an administrator may have corrected them.
            source = Source.objects.filter(code=entry["code"]).first()
            if source is None:
                source = Source(
                    code=entry["code"], name=entry["name"], is_mtus=entry.get("is_mtus", False)
                ).store(by=by, at=at, why=SHIPPED)
                filled.sources += 1
            for guideline in entry.get("guideline", []):
                _seed_guideline(source, guideline, filled, by=by, at=at)
    return filled


def _seed_guideline(
    source: Source, entry: dict[str, Any], filled: SeedCounts, *, by: User | None, at: datetime
) -> None:
    guideline = Guideline.objects.filter(code=entry["code"]).first()
    if guideline is None:
        guideline = Guideline(
            source=source,
            code=entry["code"],
            title=entry["title"],
            body_parts=entry.get("body_parts", []),
            regulation=entry.get("regulation", ""),
        ).store(by=by, at=at, why=SHIPPED)
        filled.guidelines += 1
    for shipped in entry.get("edition", []):
        edition = Edition.objects.filter(guideline=guideline, label=shipped["label"]).first()
        if edition is None:
            edition = Edition(
                guideline=guideline,
                label=shipped["label"],
                valid_from=shipped["from"],
                ends_before=shipped.get("to"),
                governing_date=shipped.get("governing_date", Edition.GoverningDate.REQUEST),
                regulation=shipped.get("regulation", guideline.regulation),
                note=shipped.get("note", ""),
            )
            # A person may have entered this edition with another label. Keep that one.
            if Edition.objects.overlapping(edition).exists():
                continue
            edition.store(by=by, at=at, why=SHIPPED)
            filled.editions += 1
        filled.recommendations += _seed_recommendations(edition, shipped, by=by, at=at)


def _seed_recommendations(
    edition: Edition, shipped: dict[str, Any], *, by: User | None, at: datetime
) -> int:
    # One query for all sections of the edition.
    stored_sections = set(edition.recommendations.values_list("section", flat=True))
    entries = [
        entry if isinstance(entry, dict) else {"section": entry}
        for entry in [*shipped.get("sections", []), *shipped.get("recommendation", [])]
    ]
    rows = [
        Recommendation(
            edition=edition,
            section=entry["section"],
            pages=entry.get("pages", ""),
            keywords=entry.get("keywords", ""),
            summary=entry.get("summary", ""),
        )
        for entry in entries
        if entry["section"] not in stored_sections
    ]
    if rows:
        Recommendation.objects.bulk_store(rows, by=by, at=at, why=SHIPPED)
    return len(rows)


@dataclass
class DrugListChanges:
    """What an import of the drug list changes, as texts for the person who runs it."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)  # brand names only
    edition: str = ""  # empty if the edition itself stays as it is
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.ended or self.renamed or self.edition)

    def __str__(self) -> str:
        return (
            f"{len(self.added)} added, {len(self.changed)} changed, {len(self.ended)} ended, "
            f"{len(self.renamed)} with other brand names, {self.unchanged} unchanged"
        )


@transaction.atomic
def import_drug_list(
    *,
    content: bytes,
    label: str,
    starts_on: date,
    source: str = DRUG_LIST_SOURCE,
    note: str = "",
    is_complete: bool = True,
    dry_run: bool = False,
    by: User | None,
    at: datetime,
) -> DrugListChanges:
    """Import an edition of the MTUS drug list from a CSV file, and date the rows that change.

    The same file twice changes nothing. Brand names are not in the file of DWC, so new rows of a
    drug take them from its earlier rows.

    :param starts_on: the first day of the edition. An edition of the same day is replaced.
    :param is_complete: a row that is not in the file ends on that day. An incomplete file ends no
        row.
    :param dry_run: find the changes, and save nothing.
    :raises BadDrugList: bad lines, all of them named. Nothing is saved.
    :raises NotAllowed: the user is no guideline administrator, or a later edition is on file.
    """
    if by is not None and not by.may("guidelines.manage_guidelines"):
        raise NotAllowed("Only a guideline administrator can import the drug list.")
    _refuse_bad_edition(label, starts_on, source)
    rows = read_drug_list(content)
    later = DrugListEdition.objects.filter(valid_from__gt=starts_on).order_by("valid_from").first()
    # Rows of the later edition are dated from its day, so an earlier one would need other dates.
    if later is not None:
        raise NotAllowed(
            f"{later} is on file already. Import editions in the order of their first days."
        )
    found = DrugListChanges()
    new, stored, ended = _plan_drug_list(rows, starts_on, source, is_complete, found)
    edition = _plan_edition(label, starts_on, source, note, is_complete, found)
    if dry_run:
        return found
    why = f"Imported: {label}"
    # Rows that end go first: the database refuses two rows of a drug without an end.
    for row in [*ended, *stored]:
        row.store(by=by, at=at, why=why)
    if new:
        ListedDrug.objects.bulk_store(new, by=by, at=at, why=why)
    if edition is not None:
        edition.store(by=by, at=at, why=why)
    return found


def _refuse_bad_edition(label: str, starts_on: date, source: str) -> None:
    """Refuse what the database could not store, or what would block later editions."""
    if not 0 < len(label.strip()) <= 40:
        raise NotAllowed("Enter a label of at most 40 characters, such as v.7.")
    if len(source) > 200:
        raise NotAllowed("The source has more than 200 characters. Shorten it.")
    if "\0" in label + source:
        raise NotAllowed("The label or the source contains a character that cannot be stored.")
    if not date(2018, 1, 1) <= starts_on <= date(2060, 12, 31):
        raise NotAllowed("The first day must be between 2018, when the list began, and 2060.")


def _plan_edition(
    label: str,
    starts_on: date,
    source: str,
    note: str,
    is_complete: bool,
    found: DrugListChanges,
) -> DrugListEdition | None:
    """Return the edition to save; ``None`` if it is on file as it is."""
    edition = DrugListEdition.objects.filter(valid_from=starts_on).first()
    if edition is None:
        edition = DrugListEdition(valid_from=starts_on)
    elif (edition.label, edition.source, edition.is_complete) == (label, source, is_complete):
        return None
    if DrugListEdition.objects.filter(label=label).exclude(pk=edition.pk).exists():
        raise NotAllowed(f"Another edition is called “{label}”. Choose another label.")
    edition.label, edition.source, edition.note = label, source, note
    edition.is_complete = is_complete
    found.edition = str(edition)
    return edition


def _plan_drug_list(
    rows: Sequence[FileRow],
    starts_on: date,
    source: str,
    is_complete: bool,
    found: DrugListChanges,
) -> tuple[list[ListedDrug], list[ListedDrug], list[ListedDrug]]:
    """Return the rows to add, to save with new values, and to end."""
    # Oldest first, so that the dictionaries keep the latest row of each key.
    on_file = list(ListedDrug.objects.order_by("valid_from", "pk"))
    in_force = {row.key: row for row in on_file if row.ends_before is None}
    begun = {row.key: row for row in on_file if row.valid_from == starts_on}
    names = {row.ingredient_normal: row.other_names for row in on_file if row.other_names}
    new: list[ListedDrug] = []
    stored: list[ListedDrug] = []
    ended: list[ListedDrug] = []
    for line in rows:
        old = in_force.pop(line.key, None)
        other_names = line.other_names or names.get(line.key[0], "")
        if old is not None and _states_the_same(old, line):
            if old.other_names == other_names:
                found.unchanged += 1
            else:
                old.other_names = other_names
                stored.append(old)
                found.renamed.append(f"{old}: {other_names}")
            continue
        # A row that begins on this day is corrected, because it was in force on no other day.
        row = old if old is not None and old.valid_from == starts_on else begun.get(line.key)
        (found.added if old is None else found.changed).append(_describe_change(old, line))
        if old is not None and old is not row:
            old.ends_before = starts_on
            ended.append(old)
        kept = row or ListedDrug(valid_from=starts_on)
        for name in (*_STATED, "dosage_form", "strength"):
            setattr(kept, name, getattr(line, name))
        kept.ingredient_normal, kept.other_names = line.key[0], other_names
        kept.source, kept.ends_before = source, None
        (new if row is None else stored).append(kept)
    for gone in in_force.values() if is_complete else ():
        gone.ends_before = starts_on
        ended.append(gone)
        found.ended.append(str(gone))
    return new, stored, ended


def _states_the_same(row: ListedDrug, line: FileRow) -> bool:
    return all(getattr(row, name) == getattr(line, name) for name in _STATED)


def _describe_change(old: ListedDrug | None, line: FileRow) -> str:
    named = ", ".join(filter(None, (line.ingredient, line.dosage_form, line.strength)))
    if old is None:
        return f"{named} ({line.status.label})"
    differing = [
        f"{name.replace('_', ' ')} from “{getattr(old, name)}” to “{getattr(line, name)}”"
        for name in _STATED
        if getattr(old, name) != getattr(line, name)
    ]
    return f"{named}: {'; '.join(differing)}"


@transaction.atomic
def confirm_drug_list_row(
    *, row: DrugListEdition | ListedDrug, on: date, by: User, at: datetime
) -> DrugListEdition | ListedDrug:
    """Confirm, as a named person, that an edition or a row of the drug list matches the source.

    :param on: the local day of the confirmation.
    :raises NotAllowed: the user is no guideline administrator, or it is already confirmed.
    """
    if not by.may("guidelines.manage_guidelines"):
        raise NotAllowed("Only a guideline administrator can confirm the drug list.")
    # Locked, so that of two confirmations at once the second is refused with a name.
    locked = type(row).objects.select_for_update().get(pk=row.pk)
    if locked.is_confirmed:
        name = name_actor(locked.confirmed_by, reader=by)
        raise NotAllowed(f"{locked} was confirmed by {name} on {locked.confirmed_on:%m/%d/%Y}.")
    locked.confirmed_by, locked.confirmed_on = by, on
    done: DrugListEdition | ListedDrug = locked.store(
        by=by, at=at, why="Confirmed", fields=["confirmed_by", "confirmed_on"]
    )
    return done


@transaction.atomic
def seed_drug_list(*, by: User | None, at: datetime) -> DrugListChanges:
    """Add the shipped short drug list if no edition is on file. No one has confirmed it."""
    if DrugListEdition.objects.exists():
        return DrugListChanges()
    return import_drug_list(
        content=(SEEDS / "drug-list-2018.csv").read_bytes(),
        label="short list",
        starts_on=date(2018, 1, 1),
        source=f"{DRUG_LIST_SOURCE}, recalled",
        note="Written from memory of the list, not from its text. It has no fills and few drugs.",
        is_complete=False,
        by=by,
        at=at,
    )
