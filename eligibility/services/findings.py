"""Turns a person's eligibility answers into findings: one per fact, and one per fact and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accounts.models import User
from accounts.refusals import BadFact, refuse_if
from cases.models import Case, DisputedItem
from eligibility import rules
from eligibility.answers import AS_READ, Answer
from eligibility.models import EligibilityDecision, EligibilityFinding
from eligibility.rules import (
    ITEM_FACTS,
    NO,
    YES,
    EligibilityConclusion,
    EligibilityProposal,
    EligibilityVerdict,
)


@dataclass(frozen=True)
class ItemAnswers:
    """The answers for one item; an empty answer means the same as for the application.

    :ivar reason: the reason code, if an answer is NO.
    :ivar other_case: the number of the case that makes the item ineligible.
    """

    necessity: str = ""
    not_decided: str = ""
    reason: str = ""
    note: str = ""
    other_case: str = ""

    def answer(self, fact: str) -> str:
        return self.necessity if fact == "NECESSITY" else self.not_decided


@dataclass(frozen=True)
class EligibilityAnswers:
    """All answers, notes and reasons of one eligibility decision."""

    answers: Mapping[str, str]
    notes: Mapping[str, str]
    reasons: Mapping[str, str]
    items: Mapping[int, ItemAnswers]  # by id of the item
    other_case: str = ""  # the number of the case that makes the items ineligible

    def of(self, item: DisputedItem) -> ItemAnswers:
        return self.items.get(item.pk, ItemAnswers())

    def answer(self, fact: str, item: DisputedItem | None = None) -> str:
        """Return the item's own answer, else the application's.

        Anything invalid counts as UNKNOWN.
        """
        own = self.of(item).answer(fact) if item else ""
        answer = own or self.answers.get(fact, "")
        return answer if answer in Answer.values else Answer.UNKNOWN.value

    def other_case_of(self, item: DisputedItem) -> str:
        """Return the number of the case that the item names, else the application's."""
        return self.of(item).other_case or self.other_case

    def note(self, fact: str, item: DisputedItem | None = None) -> str:
        own = self.of(item).note if item else ""
        return (own or self.notes.get(fact, "")).strip()

    def code(self, fact: str, item: DisputedItem | None = None) -> str:
        """Return the reason code that the person chose for a NO; empty if none was chosen."""
        own = self.of(item).reason if item else ""
        # An item has one reason field for two facts, so a code counts only for its own fact.
        codes = [own, self.reasons.get(fact, "")]
        return next((code for code in codes if code in rules.CODES[fact]), "")


def answer_from_reading(
    submitted: EligibilityAnswers, items: Sequence[DisputedItem], proposal: EligibilityProposal
) -> EligibilityAnswers:
    """Answer NECESSITY from the UR decision as entered, if the person left it to that.

    An item with an answer of its own keeps it.
    """
    fact = "NECESSITY"
    if submitted.answers.get(fact) != AS_READ:
        return submitted
    by_item = dict(submitted.items)
    for item in items:
        own = submitted.of(item)
        if not own.necessity:
            read = _proposed_answer(proposal, fact, item)
            by_item[item.pk] = replace(own, necessity=read)
    return replace(
        submitted,
        answers={**submitted.answers, fact: proposal.answers[fact]},
        items=by_item,
    )


def conclude_eligibility(
    submitted: EligibilityAnswers, items: Sequence[DisputedItem], proposal: EligibilityProposal
) -> EligibilityConclusion:
    """Derive the result from a person's answers."""
    codes: dict[tuple[str, int | None], str] = {}
    for fact in rules.FACTS:
        codes[fact, None] = _choose_code(fact, submitted.code(fact), proposal.governing(fact))
        for item in items:
            verdict = _governing_verdict(proposal, fact, item)
            codes[fact, item.position] = _choose_code(fact, submitted.code(fact, item), verdict)
    return rules.weigh_item_answers(
        {fact: submitted.answer(fact) for fact in rules.FACTS},
        {
            item.position: {fact: submitted.answer(fact, item) for fact in ITEM_FACTS}
            for item in items
        },
        codes=codes,
    )


def refuse_unknown_references(
    submitted: EligibilityAnswers, case: Case, items: Sequence[DisputedItem], *, by: User
) -> None:
    """Refuse answers about items of other cases, or with case numbers that do not exist.

    :raises NotAllowed: an item of another case.
    :raises BadFact: naming the wrong number, and the field in which it was typed.
    """
    strangers = set(submitted.items) - {item.pk for item in items}
    refuse_if("Choose items of this case that are still pending." if strangers else "")
    fields = {f"other_{item_id}": own.other_case for item_id, own in submitted.items.items()}
    fields["other_NOT_DECIDED"] = submitted.other_case
    named = set(fields.values()) - {""}
    known = Case.objects.visible_to(by).filter(number__in=named).values_list("number", flat=True)
    unknown = named - set(known) if named else set()
    for field, number in fields.items():
        if number and number == case.number:
            raise BadFact(field, "A case cannot be its own duplicate.")
        if number in unknown:
            raise BadFact(field, f"Case {number} does not exist. Check the number.")


def refuse_unexplained_answers(
    submitted: EligibilityAnswers, items: Sequence[DisputedItem], proposal: EligibilityProposal
) -> list[str]:
    """Refuse answers that contradict the proposal without a note; return the notes.

    An answer to a fact that the rules did not know is no contradiction.

    :raises NotAllowed: naming the facts without a note.
    """
    silent, why = [], []
    for fact, item in list_contradictions(submitted, items, proposal):
        name = f"{_FACT_NAMES[fact]}{f' (item {item.position})' if item else ''}"
        note = submitted.note(fact, item)
        if note:
            why.append(f"{name}: {note}")
        else:
            silent.append(name)
    if silent:
        named = "; ".join(silent)
        refuse_if(f"Explain in the note why your answer differs from the proposed one: {named}.")
    return why


def list_contradictions(
    submitted: EligibilityAnswers, items: Sequence[DisputedItem], proposal: EligibilityProposal
) -> list[tuple[str, DisputedItem | None]]:
    """List the facts, or facts and items, to which an answer is the opposite of the proposal."""
    return [
        (fact, item)
        for fact in rules.FACTS
        for item in (items if fact in ITEM_FACTS else [None])
        if {_proposed_answer(proposal, fact, item), submitted.answer(fact, item)} == {YES, NO}
    ]


def describe_notes(rows: Sequence[EligibilityFinding]) -> str:
    """Return the notes of a decision as one text, each after the fact that it is about.

    A note on several facts or items is named once.
    """
    names: dict[str, str] = {}
    for row in rows:
        if row.note:
            names.setdefault(row.note, _FACT_NAMES[row.fact])
    return " ".join(
        f"{name[0].upper()}{name[1:]}: {note.rstrip('.')}." for note, name in names.items()
    )


def build_findings(
    decision: EligibilityDecision,
    submitted: EligibilityAnswers,
    items: Sequence[DisputedItem],
    proposal: EligibilityProposal,
    conclusion: EligibilityConclusion,
) -> list[EligibilityFinding]:
    """Build the findings of a decision, unsaved: six for the application, two for each item."""
    others = {submitted.other_case, *(one.other_case for one in submitted.items.values())}
    others |= {verdict.other_case for verdict in proposal.verdicts}
    # One query for all numbers, instead of one per item.
    # The typed numbers were checked, and the proposal names only cases that its reader may find.
    cases = {case.number: case for case in Case.objects.filter(number__in=others - {""})}
    rows = []
    for fact in rules.FACTS:
        answer = conclusion.answers[fact]
        rows.append(_build_finding(decision, fact, None, answer, submitted, proposal))
        if fact not in ITEM_FACTS:
            continue
        for item in items:
            answer = submitted.answer(fact, item)
            row = _build_finding(decision, fact, item, answer, submitted, proposal)
            # Other reasons refer to no case, even if a number was typed.
            if row.reason_code in {"I-DUP", "I-PRIOR"}:
                verdict = _governing_verdict(proposal, fact, item)
                number = submitted.other_case_of(item) or (verdict.other_case if verdict else "")
                row.other_case = cases.get(number)
            rows.append(row)
    # If the application's finding has no note, it takes over the notes of its items. The database
    # requires a note where a person answers YES against a proposed NO.
    for row in rows:
        if row.item_id is None and row.fact in ITEM_FACTS and not row.note:
            row.note = " ".join(
                dict.fromkeys(one.note for one in rows if one.fact == row.fact and one.item_id)
            ).strip()
    return rows


def _build_finding(
    decision: EligibilityDecision,
    fact: str,
    item: DisputedItem | None,
    answer: str,
    submitted: EligibilityAnswers,
    proposal: EligibilityProposal,
) -> EligibilityFinding:
    verdict = _governing_verdict(proposal, fact, item) if item else proposal.governing(fact)
    if verdict is None and item is None:  # a fact with item verdicts only: take the strictest
        per_item = [one for one in proposal.verdicts if one.fact == fact]
        verdict = min(
            per_item, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None
        )
    code = ""
    if answer == NO:
        code = _choose_code(fact, submitted.code(fact, item), verdict)
    letter = ""
    # For facts answered by item, only the item's finding has the letter's sentence.
    if code and (item is not None or fact not in ITEM_FACTS):
        # The sentence of the verdict names its dates. It fits only if the person kept its code.
        own = verdict.letter_sentence if verdict and verdict.code == code else ""
        letter = own or rules.LETTER_SENTENCES[code]
    return EligibilityFinding(
        decision=decision,
        fact=fact,
        item=item,
        answer=answer if answer in Answer.values else Answer.UNKNOWN,
        proposed=_proposed_answer(proposal, fact, item),
        reason_code=code,
        facts_used=[used.as_row() for used in verdict.used] if verdict else [],
        source=verdict.source if verdict else "",
        sentence=verdict.sentence if verdict else "",
        letter_sentence=letter,
        note=submitted.note(fact, item),
    )


def _governing_verdict(
    proposal: EligibilityProposal, fact: str, item: DisputedItem | None
) -> EligibilityVerdict | None:
    """Return the stricter verdict of an answer: the item's or the application's."""
    verdicts = [*proposal.of(fact, item.position if item else None)]
    verdicts += proposal.of(fact) if item else []
    return min(verdicts, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None)


def _proposed_answer(proposal: EligibilityProposal, fact: str, item: DisputedItem | None) -> str:
    if item is None:
        return proposal.answers[fact]
    return proposal.item_answers.get(item.position, {}).get(fact, "")


def _choose_code(fact: str, chosen_code: str, verdict: EligibilityVerdict | None) -> str:
    proposed = verdict.code if verdict and verdict.answer == NO else ""
    return chosen_code or proposed or rules.REASONS[fact]


_FACT_NAMES = {
    "SIGNED": "signed",
    "TIMELY": "received on time",
    "UR_ATTACHED": "UR decision attached",
    "NECESSITY": "denied for medical necessity",
    "NOT_DECIDED": "not a duplicate or decided before",
    "LIABILITY_CLEAR": "no liability dispute",
}
