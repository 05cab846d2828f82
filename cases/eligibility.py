"""From six answered facts to a finding. Pure: no rows are read, no clock.

Each fact is answered YES, NO or UNKNOWN. Only six YES make a case eligible; an UNKNOWN never
counts as NO (8 CCR 9792.10.3(a)-(d)).
"""

from collections.abc import Mapping
from dataclasses import dataclass

FACTS = (
    "SIGNED",
    "TIMELY",
    "UR_ATTACHED",
    "NECESSITY",
    "NOT_DECIDED",
    "LIABILITY_CLEAR",
)

# The coded reason that a NO gives, as domain law knows it.
REASONS = {
    "SIGNED": "I-UNSIGNED",
    "TIMELY": "I-LATE",
    "UR_ATTACHED": "I-NOUR",
    "NECESSITY": "I-NOTINUR",
    "NOT_DECIDED": "I-PRIOR",
    "LIABILITY_CLEAR": "I-LIAB",
}

NEEDED = {
    "SIGNED": "whether the employee or a valid representative signed",
    "TIMELY": "whether the application came in time",
    "UR_ATTACHED": "whether the UR decision is attached",
    "NECESSITY": "whether the UR decision denies or modifies these items for medical necessity",
    "NOT_DECIDED": "whether the treatment was disputed or decided before",
    "LIABILITY_CLEAR": "whether liability is disputed",
}


@dataclass(frozen=True)
class Conclusion:
    """What the answers amount to: a result, the coded reasons, and one sentence."""

    result: str  # ELIGIBLE, INELIGIBLE, DEFERRED or INCOMPLETE
    reasons: tuple[str, ...]
    sentence: str


def conclude(answers: Mapping[str, str]) -> Conclusion:
    """Weigh the six answers.

    A NO ends the question; a liability dispute alone defers it, because it may be resolved
    (8 CCR 9792.10.3(d)); a missing or unknown fact keeps the case in screening.

    :raises KeyError: an answer names a fact that is not one of the six.
    """
    for fact in answers:
        if fact not in REASONS:
            raise KeyError(fact)
    refusals = [fact for fact in FACTS if answers.get(fact) == "NO" and fact != "LIABILITY_CLEAR"]
    if refusals:
        codes = tuple(REASONS[fact] for fact in refusals)
        return Conclusion("INELIGIBLE", codes, f"Ineligible: {', '.join(codes)}.")
    unknown = [fact for fact in FACTS if answers.get(fact) not in {"YES", "NO"}]
    if answers.get("LIABILITY_CLEAR") == "NO" and not unknown:
        return Conclusion(
            "DEFERRED", ("I-LIAB",), "Deferred until the liability dispute is resolved."
        )
    if unknown:
        missing = "; ".join(NEEDED[fact] for fact in unknown)
        return Conclusion("INCOMPLETE", (), f"Not yet known: {missing}.")
    return Conclusion("ELIGIBLE", (), "All six facts are answered yes: the case is eligible.")
