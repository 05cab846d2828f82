"""Compose the determination letter from stored rows: its facts, sentences and document.

Reads only. What a sentence states about the reviewer must be a fact on the date of the letter;
``letters`` refuses the letter if such a fact is missing or expired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import zip_longest

from django.conf import settings

import letters.services
import records.services.dispatch
from cases.consolidated_items import list_decided_items
from cases.letter_periods import collect_implementation_facts, collect_petition_facts
from cases.models import Case, DisputedItem, Priority
from correspondence.services.notices import load_organization
from deadlines.days import local_day
from eligibility.services.citations import find_stated_citations
from guidelines.citations import Citation, compose_citation_line
from letters.documents import Analysis, Credentials, DeterminationDocument, PrintedItem
from letters.facts import Fact
from letters.kinds import LetterKind
from letters.models import WordingSet
from letters.outcomes import Outcome
from records.models import Document, ReadMark
from reviewers import proofs
from reviewers.models import ReviewerAssignment

from .facts import DETERMINATION_FACTS
from .models import Opinion, Review
from .outcomes import NoOpinion, derive_item_outcome
from .policies import live_determination

LAYOUTS = {"today": "determination-today", "2014": "determination-2014"}
ADMINISTRATOR, REVIEWER = "The Claims Administrator", "The Expert Reviewer"


@dataclass(frozen=True)
class Composition:
    """Everything that is passed to ``letters`` when a determination is issued."""

    layout: str
    document: DeterminationDocument
    facts: list[Fact]
    wording_set: WordingSet
    variants: Mapping[str, tuple[str, ...]]
    credentials: dict[int, proofs.CredentialLine]  # by seat


@dataclass(frozen=True)
class _Seat:
    """One reviewer's part: the assignment and the texts, with drafts replacing versions."""

    assignment: ReviewerAssignment
    summary: str
    opinions: dict[int, Opinion]

    @property
    def about(self) -> str:
        return f"seat {self.assignment.seat}"


def compose_determination(
    case: Case, *, at: datetime, layout: str = "", only_seat: int | None = None
) -> Composition:
    """Compose the determination of a case as it would be issued, or was issued, at a moment.

    :param layout: by default the one in the settings.
    :param only_seat: include only the review of this seat.
    :raises LetterRefused: there is no published wording, or facts are missing or expired; names
        all of them.
    """
    layout = layout or settings.DETERMINATION_LAYOUT
    # The date of the round that was decided; that of the case may belong to an earlier round.
    determination = live_determination(case)
    on = (determination.decided_on if determination else None) or local_day(at)
    seats = _load_seats(case, only_seat)
    lines = {
        seat.assignment.seat: proofs.get_credential_line(seat.assignment, on=on, known_at=at)
        for seat in seats
    }
    facts = collect_case_facts(case, on=on)
    for seat in seats:
        facts += collect_seat_facts(seat.assignment, lines[seat.assignment.seat], on=on, at=at)
    wording = letters.services.find_wording_in_force(kind=LetterKind.DETERMINATION, layout=layout)
    # A single reviewer is not numbered: the letter then speaks of "the reviewer".
    several = len(seats) > 1
    if several:
        facts += [
            Fact("reviewer", _label_reviewer(seat), "Assignments", about=seat.about)
            for seat in seats
        ]
    variants = {
        seat.about: _choose_variants(lines[seat.assignment.seat].license_kind, several=several)
        for seat in seats
    }
    sentences = _compose_sentences(seats, wording, facts, variants, on=on)
    style = "2014" if layout == LAYOUTS["2014"] else "today"
    ur_decision = case.ur_decision
    document = DeterminationDocument(
        title=f"Final determination, {case.number}",
        organization=load_organization(),
        dated_on=on,
        case_number=case.number,
        how_made=sentences.how_made,
        summary_lead_in=sentences.summary_lead_in,
        summary=_join_summaries(seats),
        decisions_lead_in=sentences.decisions_lead_in,
        items=tuple(
            _compose_item(case, item, seats, wording, style=style)
            for item in _load_decided_items(case)
        ),
        credentials=tuple(
            Credentials(
                specialties=", ".join(lines[seat.assignment.seat].specialties),
                license_states=", ".join(lines[seat.assignment.seat].license_states),
                reviewer=_label_reviewer(seat) if several else "",
            )
            for seat in seats
        ),
        date_assigned=case.assigned_on,
        date_of_injury=case.date_of_injury,
        injury_last_day=case.injury_last_day,
        decision_date=on,
        ur_denial_date=ur_decision.decided_on if ur_decision else None,
        priority=_label_priority(case),
        application_received=case.received_on,
        # The layout of 2014 has no such list.
        documents_reviewed=_list_documents_read(seats) if style == "today" else (),
        closing=sentences.closing,
    )
    return Composition(
        layout=layout,
        document=document,
        facts=facts,
        wording_set=wording,
        variants=variants,
        credentials=lines,
    )


@dataclass(frozen=True)
class _Sentences:
    """The fixed sentences of the letter, by their place."""

    how_made: tuple[str, ...]
    summary_lead_in: str
    decisions_lead_in: str
    closing: tuple[str, ...]


def _choose_variants(license_kind: str, *, several: bool) -> tuple[str, ...]:
    """Return the wording variants for one reviewer, most important first."""
    if several:
        return (f"SEVERAL_{license_kind}", "SEVERAL", license_kind)
    return (license_kind,)


def _compose_sentences(
    seats: Sequence[_Seat],
    wording: WordingSet,
    facts: Sequence[Fact],
    variants: Mapping[str, tuple[str, ...]],
    *,
    on: date,
) -> _Sentences:
    by_seat = [
        letters.services.compose_wording(
            wording_set=wording,
            facts=facts,
            declared=DETERMINATION_FACTS,
            on=on,
            variants=variants[seat.about],
            about=seat.about,
        )
        for seat in seats
    ]
    # By place in the letter, so that what differs by reviewer stays together. A paragraph that
    # reviewers share is printed once.
    paragraph_groups = zip_longest(*(one.paragraphs("how_made") for one in by_seat), fillvalue="")
    how_made = dict.fromkeys(text for group in paragraph_groups for text in group if text)
    # The other places do not speak of a single reviewer, so the text for one is enough for all.
    return _Sentences(
        how_made=tuple(how_made),
        summary_lead_in=by_seat[0].text("summary_lead_in"),
        decisions_lead_in=by_seat[0].text("decisions_lead_in"),
        closing=by_seat[0].paragraphs("closing"),
    )


def collect_case_facts(case: Case, *, on: date) -> list[Fact]:
    """Return the printed facts of the case.

    An unknown fact is left out, so the letter is refused.
    """
    ur_decision = case.ur_decision
    days = {
        "date_assigned": case.assigned_on,
        "decision_date": on,
        "ur_denial_date": ur_decision.decided_on if ur_decision else None,
        "application_received": case.received_on,
    }
    printed = {name: f"{day:%m/%d/%Y}" for name, day in days.items() if day}
    if case.date_of_injury:
        printed["date_of_injury"] = case.injury_printed
    return [
        Fact("imro_name", settings.IMRO_NAME, "Settings"),
        Fact("imro_short_name", settings.IMRO_SHORT_NAME, "Settings"),
        Fact("imro_phone", settings.IMRO_PHONE, "Settings"),
        *collect_petition_facts(on),
        *collect_implementation_facts(on),
        Fact("case_number", case.number, "Registration"),
        Fact("priority", _label_priority(case), "Application"),
        *(Fact(name, text, f"Case {case.number}") for name, text in printed.items()),
    ]


def collect_seat_facts(
    assignment: ReviewerAssignment, line: proofs.CredentialLine, *, on: date, at: datetime
) -> list[Fact]:
    """Return the facts about one reviewer on a day, and about the records sent and read."""
    about = f"seat {assignment.seat}"
    facts = list(proofs.collect_reviewer_facts(assignment, on=on, known_at=at))
    facts += [
        replace(fact, about=about)
        # Both are ``None`` without proof. The letter is then refused with the name of the fact.
        for fact in (
            records.services.dispatch.dispatch_fact(assignment, on),
            records.services.dispatch.records_reviewed_fact(assignment, on),
        )
        if fact is not None
    ]
    if line.specialties:
        facts.append(Fact("specialties", ", ".join(line.specialties), "Certificates", about=about))
    if line.license_states:
        facts.append(
            Fact("license_states", ", ".join(line.license_states), "Licenses", about=about)
        )
    return facts


def _load_seats(case: Case, only_seat: int | None) -> list[_Seat]:
    assignments = case.assignments.filter(
        round=case.round,
        state__in=[ReviewerAssignment.State.ACCEPTED, ReviewerAssignment.State.FINISHED],
    ).select_related("reviewer", "review")
    if only_seat is not None:
        assignments = assignments.filter(seat=only_seat)
    seats = []
    for assignment in assignments.prefetch_related("drafts", "opinions__citations").order_by(
        "seat"
    ):
        # One case object for all seats, so that its related rows are read once.
        assignment.case = case
        review: Review | None = getattr(assignment, "review", None)
        drafts = {draft.part: draft.content for draft in assignment.drafts.all()}
        opinions = {}
        for opinion in assignment.opinions.all():
            # On the loaded row only, so that a preview shows what is not yet a version.
            for name, text in drafts.get(f"item-{opinion.item_id}", {}).items():
                setattr(opinion, name, text)
            opinions[opinion.item_id] = opinion
        written = review.summary if review else ""
        summary = drafts.get("summary", {}).get("summary", written)
        seats.append(_Seat(assignment, summary, opinions))
    if not seats:
        raise letters.services.LetterRefused(["No reviewer has accepted this case yet."])
    return seats


def _load_decided_items(case: Case) -> list[DisputedItem]:
    """List the items that this determination decides, in order."""
    decided = [DisputedItem.Ending.PENDING, DisputedItem.Ending.DECIDED]
    return list(
        list_decided_items(case)
        .filter(ending__in=decided)
        .prefetch_related("administrator_citations")
    )


def _compose_item(
    case: Case, item: DisputedItem, seats: list[_Seat], wording: WordingSet, *, style: str
) -> PrintedItem:
    # A seat may lack an opinion while the case is in review, and the preview shows the rest.
    opinions = [(seat, seat.opinions[item.pk]) for seat in seats if item.pk in seat.opinions]
    try:
        outcome, _ = derive_item_outcome([opinion.outcome for _, opinion in opinions])
        word = Outcome(outcome).label
    except NoOpinion:
        # An item without an outcome can be previewed, but the document then names it as a problem.
        word = ""
    stated = find_stated_citations(item)
    # Where reviewers differ, the letter gives each one's own determination (Labor Code 4610.6(f)).
    differ = len({opinion.outcome for _, opinion in opinions}) > 1
    codes = sorted({code for _, opinion in opinions for code in opinion.notices})
    # Some titles already begin with their prefix.
    prefix = f"{item.prefix}: " if item.prefix and not item.title.startswith(item.prefix) else ""
    return PrintedItem(
        title=f"{prefix}{item.title}",
        outcome=word,
        # Stored with the space after it, which the layout adds itself.
        separator=item.separator.rstrip() or ":",
        # Empty, so that the letter is refused, until the citations of the UR decision are entered.
        claims_administrator_guideline=""
        if stated is None
        else compose_citation_line(stated.citations, style=style, who=ADMINISTRATOR),
        analyses=tuple(
            Analysis(
                guideline=compose_citation_line(
                    _list_live_citations(opinion), style=style, who=REVIEWER
                ),
                rationale=opinion.rationale,
                reviewer=_label_reviewer(seat) if len(opinions) > 1 else "",
                outcome=Outcome(opinion.outcome).label if differ and opinion.outcome else "",
            )
            for seat, opinion in opinions
        ),
        notices=tuple(_compose_notice(wording, code) for code in codes),
    )


def _list_live_citations(opinion: Opinion) -> list[Citation]:
    # Filtered in Python, so that the prefetched citations are used.
    rows = [row for row in opinion.citations.all() if row.removed_at is None]
    return [row.citation() for row in sorted(rows, key=lambda row: row.position)]


def _compose_notice(wording: WordingSet, code: str) -> str:
    """Return the published text of a notice that is printed under an item."""
    slot = f"notice_{code.replace('-', '_')}"
    sentences = wording.sentences.filter(slot=slot).order_by("order")
    return " ".join(row.text for row in sentences)


def _join_summaries(seats: list[_Seat]) -> str:
    if len(seats) == 1:
        return seats[0].summary
    return "\n\n".join(f"{_label_reviewer(seat)}: {seat.summary}" for seat in seats)


def _label_reviewer(seat: _Seat) -> str:
    return f"Reviewer {seat.assignment.seat}"


def _label_priority(case: Case) -> str:
    """Return the label of a priority; letters print "Standard" for a regular review."""
    return "Standard" if case.priority == Priority.REGULAR else str(case.get_priority_display())


def _list_documents_read(seats: list[_Seat]) -> tuple[str, ...]:
    """List the documents that the reviewers opened (8 CCR 9792.10.6(d))."""
    read = [ReadMark.Mark.OPENED, ReadMark.Mark.REVIEWED]
    documents = (
        Document.objects.in_record()
        .filter(
            read_marks__assignment__in=[seat.assignment for seat in seats],
            read_marks__mark__in=read,
        )
        .distinct()
    )
    return tuple(_describe_document(document) for document in documents.order_by("record_page"))


def _describe_document(document: Document) -> str:
    days = [day for day in (document.dated_from, document.dated_to) if day]
    # A range of one day is printed as one date.
    when = " to ".join(dict.fromkeys(f"{day:%m/%d/%Y}" for day in days))
    parts = [document.title, document.author, when]
    pages = "1 page" if document.pages == 1 else f"{document.pages:,} pages"
    return ", ".join(part for part in (*parts, pages) if part)
