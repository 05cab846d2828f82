"""Determinations of one page and of three for the bench of letters, each with words of its own."""

import random
from dataclasses import replace
from typing import Any

# Sentences are made of these, so that no two letters share a paragraph that a cache could keep.
SUBJECTS = (
    "The patient",
    "The treating physician",
    "The physical therapist",
    "The report of 06/20/2014",
    "The injured worker",
    "The MRI of the cervical spine",
    "The progress note of 03/14/2014",
    "The request for authorization",
)
VERBS = (
    "describes",
    "documents",
    "does not mention",
    "shows",
    "was followed by",
    "is consistent with",
    "recommends",
    "has not led to",
)
OBJECTS = (
    "radicular pain at C3-C4",
    "10/325mg of hydrocodone",
    "a home exercise program",
    "functional improvement",
    "a loss of strength in the left arm",
    "six sessions of physical therapy",
    "an epidural steroid injection at L5-S1",
    "disc degeneration at C5-C6",
    "numbness of both hands",
    "a return to modified work",
)
ENDINGS = (
    "since the date of injury",
    "despite conservative treatment",
    "on examination",
    "within four weeks",
    "as the guideline requires",
    "according to the records",
    "in the last three months",
)
# How many sentences the summary and each rationale have, by the pages of the letter.
LENGTHS = {1: (3, 3), 3: (22, 15)}


def _write_paragraph(chance: random.Random, sentences: int) -> str:
    made = [
        f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {chance.choice(OBJECTS)} "
        f"{chance.choice(ENDINGS)}, on {chance.randint(2, 99)} of {chance.randint(100, 400)} days."
        for _ in range(sentences)
    ]
    half = len(made) // 2
    return " ".join(made[:half]) + ("\n\n" if sentences > 6 else " ") + " ".join(made[half:])


def build_document(composed: Any, number: int, pages: int) -> Any:
    """Build the determination of one case number; the same number gives the same words."""
    from letters.documents import Analysis
    from tests.letters import factories as make

    chance = random.Random(number)
    in_summary, in_rationale = LENGTHS[pages]
    reference = f"CM99-{number:07d}"
    guideline = "MTUS, Chronic Pain Medical Treatment Guidelines, page 46."
    items = tuple(
        make.item(analyses=(Analysis(guideline, _write_paragraph(chance, in_rationale)),))
        for _ in range(1 if pages == 1 else 2)
    )
    document = make.determination(
        composed,
        title=f"Independent Medical Review Final Determination, Case Number {reference}",
        case_number=reference,
        summary=_write_paragraph(chance, in_summary),
        items=items,
    )
    if pages == 1:
        # The shortest letter that the layout takes: one sentence of how it was made, no closing.
        how_made = document.how_made[0].split(". ")[0] + "."
        document = replace(document, how_made=(how_made,), closing=())
    return document


def publish_wording() -> Any:
    """Publish the sample wording of the determination, or find it published."""
    from tests.letters import factories as make

    return make.wording("determination-today")


def build_words(wording_set: Any, numbers: range, pages: int) -> list[dict[str, Any]]:
    """Build the frozen text of several letters."""
    from letters import services
    from tests.letters import factories as make

    composed = make.composed(wording_set)
    return [
        services.freeze_words(
            document=build_document(composed, number, pages),
            facts=make.facts(),
            declared=make.DECLARED,
        )
        for number in numbers
    ]


def queue_letters(wording_set: Any, numbers: range, pages: int) -> list[Any]:
    """Queue letters as ``enqueue_letter`` stores them; return their ids."""
    from datetime import UTC, date, datetime

    from letters.documents import words_sha256
    from letters.models import Letter
    from letters.typesetting import find_layout_file

    now = datetime.now(UTC)
    rows = [
        Letter(
            kind="determination",
            reference=words["case_number"],
            layout=find_layout_file("determination-today"),
            language=words["language"],
            wording_set=wording_set,
            title=words["title"],
            dated_on=date.fromisoformat(words["dated_on"]),
            facts=words["facts"],
            words=words,
            words_sha256=words_sha256(words),
            file_name=f"{words['case_number']}.pdf",
            created_at=now,
            due_at=now,
        )
        for words in build_words(wording_set, numbers, pages)
    ]
    Letter.objects.bulk_create(rows)
    return [row.pk for row in rows]


def copy_letter(model: Any, number: str, at: Any, **changes: Any) -> Any:
    """A letter with the content of another one and a number of its own; not stored yet.

    :param changes: parts of the text that differ.
    """
    from letters.documents import words_sha256
    from letters.models import Letter

    words = model.words | {"case_number": number, "title": f"Final determination, {number}"}
    words |= changes
    return Letter(
        kind="determination",
        reference=number,
        layout=model.layout,
        language=model.language,
        wording_set=model.wording_set,
        title=words["title"],
        dated_on=model.dated_on,
        facts=model.facts,
        words=words,
        words_sha256=words_sha256(words),
        file_name=f"{number}.pdf",
        created_at=at,
        due_at=at,
    )
