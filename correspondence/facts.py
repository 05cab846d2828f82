"""The facts that the notice of assignment may state (see ``letters.facts``)."""

from letters.facts import FactName

NOTICE_FACTS = (
    FactName("imro_name", "Name of the review organization", printed=True),
    FactName("imro_short_name", "Short name of the review organization", printed=True),
    FactName("imro_address", "Address of the review organization", printed=True),
    FactName("imro_phone", "Telephone of the review organization", printed=True),
    FactName("case_number", "Case number", printed=True),
    FactName("employee", "Employee", printed=True),
    FactName("claims_administrator", "Claims administrator", printed=True),
    FactName("claim_number", "Claim number", printed=True),
    FactName("requesting_physician", "Requesting physician", printed=True),
    FactName("date_of_injury", "Date of injury", printed=True),
    FactName("ur_decision_date", "Date of the UR decision", printed=True),
    FactName("rfa_date", "Date of the Request for Authorization", printed=True),
    FactName("application_received", "Date on which the application was received", printed=True),
    FactName("priority", "Priority", printed=True),
    FactName("notice_date", "Date of the notice", printed=True),
    FactName("other_cases", "Other cases of the same application", printed=True),
    FactName("found_eligible", "Finding that the application is eligible", printed=False),
)
