"""The parts of each kind of case letter: recipients, facts, and the order of sections.

A new kind needs a name in ``letters.kinds``, an entry here and a wording in ``letters/wording``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cases.letter_periods import PETITION_FACTS
from cases.models import PartyRole
from letters.facts import FactName
from letters.kinds import LetterKind

# 8 CCR 9792.10.4(b): the claims administrator (for the employer), the employee, the employee's
# attorney and the requesting physician.
RECIPIENTS = (
    PartyRole.CLAIMS_ADMINISTRATOR,
    PartyRole.EMPLOYEE,
    PartyRole.EMPLOYEE_ATTORNEY,
    PartyRole.REPRESENTATIVE,
    PartyRole.REQUESTING_PHYSICIAN,
)
# The acknowledgment goes only to the side that filed the application.
_EMPLOYEE_SIDE = (PartyRole.EMPLOYEE, PartyRole.EMPLOYEE_ATTORNEY, PartyRole.REPRESENTATIVE)

# The facts that every letter of a case may state.
_CASE_FACTS = (
    FactName("imro_name", "Name of the review organization", printed=True),
    FactName("imro_short_name", "Short name of the review organization", printed=True),
    FactName("imro_address", "Address of the review organization", printed=True),
    FactName("imro_phone", "Telephone of the review organization", printed=True),
    FactName("case_number", "Case number", printed=True),
    FactName("employee", "Employee", printed=True),
    FactName("claims_administrator", "Claims administrator", printed=True),
    FactName("claim_number", "Claim number", printed=True),
    FactName("date_of_injury", "Date of injury", printed=True),
    FactName("ur_decision_date", "Date of the UR decision", printed=True),
    FactName("application_received", "Date on which the application was received", printed=True),
    FactName("priority", "Priority", printed=True),
    FactName("letter_date", "Date of the letter", printed=True),
    FactName("treatments", "Disputed treatments", printed=True),
    FactName("particulars", "Additional text for this case", printed=True),
)
_ASKED = FactName("asked", "Questions", printed=True)
_OTHER_CASES = FactName("other_cases", "Other cases of the same application", printed=True)
# Without another case, the section is left out.
_WITH_OTHER_CASES = dict.fromkeys(("other_cases", "other_cases_heading"), "other_cases")
_DECIDED = FactName("decided_on", "Date of the eligibility decision", printed=True)


@dataclass(frozen=True)
class LetterSpec:
    """The definition of one kind of letter.

    :ivar sections: the slots of its sections, in order.
    :ivar facts: the facts it may state in addition to those of every case letter.
    :ivar lists: section slot to the fact whose values the section lists.
    :ivar points: the fact that holds the points typed in the draft; empty if the letter has none.
    :ivar recipients: the roles that receive it, in the order of 8 CCR 9792.10.4(b).
    :ivar only_with: slot to the fact without which the slot is left out.
    """

    sections: tuple[str, ...]
    facts: tuple[FactName, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    points: str = ""
    recipients: tuple[PartyRole, ...] = RECIPIENTS
    only_with: Mapping[str, str] = field(default_factory=dict)

    @property
    def declared(self) -> tuple[FactName, ...]:
        """All facts that the letter may state."""
        return (*_CASE_FACTS, *self.facts)

    def fact_for(self, slot: str) -> str:
        """Return the fact without which a slot is left out.

        Empty if the slot is always included.
        """
        # In every letter: a heading above an empty text would be printed otherwise.
        return {"particulars_heading": "particulars", **self.only_with}.get(slot, "")


SPECS: dict[LetterKind, LetterSpec] = {
    LetterKind.ACKNOWLEDGMENT: LetterSpec(
        sections=("treatments", "particulars", "next"),
        lists={"treatments": "treatments"},
        recipients=_EMPLOYEE_SIDE,
    ),
    LetterKind.INFORMATION_REQUEST: LetterSpec(
        sections=("asked", "particulars", "due", "send"),
        lists={"asked": "asked"},
        points="asked",
        facts=(_ASKED,),
    ),
    LetterKind.INELIGIBILITY: LetterSpec(
        sections=("treatments", "reasons", "particulars", "next"),
        lists={"treatments": "treatments", "reasons": "reasons"},
        facts=(
            _DECIDED,
            FactName("reasons", "Reasons for the decision", printed=True),
            FactName("found_ineligible", "Decision that the application is ineligible", False),
            *PETITION_FACTS,
        ),
    ),
    LetterKind.DEFERRAL: LetterSpec(
        sections=("treatments", "other_cases", "dispute", "particulars", "next"),
        lists={
            "treatments": "treatments",
            "other_cases": "other_cases",
            "dispute": "dispute_reason",
        },
        facts=(
            _DECIDED,
            _OTHER_CASES,
            FactName("dispute_reason", "Reason stated by the claims administrator", True),
            FactName("found_deferred", "Decision that the application is deferred", False),
        ),
        # The reason may not be on file, and an empty list must not be introduced.
        only_with={"dispute_points": "dispute_reason", **_WITH_OTHER_CASES},
    ),
    LetterKind.EXPEDITED: LetterSpec(
        sections=("certified", "treatments", "particulars", "records"),
        lists={"treatments": "treatments"},
        facts=(
            FactName("converted_on", "Date on which the review became expedited", printed=True),
            FactName("certified_by", "Person who certified the threat", printed=True),
            FactName("made_expedited", "Conversion to expedited review", printed=False),
        ),
        only_with={"certified": "certified_by", "certified_heading": "certified_by"},
    ),
    # To everyone who received the notice of assignment, which names the treatments.
    LetterKind.CORRECTED_NOTICE: LetterSpec(
        sections=("treatments", "other_cases", "particulars", "next"),
        lists={"treatments": "treatments", "other_cases": "other_cases"},
        facts=(
            FactName("items_changed", "Accepted change of the disputed items", False),
            _OTHER_CASES,
        ),
        only_with=_WITH_OTHER_CASES,
    ),
    LetterKind.RECORDS_REMINDER: LetterSpec(
        sections=("records", "particulars", "due", "penalty"),
        lists={"records": "records_missing"},
        points="records_missing",
        facts=(
            FactName("notice_sent_on", "Date on which the notice was sent", printed=True),
            FactName("records_due_on", "Date on which the records were due", printed=True),
            FactName("records_missing", "Missing records", printed=True),
            FactName("records_owed", "Overdue records", printed=False),
        ),
        # Only the claims administrator has a duty to send records (8 CCR 9792.10.5(a)(1)).
        recipients=(PartyRole.CLAIMS_ADMINISTRATOR,),
        only_with={"records": "records_missing", "records_heading": "records_missing"},
    ),
    LetterKind.MORE_INFORMATION: LetterSpec(
        sections=("asked", "particulars", "due", "send"),
        lists={"asked": "asked"},
        points="asked",
        facts=(_ASKED,),
    ),
    LetterKind.CLOSURE: LetterSpec(
        sections=("ended", "particulars", "next"),
        lists={"ended": "ended_items"},
        facts=(
            FactName("ended_on", "Date on which the review ended", printed=True),
            FactName("ended_items", "Treatments with ended review", printed=True),
            FactName("ended", "End of the review", printed=False),
        ),
    ),
}
