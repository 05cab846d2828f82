"""Turns a person's eligibility answers into findings: one per fact, and one per fact and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.refusals import refuse_if
from cases.models import Case, DisputedItem
from eligibility import rules
from eligibility.answers import Answer
from eligibility.models import EligibilityDecision, EligibilityFinding
from eligibility.rules import ITEM_FACTS, NO, YES, Conclusion, EligibilityVerdict, Proposal


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

    def of(self, item: DisputedItem) -> ItemAnswers:
        return self.items.get(item.pk, ItemAnswers())

    def answer(self, fact: str, item: DisputedItem | None = None) -> str:
        """The item's own answer, else the application's; anything invalid counts as UNKNOWN."""
        own = self.of(item).answer(fact) if item else ""
        answer = own or self.answers.get(fact, "")
        return answer if answer in Answer.values else Answer.UNKNOWN.value

    def note(self, fact: str, item: DisputedItem | None = None) -> str:
        own = self.of(item).note if item else ""
        return (own or self.notes.get(fact, "")).strip()

    def code(self, fact: str, item: DisputedItem | None = None) -> str:
        """The reason code that the person chose for a NO; empty if none was chosen."""
        own = self.of(item).reason if item else ""
        # An item has one reason field for two facts, so a code counts only for its own fact.
        chosen = [own, self.reasons.get(fact, "")]
        return next((code for code in chosen if code in rules.CODES[fact]), "")


def conclude_eligibility(
    said: EligibilityAnswers, items: Sequence[DisputedItem], proposal: Proposal
) -> Conclusion:
    """Derive the result from a person's answers."""
    codes: dict[tuple[str, int | None], str] = {}
    for fact in rules.FACTS:
        codes[fact, None] = _choose_code(fact, said.code(fact), proposal.governing(fact))
        for item in items:
            verdict = _governing_verdict(proposal, fact, item)
            codes[fact, item.position] = _choose_code(fact, said.code(fact, item), verdict)
    return rules.weigh_item_answers(
        {fact: said.answer(fact) for fact in rules.FACTS},
        {item.position: {fact: said.answer(fact, item) for fact in ITEM_FACTS} for item in items},
        codes=codes,
    )


def refuse_unknown_references(
    said: EligibilityAnswers, case: Case, items: Sequence[DisputedItem]
) -> None:
    """Refuse answers about items of other cases, or with case numbers that do not exist.

    :raises NotAllowed: naming the wrong number.
    """
    strangers = set(said.items) - {item.pk for item in items}
    refuse_if("Choose items of this case that are still pending." if strangers else "")
    for number in {one.other_case for one in said.items.values() if one.other_case}:
        refuse_if("A case cannot be its own duplicate." if number == case.number else "")
        known = Case.objects.filter(number=number).exists()
        refuse_if("" if known else f"Case {number} does not exist. Check the number.")


def refuse_unexplained_answers(
    said: EligibilityAnswers, items: Sequence[DisputedItem], proposal: Proposal
) -> list[str]:
    """Refuse answers that contradict the proposal without a note; return the notes.

    An answer to a fact that the rules did not know is no contradiction.

    :raises NotAllowed: naming the facts without a note.
    """
    silent, why = [], []
    for fact in rules.FACTS:
        per_item = items if fact in ITEM_FACTS else [None]
        for item in per_item:
            proposed = _proposed_answer(proposal, fact, item)
            if {proposed, said.answer(fact, item)} != {YES, NO}:  # not opposite answers
                continue
            name = f"{_FACT_NAMES[fact]}{f' (item {item.position})' if item else ''}"
            note = said.note(fact, item)
            if note:
                why.append(f"{name}: {note}")
            else:
                silent.append(name)
    if silent:
        named = "; ".join(silent)
        refuse_if(f"Explain in the note why your answer differs from the proposed one: {named}.")
    return why


def build_findings(
    decision: EligibilityDecision,
    said: EligibilityAnswers,
    items: Sequence[DisputedItem],
    proposal: Proposal,
    conclusion: Conclusion,
) -> list[EligibilityFinding]:
    """Build the findings of a decision, unsaved: six for the application, two for each item."""
    others = {one.other_case for one in said.items.values()} | {
        verdict.other_case for verdict in proposal.verdicts
    }
    # One query for all numbers, instead of one per item.
    cases = {case.number: case for case in Case.objects.filter(number__in=others - {""})}
    found = []
    for fact in rules.FACTS:
        answer = conclusion.answers[fact]
        found.append(_build_finding(decision, fact, None, answer, said, proposal))
        if fact not in ITEM_FACTS:
            continue
        for item in items:
            answer = said.answer(fact, item)
            row = _build_finding(decision, fact, item, answer, said, proposal)
            # Other reasons refer to no case, even if a number was typed.
            if row.reason_code in {"I-DUP", "I-PRIOR"}:
                verdict = _governing_verdict(proposal, fact, item)
                number = said.of(item).other_case or (verdict.other_case if verdict else "")
                row.other_case = cases.get(number)
            found.append(row)
    # If the application's finding has no note, it takes over the notes of its items. The database
    # requires a note where a person answers YES against a proposed NO.
    for row in found:
        if row.item_id is None and row.fact in ITEM_FACTS and not row.note:
            row.note = " ".join(
                dict.fromkeys(one.note for one in found if one.fact == row.fact and one.item_id)
            ).strip()
    return found


def _build_finding(
    decision: EligibilityDecision,
    fact: str,
    item: DisputedItem | None,
    answer: str,
    said: EligibilityAnswers,
    proposal: Proposal,
) -> EligibilityFinding:
    verdict = _governing_verdict(proposal, fact, item) if item else proposal.governing(fact)
    if verdict is None and item is None:  # a fact with item verdicts only: take the strictest
        per_item = [one for one in proposal.verdicts if one.fact == fact]
        verdict = min(
            per_item, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None
        )
    code = ""
    if answer == NO:
        code = _choose_code(fact, said.code(fact, item), verdict)
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
        note=said.note(fact, item),
    )


def _governing_verdict(
    proposal: Proposal, fact: str, item: DisputedItem | None
) -> EligibilityVerdict | None:
    """The verdict that determines an answer: the item's or the application's, the stricter one."""
    found = [*proposal.of(fact, item.position if item else None)]
    found += proposal.of(fact) if item else []
    return min(found, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None)


def _proposed_answer(proposal: Proposal, fact: str, item: DisputedItem | None) -> str:
    if item is None:
        return proposal.answers[fact]
    return proposal.item_answers.get(item.position, {}).get(fact, "")


def _choose_code(fact: str, chosen: str, verdict: EligibilityVerdict | None) -> str:
    proposed = verdict.code if verdict and verdict.answer == NO else ""
    return chosen or proposed or rules.REASONS[fact]


_FACT_NAMES = {
    "SIGNED": "signed",
    "TIMELY": "received on time",
    "UR_ATTACHED": "UR decision attached",
    "NECESSITY": "denied for medical necessity",
    "NOT_DECIDED": "not a duplicate or decided before",
    "LIABILITY_CLEAR": "no liability dispute",
}
