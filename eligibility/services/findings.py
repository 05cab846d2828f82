"""From a person's answers to the rows of a finding: one a fact, and one a fact and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.refusals import refuse
from cases.models import Case, DisputedItem
from eligibility import rules
from eligibility.answers import Answer
from eligibility.models import EligibilityDecision, EligibilityFinding
from eligibility.rules import ITEM_FACTS, NO, YES, Conclusion, Proposal, Verdict


@dataclass(frozen=True)
class ItemSaid:
    """What a person says of one item; an empty answer is the one that is given for the whole.

    :ivar reason: the coded reason, where an answer is NO.
    :ivar other_case: number of the case on account of which the item is ineligible.
    """

    necessity: str = ""
    not_decided: str = ""
    reason: str = ""
    note: str = ""
    other_case: str = ""

    def answer(self, fact: str) -> str:
        return self.necessity if fact == "NECESSITY" else self.not_decided


@dataclass(frozen=True)
class Said:
    """Everything a person answers on the page of eligibility."""

    answers: Mapping[str, str]
    notes: Mapping[str, str]
    reasons: Mapping[str, str]
    items: Mapping[int, ItemSaid]  # by id of the item

    def of(self, item: DisputedItem) -> ItemSaid:
        return self.items.get(item.pk, ItemSaid())

    def answer(self, fact: str, item: DisputedItem | None = None) -> str:
        """The answer that counts; whatever is not one of the three is UNKNOWN."""
        own = self.of(item).answer(fact) if item else ""
        said = own or self.answers.get(fact, "")
        return said if said in Answer.values else Answer.UNKNOWN.value

    def note(self, fact: str, item: DisputedItem | None = None) -> str:
        own = self.of(item).note if item else ""
        return (own or self.notes.get(fact, "")).strip()

    def code(self, fact: str, item: DisputedItem | None = None) -> str:
        """The coded reason that a person chose for a NO; empty where they chose none."""
        own = self.of(item).reason if item else ""
        chosen = [own, self.reasons.get(fact, "")]
        return next((code for code in chosen if code in rules.CODES[fact]), "")


def conclude(said: Said, items: Sequence[DisputedItem], proposal: Proposal) -> Conclusion:
    """What the answers of a person amount to."""
    codes: dict[tuple[str, int | None], str] = {}
    for fact in rules.FACTS:
        codes[fact, None] = _code(fact, said.code(fact), proposal.governing(fact))
        for item in items:
            verdict = _governing(proposal, fact, item)
            codes[fact, item.position] = _code(fact, said.code(fact, item), verdict)
    return rules.weigh(
        {fact: said.answer(fact) for fact in rules.FACTS},
        {item.position: {fact: said.answer(fact, item) for fact in ITEM_FACTS} for item in items},
        codes=codes,
    )


def refuse_unknown_words(said: Said, case: Case, items: Sequence[DisputedItem]) -> None:
    """Refuse items and other cases that are not there.

    :raises NotAllowed: with the number that no one knows.
    """
    strangers = set(said.items) - {item.pk for item in items}
    refuse("Choose items of this case that are still pending." if strangers else "")
    for number in {one.other_case for one in said.items.values() if one.other_case}:
        refuse("A case cannot be its own duplicate." if number == case.number else "")
        known = Case.objects.filter(number=number).exists()
        refuse("" if known else f"There is no case {number}. Check the number.")


def refuse_silent_difference(
    said: Said, items: Sequence[DisputedItem], proposal: Proposal
) -> list[str]:
    """Refuse an answer against what the rules say unless a note says why; list the notes.

    Filling in what the rules do not know is no difference.

    :raises NotAllowed: naming the facts.
    """
    silent, why = [], []
    for fact in rules.FACTS:
        per_item = items if fact in ITEM_FACTS else [None]
        for item in per_item:
            proposed = _proposed(proposal, fact, item)
            if {proposed, said.answer(fact, item)} != {YES, NO}:
                continue
            name = f"{_WORDS[fact]}{f' (item {item.position})' if item else ''}"
            note = said.note(fact, item)
            if note:
                why.append(f"{name}: {note}")
            else:
                silent.append(name)
    if silent:
        named = "; ".join(silent)
        refuse(f"Say in the note why you answer otherwise than the rules do: {named}.")
    return why


def rows(
    decision: EligibilityDecision,
    said: Said,
    items: Sequence[DisputedItem],
    proposal: Proposal,
    conclusion: Conclusion,
) -> list[EligibilityFinding]:
    """The findings of a decision, unsaved: six for the application, two for each item."""
    others = {one.other_case for one in said.items.values()} | {
        verdict.other_case for verdict in proposal.verdicts
    }
    cases = {case.number: case for case in Case.objects.filter(number__in=others - {""})}
    found = []
    for fact in rules.FACTS:
        answer = conclusion.answers[fact]
        found.append(_row(decision, fact, None, answer, said, proposal))
        if fact not in ITEM_FACTS:
            continue
        for item in items:
            answer = said.answer(fact, item)
            row = _row(decision, fact, item, answer, said, proposal)
            if row.reason_code in {"I-DUP", "I-PRIOR"}:
                verdict = _governing(proposal, fact, item)
                number = said.of(item).other_case or (verdict.other_case if verdict else "")
                row.other_case = cases.get(number)
            found.append(row)
    # The note of an item stands for the whole where the whole has none.
    for row in found:
        if row.item_id is None and row.fact in ITEM_FACTS and not row.note:
            row.note = " ".join(
                dict.fromkeys(one.note for one in found if one.fact == row.fact and one.item_id)
            ).strip()
    return found


def _row(
    decision: EligibilityDecision,
    fact: str,
    item: DisputedItem | None,
    answer: str,
    said: Said,
    proposal: Proposal,
) -> EligibilityFinding:
    verdict = _governing(proposal, fact, item) if item else proposal.governing(fact)
    if verdict is None and item is None:  # answered by item alone: the first that matters
        per_item = [one for one in proposal.verdicts if one.fact == fact]
        verdict = min(
            per_item, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None
        )
    code = ""
    if answer == NO:
        code = _code(fact, said.code(fact, item), verdict)
    letter = ""
    # For facts that are answered by item the sentence stands with the item, and only there.
    if code and (item is not None or fact not in ITEM_FACTS):
        own = verdict.letter_sentence if verdict and verdict.code == code else ""
        letter = own or rules.LETTER_SENTENCES[code]
    return EligibilityFinding(
        decision=decision,
        fact=fact,
        item=item,
        answer=answer if answer in Answer.values else Answer.UNKNOWN,
        proposed=_proposed(proposal, fact, item),
        reason_code=code,
        facts_used=[used.as_row() for used in verdict.used] if verdict else [],
        source=verdict.source if verdict else "",
        sentence=verdict.sentence if verdict else "",
        letter_sentence=letter,
        note=said.note(fact, item),
    )


def _governing(proposal: Proposal, fact: str, item: DisputedItem | None) -> Verdict | None:
    """The verdict on an item: its own, or the one on the whole where that is stricter."""
    found = [*proposal.of(fact, item.position if item else None)]
    found += proposal.of(fact) if item else []
    return min(found, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None)


def _proposed(proposal: Proposal, fact: str, item: DisputedItem | None) -> str:
    if item is None:
        return proposal.answers[fact]
    return proposal.item_answers.get(item.position, {}).get(fact, "")


def _code(fact: str, chosen: str, verdict: Verdict | None) -> str:
    proposed = verdict.code if verdict and verdict.answer == NO else ""
    return chosen or proposed or rules.REASONS[fact]


_WORDS = {
    "SIGNED": "signed",
    "TIMELY": "received in time",
    "UR_ATTACHED": "UR decision attached",
    "NECESSITY": "denied for medical necessity",
    "NOT_DECIDED": "not a duplicate or decided before",
    "LIABILITY_CLEAR": "no liability dispute",
}
