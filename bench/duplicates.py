"""Precision and recall of the duplicate matcher on labeled synthetic pairs.

A pair is labeled by how it was made: the same application keyed twice with typing errors, or two
similar ones (relatives, twins, a second injury, another decision). The names are invented.
"""

import json
import random
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from cases.duplicates import PROPOSED, ApplicationFacts, compare_applications

RESULT = Path(__file__).parent / "results" / "duplicates.json"
FIRST = ["Marisol", "Ana", "José", "Wei", "Oluwaseun", "Siobhán", "Pedro", "Thu", "Dmitri",
         "Noor", "Grace", "Emeka", "Lucía", "Hyun", "Tomás", "Ruth", "Ibrahim", "Mei",
         "Patrick", "Yolanda"]  # fmt: skip
LAST = ["Quintanar", "Núñez-García", "O'Brien", "Nguyen", "Adeyemi", "Castellanos", "Petrov",
        "Al-Sayed", "Kim", "De la Cruz", "Martínez López", "Okafor", "Ng", "Fitzgerald",
        "Hernández", "Yamamoto", "Van den Berg", "Delgado", "Singh", "Washington"]  # fmt: skip
ITEMS = ["Cervical epidural steroid injection at C3-4", "MRI of the lumbar spine",
         "Physical therapy, 12 visits", "Norco 10/325 mg #90", "Right knee arthroscopy",
         "Gabapentin 300 mg #90", "Acupuncture, 6 visits", "TENS unit purchase"]  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two applications, whether they are one application, and how they were made."""

    one: ApplicationFacts
    other: ApplicationFacts
    is_same: bool
    kind: str


@dataclass(frozen=True)
class Measured:
    """Of the pairs proposed, how many are the same; of the same, how many were proposed."""

    pairs: int
    precision: float
    recall: float
    by_kind: dict[str, str]


def labeled_pairs(*, count: int, seed: int) -> list[Pair]:
    """Make pairs, half of each label; the same seed gives the same pairs."""
    chance = random.Random(seed)  # noqa: S311
    makers = [_keyed_twice, _turned_name, _half_known, _make_relative, _make_twin, _second_injury,
              _make_repeat, _make_stranger]  # fmt: skip
    return [makers[number % len(makers)](_make_facts(chance), chance) for number in range(count)]


def measure_matcher(pairs: Sequence[Pair]) -> Measured:
    """Run the matcher over the pairs."""
    proposed = {
        id(pair): compare_applications(pair.one, pair.other).band in PROPOSED for pair in pairs
    }
    hits = sum(proposed[id(pair)] and pair.is_same for pair in pairs)
    called = sum(proposed.values())
    same = sum(pair.is_same for pair in pairs)
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for pair in pairs:
        total[pair.kind] += 1
        right[pair.kind] += proposed[id(pair)] == pair.is_same
    return Measured(
        pairs=len(pairs),
        precision=round(hits / called, 4) if called else 1.0,
        recall=round(hits / same, 4) if same else 1.0,
        by_kind={kind: f"{right[kind]} of {total[kind]} right" for kind in sorted(total)},
    )


def main() -> None:
    """Print and store the results."""
    measured = measure_matcher(labeled_pairs(count=400, seed=2026))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")
    print(json.dumps(asdict(measured), indent=1))


def _make_facts(chance: random.Random) -> ApplicationFacts:
    injured = date(2020, 1, 1) + timedelta(days=chance.randrange(2000))
    return ApplicationFacts(
        employee=f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        born=date(1955, 1, 1) + timedelta(days=chance.randrange(16000)),
        claim=f"{chance.randrange(10, 99)}-{chance.randrange(1000, 9999)}-"
        f"{chance.randrange(10000, 99999)}",
        injured=injured,
        ur_decided=injured + timedelta(days=100 + chance.randrange(400)),
        physician=f"{chance.choice(FIRST)} {chance.choice(LAST)}",
        items=tuple(chance.sample(ITEMS, chance.choice([1, 1, 2]))),
    )


def _keyed_twice(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """One typing error in the name, one in the claim number."""
    other = replace(
        facts,
        employee=_make_slip(facts.employee, string.ascii_lowercase, chance),
        claim=_make_slip(facts.claim, string.digits, chance),
    )
    return Pair(facts, other, True, "keyed twice")


def _turned_name(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """Surname first, in capitals, without accents."""
    first, _, last = facts.employee.partition(" ")
    return Pair(facts, replace(facts, employee=f"{last}, {first}".upper()), True, "turned name")


def _half_known(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """The second form lacks the date of birth and the claim number, or the date of injury."""
    other = (
        replace(facts, born=None, claim="")
        if chance.random() < 0.5
        else replace(facts, injured=None, physician="")
    )
    return Pair(facts, other, True, "half known")


def _make_relative(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """Another employee with the same surname and employer: another claim and date of birth."""
    last = facts.employee.partition(" ")[2]
    stranger = _make_facts(chance)
    other = replace(stranger, employee=f"{chance.choice(FIRST[:10])}x {last}", items=facts.items)
    return Pair(facts, other, False, "relative")


def _make_twin(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """The same date of birth and surname; everything else differs."""
    last = facts.employee.partition(" ")[2]
    other = replace(_make_facts(chance), employee=f"Zara {last}", born=facts.born)
    return Pair(replace(facts, employee=f"Omar {last}"), other, False, "twin")


def _second_injury(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """The same person with a second injury: another claim, decision and treatment."""
    other = _make_facts(chance)
    other = replace(other, employee=facts.employee, born=facts.born)
    return Pair(facts, other, False, "second injury")


def _make_repeat(facts: ApplicationFacts, chance: random.Random) -> Pair:
    """The same treatment requested again months later: another decision, so no duplicate."""
    assert facts.ur_decided is not None
    later = facts.ur_decided + timedelta(days=95 + chance.randrange(200))
    return Pair(facts, replace(facts, ur_decided=later), False, "repeat")


def _make_stranger(facts: ApplicationFacts, chance: random.Random) -> Pair:
    return Pair(facts, _make_facts(chance), False, "stranger")


def _make_slip(text: str, letters: str, chance: random.Random) -> str:
    """One character added, left out or replaced, or two swapped, but never the first."""
    places = [n for n, letter in enumerate(text) if letter.isalnum() and n > 0]
    at = chance.choice(places)
    kind = chance.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + chance.choice(letters) + text[at:]
    return text[:at] + chance.choice(letters) + text[at + 1 :]


if __name__ == "__main__":
    main()
