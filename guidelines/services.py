"""Services of the guidelines: load the shipped ones, confirm editions, publish paragraphs."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed

from .models import ApprovedParagraph, Edition, Guideline, Recommendation, Source

SEEDS = Path(__file__).with_name("seeds")
SHIPPED = "Shipped with the product"


@dataclass
class SeedCounts:
    """The number of rows that seeding added."""

    sources: int = 0
    guidelines: int = 0
    editions: int = 0
    recommendations: int = 0

    def __str__(self) -> str:
        return (
            f"{self.sources} sources, {self.guidelines} guidelines, {self.editions} editions and "
            f"{self.recommendations} recommendations added"
        )


@transaction.atomic
def confirm_edition(*, edition_id: int, on: date, by: User, at: datetime) -> Edition:
    """Confirm, as a named person, that an edition's dates and regulation match the source.

    :param on: the local day of the confirmation.
    :raises NotAllowed: the user is no guideline administrator, or it is already confirmed.
    """
    if not by.may("guidelines.manage"):
        raise NotAllowed("Only a guideline administrator can confirm an edition.")
    # Locked, so that of two confirmations at once the second is refused with a name.
    edition = Edition.objects.select_for_update().get(pk=edition_id)
    # Not overwritten: the file must keep who confirmed it first.
    if edition.is_confirmed:
        name = name_actor(edition.confirmed_by, reader=by)
        raise NotAllowed(f"{edition} was confirmed by {name} on {edition.confirmed_on:%m/%d/%Y}.")
    edition.confirmed_by, edition.confirmed_on = by, on
    return edition.store(by=by, at=at, why="Confirmed", fields=["confirmed_by", "confirmed_on"])


@transaction.atomic
def publish_paragraph(*, paragraph_id: int, by: User, at: datetime) -> ApprovedParagraph:
    """Publish a paragraph for reviewers. Finished decisions are not changed.

    :raises NotAllowed: the user is no guideline administrator, or it is not a draft.
    """
    if not by.may("guidelines.manage"):
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
                valid_to=shipped.get("to"),
                picked_by=shipped.get("picked_by", Edition.PickedBy.REQUEST),
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
    known = set(edition.recommendations.values_list("section", flat=True))
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
        if entry["section"] not in known
    ]
    if rows:
        Recommendation.objects.bulk_store(rows, by=by, at=at, why=SHIPPED)
    return len(rows)
