"""Citation lines of determination letters. Pure: no queries.

There are two styles. ``today`` prints edition years and sections. ``2014`` prints pages, but not
the year and not the word "Section(s)".
"""

from collections.abc import Sequence
from dataclasses import dataclass

STYLES = ("today", "2014")


@dataclass(frozen=True)
class Citation:
    """One cited authority. ``as_printed`` is the full text of a source outside the MTUS."""

    source: str = ""
    mtus: bool = False
    chapter: str = ""
    edition: str = ""
    edition_suffix: str = ""
    sections: tuple[str, ...] = ()
    pages: str = ""
    as_printed: str = ""


def compose_citation_line(
    citations: Sequence[Citation], *, style: str = "today", who: str = ""
) -> str:
    """Compose the line that a letter prints after "guideline:".

    :param who: who cites, such as "The Claims Administrator". The style ``today`` prints the name
        if nothing of the MTUS, or nothing at all, is cited.
    :raises ValueError: the style is unknown.
    """
    if style not in STYLES:
        raise ValueError(f"Choose a style of {', '.join(STYLES)}.")
    who = who or "The decision-maker"
    # Published letters print the part about the MTUS first.
    inside = [citation for citation in citations if citation.mtus]
    outside = [citation for citation in citations if not citation.mtus]
    # Said in words: an empty line would read as if the letter were incomplete.
    if not citations:
        return f"{who} did not cite any medical evidence for its decision."
    parts = []
    if inside:
        chapters = (_join_chapters_2014 if style == "2014" else _join_chapters)(inside)
        parts.append(f"Decision based on MTUS {chapters}.")
    elif style == "today":
        parts.append(
            f"{who} based their decision on recommendation(s) outside of the MTUS Guidelines."
        )
    if outside:
        # Published letters name the first source and join all others behind one phrase.
        first, *others = (_describe_outside_source(citation) for citation in outside)
        line = f"Decision based on Non-MTUS Citation {first}"
        if others:
            line += " and Other Medical Treatment Guidelines " + "; ".join(others)
        # Letters of 2014 print the source as typed, without a period after it.
        parts.append(line if style == "2014" or line.endswith(".") else f"{line}.")
    return " ".join(parts)


def describe_authority(citation: Citation) -> str:
    """Describe one authority in the style ``today``, for a list on a page."""
    return _describe_chapter(citation) if citation.mtus else _describe_outside_source(citation)


def _join_chapters(citations: Sequence[Citation]) -> str:
    return ", and ".join(_describe_chapter(citation) for citation in citations)


def _describe_chapter(citation: Citation) -> str:
    named = " ".join(
        word for word in (citation.chapter, citation.edition, citation.edition_suffix) if word
    )
    if citation.sections:
        named += f", Section(s): {', '.join(citation.sections)}"
    # Some published letters have the page number as section. Do not print the number twice.
    pages = "" if citation.pages in citation.sections else citation.pages
    return named + (f", Page(s): {pages}" if pages else "")


def _join_chapters_2014(citations: Sequence[Citation]) -> str:
    return ", ".join(
        " ".join([citation.chapter, *citation.sections])
        + (f", Page(s): {citation.pages}" if citation.pages else "")
        for citation in citations
    )


def _describe_outside_source(citation: Citation) -> str:
    # A citation without the printed text has only its parts.
    return citation.as_printed or " ".join(
        part for part in (citation.source, citation.chapter) if part
    )
