"""What a clerk should know before accepting an application. Nothing here refuses anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cases.duplicates import ApplicationFacts
from cases.models import Case, Priority
from cases.services import duplicates
from deadlines.calendars import CannotCount
from deadlines.models import rules_on_file
from deadlines.sums import Unknown
from deadlines.timeliness import Late, timeliness
from directory.names import fold_number

MOST_ALIKE = 5
SHORTEST_CLAIM = 4  # a shorter number is many people's


@dataclass(frozen=True)
class Alike:
    """An open case that the application may repeat, and the sentences that say why."""

    case: Case
    because: str


@dataclass(frozen=True)
class Line:
    """One line of the list: whether it is there, and what to know about it."""

    is_there: bool
    words: str


@dataclass(frozen=True)
class Checked:
    """The one combined answer to an application so far.

    :ivar in_time: ``YES``, ``NO`` or ``UNKNOWN``, as screening will find it.
    :ivar timeliness: the deadline engine's own sentence, which names the date or the missing fact.
    """

    alike: list[Alike] = field(default_factory=list)
    in_time: str = "UNKNOWN"
    timeliness: str = ""
    lines: list[Line] = field(default_factory=list)


def check(*, said: Mapping[str, Any], items: int) -> Checked:
    """Look at an application as far as it is keyed: repeated? in time? complete?

    :param said: the form's fields that could be read so far, by name.
    :param items: how many treatments are keyed.
    """
    in_time, sentence = _timeliness(said)
    return Checked(find_alike(said=said), in_time, sentence, list(_lines(said, items)))


def find_alike(*, said: Mapping[str, Any]) -> list[Alike]:
    """The cases that the application may repeat as far as it is keyed, the surest first."""
    facts = ApplicationFacts(
        employee=" ".join(filter(None, (said.get("first_name"), said.get("last_name")))),
        born=said.get("date_of_birth"),
        claim=fold_number(said.get("claim_number") or ""),
        injured=said.get("date_of_injury"),
        ur_decided=said.get("ur_decided"),
        ur_reference=fold_number(said.get("ur_reference") or ""),
        physician=" ".join(filter(None, (said.get("physician_first"), said.get("physician_last")))),
    )
    found = duplicates.find_similar(facts=facts)
    likely = [one for one in found if one.possible_duplicate.is_proposed and one.case.is_open]
    alike = [Alike(one.case, " ".join(one.possible_duplicate.for_it)) for one in likely]
    if not facts.employee and len(facts.claim) >= SHORTEST_CLAIM:
        # The name is not keyed yet: the claim number alone is worth a look already.
        cases = Case.objects.own().open().filter(claim_number_normal=facts.claim)
        cases = cases.select_related("ur_decision").prefetch_related("items", "parties")
        alike += [Alike(case, "The claim number is the same.") for case in cases[:MOST_ALIKE]]
    return alike[:MOST_ALIKE]


def _timeliness(said: Mapping[str, Any]) -> tuple[str, str]:
    """YES, NO or UNKNOWN by the deadline engine, and its sentence."""
    formulary = said.get("priority") == Priority.FORMULARY
    deadline_kind = "application_formulary" if formulary else "application"
    given = {}
    if served := said.get("served_on"):
        given["served"] = served.isoformat()
    if method := said.get("service_method"):
        given["method"] = method
    received = said.get("received")
    rules, calendars = rules_on_file()
    try:
        verdict = timeliness(
            deadline_kind,
            received.isoformat() if received else None,
            given,
            rules=rules,
            calendars=calendars,
        )
    except CannotCount as problem:
        return "UNKNOWN", str(problem)
    if isinstance(verdict, Unknown):
        return "UNKNOWN", verdict.sentence
    return "NO" if isinstance(verdict, Late) else "YES", verdict.sentence


def _lines(said: Mapping[str, Any], items: int) -> list[Line]:
    """What eligibility will ask for if the paper lacks it."""
    signer, signed = said.get("signed_by"), said.get("signed_on")
    lines = [
        Line(bool(signer), "Signed" if signer else "Not signed: eligibility will ask for it"),
        Line(
            said.get("ur_attached") == "yes",
            "UR decision attached"
            if said.get("ur_attached") == "yes"
            else "UR decision not attached: eligibility will ask for it",
        ),
        Line(
            bool(said.get("consent_on")),
            "Consent to obtain records dated" if said.get("consent_on") else "No date of consent",
        ),
    ]
    if signer and not signed:
        lines.append(Line(False, "The signature has no date"))
    if signer in {"ATTORNEY", "REPRESENTATIVE"}:
        decided, designated = said.get("ur_decided"), said.get("designated_on")
        early = bool(decided and designated and designated < decided)
        lines.append(
            Line(
                bool(designated) and not early,
                "Designated before the UR decision, which is void"
                if early
                else "Representative designated"
                if designated
                else "No date on which the representative was designated",
            )
        )
    on_form = said.get("items_on_form")
    if on_form and on_form != items:
        lines.append(Line(False, f"The form shows {on_form} treatments, {items} entered"))
    if said.get("liability_disputed") == "yes":
        lines.append(Line(False, "Liability is disputed too: eligibility may defer"))
    return lines
