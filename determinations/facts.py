"""The facts that a determination letter may state, declared as data (see ``letters.facts``).

Printed facts appear in the letter. Proof facts support its sentences about the reviewer. They are
stored with the letter and are not passed to the worker that renders it.
"""

from cases.letter_periods import IMPLEMENTATION_FACTS, PETITION_FACTS
from letters.facts import FactName

PRINTED = (
    FactName("imro_name", "Name of the review organization", printed=True),
    FactName("imro_short_name", "Short name of the review organization", printed=True),
    FactName("imro_phone", "Telephone of the review organization", printed=True),
    FactName("case_number", "Case number", printed=True),
    FactName("date_assigned", "Date assigned", printed=True),
    FactName("date_of_injury", "Date of injury", printed=True),
    FactName("decision_date", "Decision date", printed=True),
    FactName("ur_denial_date", "UR denial date", printed=True),
    FactName("priority", "Priority", printed=True),
    FactName("application_received", "Date on which the application was received", printed=True),
    FactName("reviewer", "Number of the reviewer, if there are several", printed=True),
    FactName("specialties", "Certified specialties", printed=True),
    FactName("license_states", "States of licensure", printed=True),
    *PETITION_FACTS,
    *IMPLEMENTATION_FACTS,
)

PROOFS = (
    FactName("case_file_dispatched", "Dispatch of the complete case file", printed=False),
    FactName("records_reviewed", "Review of every record on file", printed=False),
    FactName("attestation_signed", "Signed attestation of no conflict", printed=False),
    FactName("no_affiliation_employer", "No affiliation with the employer", printed=False),
    FactName("no_affiliation_employee", "No affiliation with the employee", printed=False),
    FactName("no_affiliation_providers", "No affiliation with the providers", printed=False),
    FactName(
        "no_affiliation_claims_administrator",
        "No affiliation with the claims administrator",
        printed=False,
    ),
    FactName("board_certification", "Board certification", printed=False),
    FactName("license", "License", printed=False),
    FactName("practice_years", "More than five years of active practice", printed=False),
    FactName("practice_hours", "At least 24 hours a week in active practice", printed=False),
    FactName("specialty_match", "Match of specialty to the disputed treatment", printed=False),
    FactName("training_law", "Training in the governing law", printed=False),
    FactName("training_evidence", "Training in the hierarchy of evidence", printed=False),
)

DETERMINATION_FACTS = PRINTED + PROOFS
