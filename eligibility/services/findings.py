"""Turns a person's eligibility answers into findings: one per fact, and one per fact and item."""

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
class Said:
    """All answers, notes and reasons of one eligibility decision."""

    answers: Mapping[str, str]
    notes: Mapping[str, str]
    reasons: Mapping[str, str]
    items: Mapping[int, ItemSaid]  # by id of the item

    def of(self, item: DisputedItem) -> ItemSaid:
        return self.items.get(item.pk, ItemSaid())

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
        chosen = [own, self.reasons.get(fact, "")]
        return next((code for code in chosen if code in rules.CODES[fact]), "")


def conclude(said: Said, items: Sequence[DisputedItem], proposal: Proposal) -> Conclusion:
    """Derive the result from a person's answers."""
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
    """Refuse answers about items of other cases, or with case numbers that do not exist.

    :raises NotAllowed: naming the wrong number.
    """
    strangers = set(said.items) - {item.pk for item in items}
    refuse("Choose items of this case that are still pending." if strangers else "")
    for number in {one.other_case for one in said.items.values() if one.other_case}:
        refuse("A case cannot be its own duplicate." if number == case.number else "")
        known = Case.objects.filter(number=number).exists()
        refuse("" if known else f"Case {number} does not exist. Check the number.")


def refuse_silent_difference(
    said: Said, items: Sequence[DisputedItem], proposal: Proposal
) -> list[str]:
    """Refuse answers that contradict the proposal without a note; return the notes.

    An answer to a fact that the rules did not know is no contradiction.

    :raises NotAllowed: naming the facts without a note.
    """
    silent, why = [], []
    for fact in rules.FACTS:
        per_item = items if fact in ITEM_FACTS else [None]
        for item in per_item:
            proposed = _proposed(proposal, fact, item)
            if {proposed, said.answer(fact, item)} != {YES, NO}:  # not opposite answers
                continue
            name = f"{_WORDS[fact]}{f' (item {item.position})' if item else ''}"
            note = said.note(fact, item)
            if note:
                why.append(f"{name}: {note}")
            else:
                silent.append(name)
    if silent:
        named = "; ".join(silent)
        refuse(f"Explain in the note why your answer differs from the proposed one: {named}.")
    return why


def rows(
    decision: EligibilityDecision,
    said: Said,
    items: Sequence[DisputedItem],
    proposal: Proposal,
    conclusion: Conclusion,
) -> list[EligibilityFinding]:
    """Build the findings of a decision, unsaved: six for the application, two for each item."""
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
    # If the application's finding has no note, it takes over the notes of its items. The database
    # requires a note where a person answers YES against a proposed NO.
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
    if verdict is None and item is None:  # a fact with item verdicts only: take the strictest
        per_item = [one for one in proposal.verdicts if one.fact == fact]
        verdict = min(
            per_item, key=lambda one: (NO, "UNKNOWN", YES).index(one.answer), default=None
        )
    code = ""
    if answer == NO:
        code = _code(fact, said.code(fact, item), verdict)
    letter = ""
    # For facts answered by item, only the item's finding has the letter's sentence.
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
    """The verdict that determines an answer: the item's or the application's, the stricter one."""
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
    "TIMELY": "received on time",
    "UR_ATTACHED": "UR decision attached",
    "NECESSITY": "denied for medical necessity",
    "NOT_DECIDED": "not a duplicate or decided before",
    "LIABILITY_CLEAR": "no liability dispute",
}
