"""Checks an application form while a clerk types it: duplicates, timeliness, completeness.

The result only informs the clerk. It never prevents saving.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from accounts.models import User
from cases.duplicates import ApplicationFacts
from cases.formulary import propose_for_treatments
from cases.models import Case, Priority
from cases.models.restrictions import hidden_cases
from cases.services import duplicates
from deadlines.calendars import CannotCount
from deadlines.models import rules_on_file
from deadlines.results import UnknownDeadline
from deadlines.timeliness import Late, judge_timeliness
from directory.names import fold_number
from eligibility.impossible_dates import find_impossible_dates
from guidelines.formulary import Proposal, Treatment

MAX_SIMILAR_CASES = 5
MIN_CLAIM_LENGTH = 4  # shorter claim numbers match too many unrelated cases


@dataclass(frozen=True)
class DuplicateWarning:
    """An open case that the application may repeat, and the reasons as sentences."""

    case: Case
    reason: str


@dataclass(frozen=True)
class CheckLine:
    """One line of the list of checks.

    :ivar is_there: the part that the line is about is there, and possible.
    :ivar field: the name of the field to correct; empty if it is not one field.
    """

    is_there: bool
    sentence: str
    field: str = ""


@dataclass(frozen=True)
class FormCheck:
    """The result of all checks of a form.

    :ivar in_time: ``YES``, ``NO`` or ``UNKNOWN``, by the rule that the eligibility review uses.
    :ivar timeliness: the deadline engine's sentence, with the last day or the missing fact.
    :ivar formulary: whether the drug list proposes a formulary dispute; ``None`` if nothing is
        proposed yet.
    """

    similar_cases: list[DuplicateWarning] = field(default_factory=list)
    in_time: str = "UNKNOWN"
    timeliness: str = ""
    lines: list[CheckLine] = field(default_factory=list)
    formulary: Proposal | None = None


def check_application_form(
    *,
    values: Mapping[str, Any],
    items: int,
    treatments: Sequence[Treatment] = (),
    reader: User,
    today: date,
) -> FormCheck:
    """Check a form that may be half typed: possible duplicates, timeliness, missing parts.

    :param values: the fields that could be read so far, by name.
    :param items: the number of treatments typed.
    :param today: the current day, which no date of the form may follow.
    :param treatments: the treatments as typed, for the proposal from the drug list.
    """
    in_time, sentence = _check_timeliness(values)
    return FormCheck(
        find_duplicates_of_form(values=values, reader=reader),
        in_time,
        sentence,
        [
            *(
                CheckLine(False, one.sentence, one.field)
                for one in find_impossible_dates(values, today=today)
            ),
            *_check_completeness(values, items),
        ],
        propose_for_treatments(
            treatments,
            requested_on=values.get("requested_on"),
            decided_on=values.get("ur_decided"),
            received_on=values.get("received"),
        ),
    )


def find_duplicates_of_form(*, values: Mapping[str, Any], reader: User) -> list[DuplicateWarning]:
    """Find open cases that the form may repeat, best match first."""
    facts = ApplicationFacts(
        employee=" ".join(filter(None, (values.get("first_name"), values.get("last_name")))),
        born=values.get("date_of_birth"),
        claim=fold_number(values.get("claim_number") or ""),
        injured=values.get("date_of_injury"),
        injured_until=values.get("injury_last_day"),
        ur_decided=values.get("ur_decided"),
        ur_reference=fold_number(values.get("ur_reference") or ""),
        physician=" ".join(
            filter(None, (values.get("physician_first"), values.get("physician_last")))
        ),
    )
    candidates = duplicates.find_similar_cases(facts=facts)
    hidden = set(hidden_cases(reader).values_list("case", flat=True))
    likely = [
        one
        for one in candidates
        if one.possible_duplicate.is_proposed and one.case.is_open and one.case.pk not in hidden
    ]
    similar = [
        DuplicateWarning(one.case, " ".join(one.possible_duplicate.evidence_for)) for one in likely
    ]
    if not facts.employee and len(facts.claim) >= MIN_CLAIM_LENGTH:
        # Without a name the comparison proposes nothing. An equal claim number still deserves a
        # warning.
        cases = Case.objects.own().open().visible_to(reader)
        cases = cases.filter(claim_number_normal=facts.claim)
        cases = cases.select_related("ur_decision").prefetch_related("items", "parties")
        similar += [
            DuplicateWarning(case, "The claim number is the same.")
            for case in cases[:MAX_SIMILAR_CASES]
        ]
    return similar[:MAX_SIMILAR_CASES]


def _check_timeliness(values: Mapping[str, Any]) -> tuple[str, str]:
    """Ask the deadline engine: YES, NO or UNKNOWN, and its sentence."""
    formulary = values.get("priority") == Priority.FORMULARY
    deadline_kind = "application_formulary" if formulary else "application"
    # Facts not stated are left out: the engine then answers UNKNOWN instead of guessing a date.
    given = {}
    if served := values.get("served_on"):
        given["served"] = served.isoformat()
    if method := values.get("service_method"):
        given["method"] = method
    received = values.get("received")
    rules, calendars = rules_on_file()
    try:
        verdict = judge_timeliness(
            deadline_kind,
            received.isoformat() if received else None,
            given,
            rules=rules,
            calendars=calendars,
        )
    # No rule or calendar covers these dates. The clerk can save the form nevertheless.
    except CannotCount as problem:
        return "UNKNOWN", str(problem)
    if isinstance(verdict, UnknownDeadline):
        return "UNKNOWN", verdict.sentence
    return "NO" if isinstance(verdict, Late) else "YES", verdict.sentence


def _check_completeness(values: Mapping[str, Any], items: int) -> list[CheckLine]:
    """List the parts that the eligibility review requires, with those that are missing."""
    signer, signed = values.get("signed_by"), values.get("signed_on")
    lines = [
        CheckLine(
            bool(signer),
            "Signed" if signer else "Not signed: the eligibility review will ask for it",
        ),
        CheckLine(
            values.get("ur_attached") == "yes",
            "UR decision attached"
            if values.get("ur_attached") == "yes"
            else "UR decision not attached: the eligibility review will ask for it",
        ),
        CheckLine(
            bool(values.get("consent_on")),
            "Consent to obtain records dated"
            if values.get("consent_on")
            else "Consent to obtain records not dated",
        ),
    ]
    if signer and not signed:
        lines.append(CheckLine(False, "Signature not dated"))
    if signer in {"ATTORNEY", "REPRESENTATIVE"}:
        decided, designated = values.get("ur_decided"), values.get("designated_on")
        early = bool(decided and designated and designated < decided)
        lines.append(
            CheckLine(
                bool(designated) and not early,
                # A designation before the UR decision is void (8 CCR 9792.10.1(b)(2)).
                "Representative designated before the UR decision: not valid"
                if early
                else "Representative designated"
                if designated
                else "Designation of the representative not dated",
            )
        )
    on_form = values.get("items_on_form")
    if on_form and on_form != items:
        lines.append(CheckLine(False, f"Treatments on the form: {on_form}. Entered: {items}"))
    if values.get("liability_disputed") == "yes":
        lines.append(CheckLine(False, "Liability disputed: the review may be deferred"))
    return lines
