"""How a decision names its authorities: the sentences of a letter. Pure.

Two styles are in use: ``today`` prints edition years and sections, ``2014`` prints neither year
nor the word "Section(s)", but pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

STYLES = ("today", "2014")


@dataclass(frozen=True)
class Citation:
    """One authority. ``as_printed`` holds a source outside the schedule in its own words."""

    source: str = ""
    mtus: bool = False
    chapter: str = ""
    edition: str = ""
    edition_suffix: str = ""
    sections: tuple[str, ...] = ()
    pages: str = ""
    as_printed: str = ""


def sentences(citations: Sequence[Citation], *, style: str = "today", who: str = "") -> str:
    """The line that stands after "guideline:" in a letter.

    :param who: whose authorities they are, "The Claims Administrator"; today's style names them
        where the schedule was left or nothing was cited.
    :raises ValueError: the style is unknown.
    """
    if style not in STYLES:
        raise ValueError(f"Choose a style of {', '.join(STYLES)}.")
    who = who or "The decision-maker"
    inside = [citation for citation in citations if citation.mtus]
    outside = [citation for citation in citations if not citation.mtus]
    if not citations:
        return f"{who} did not cite any medical evidence for its decision."
    parts = []
    if inside:
        chapters = (_chapter_2014 if style == "2014" else _chapter)(inside)
        parts.append(f"Decision based on MTUS {chapters}.")
    elif style == "today":
        parts.append(
            f"{who} based their decision on recommendation(s) outside of the MTUS Guidelines."
        )
    if outside:
        first, *others = (_in_its_own_words(citation) for citation in outside)
        line = f"Decision based on Non-MTUS Citation {first}"
        if others:
            line += " and Other Medical Treatment Guidelines " + "; ".join(others)
        # Letters of 2014 print the source as typed, without a period after it.
        parts.append(line if style == "2014" or line.endswith(".") else f"{line}.")
    return " ".join(parts)


def authority(citation: Citation) -> str:
    """One authority as today's letters name it, for a list on a page."""
    return _one_chapter(citation) if citation.mtus else _in_its_own_words(citation)


def _chapter(citations: Sequence[Citation]) -> str:
    return ", and ".join(_one_chapter(citation) for citation in citations)


def _one_chapter(citation: Citation) -> str:
    named = " ".join(
        word for word in (citation.chapter, citation.edition, citation.edition_suffix) if word
    )
    if citation.sections:
        named += f", Section(s): {', '.join(citation.sections)}"
    # Some published letters put a bare page number where the section belongs; not twice then.
    pages = "" if citation.pages in citation.sections else citation.pages
    return named + (f", Page(s): {pages}" if pages else "")


def _chapter_2014(citations: Sequence[Citation]) -> str:
    return ", ".join(
        " ".join([citation.chapter, *citation.sections])
        + (f", Page(s): {citation.pages}" if citation.pages else "")
        for citation in citations
    )


def _in_its_own_words(citation: Citation) -> str:
    return citation.as_printed or " ".join(
        part for part in (citation.source, citation.chapter) if part
    )
