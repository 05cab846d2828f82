"""The facts that letters of this app may rest on, declared as data (see ``letters.facts``)."""

from letters.facts import FactName

ASSIGNMENT_NOTICE = "assignment_notice"

NOTICE_FACTS = (
    FactName("imro_name", "Name of the review organisation", printed=True),
    FactName("imro_short_name", "Short name of the review organisation", printed=True),
    FactName("imro_address", "Address of the review organisation", printed=True),
    FactName("imro_phone", "Telephone of the review organisation", printed=True),
    FactName("case_number", "Case number", printed=True),
    FactName("employee", "Employee", printed=True),
    FactName("claims_administrator", "Claims administrator", printed=True),
    FactName("claim_number", "Claim number", printed=True),
    FactName("requesting_physician", "Requesting physician", printed=True),
    FactName("date_of_injury", "Date of injury", printed=True),
    FactName("ur_decision_date", "Date of the UR decision", printed=True),
    FactName("rfa_date", "Date of the request for authorisation", printed=True),
    FactName("application_received", "Date on which the application was received", printed=True),
    FactName("priority", "Priority", printed=True),
    FactName("notice_date", "Date of the notice", printed=True),
    FactName("found_eligible", "Finding that the application is eligible", printed=False),
)

# What every letter of a case may say.
_OF_THE_CASE = (
    FactName("imro_name", "Name of the review organisation", printed=True),
    FactName("imro_short_name", "Short name of the review organisation", printed=True),
    FactName("imro_address", "Address of the review organisation", printed=True),
    FactName("imro_phone", "Telephone of the review organisation", printed=True),
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
    FactName("particulars", "What was added for this case", printed=True),
)

_ASKED = FactName("asked", "What is asked", printed=True)
_DECIDED = FactName("decided_on", "Day of the decision about eligibility", printed=True)

# The further facts of each kind of case letter (``letters.documents.CASE_LETTERS``).
CASE_LETTER_FACTS: dict[str, tuple[FactName, ...]] = {
    kind: (*_OF_THE_CASE, *more)
    for kind, more in {
        "acknowledgement": (),
        "information_request": (_ASKED,),
        "ineligibility_notice": (
            _DECIDED,
            FactName("reasons", "Reasons of the decision", printed=True),
            FactName("found_ineligible", "Finding that the application is ineligible", False),
        ),
        "deferral_notice": (
            _DECIDED,
            FactName("dispute_reason", "Reason that the claims administrator states", True),
            FactName("found_deferred", "Finding that the application is deferred", False),
        ),
        "expedited_notice": (
            FactName("converted_on", "Day on which the review became expedited", printed=True),
            FactName("certified_by", "Who certified the threat", printed=True),
            FactName("made_expedited", "Conversion to an expedited review", printed=False),
        ),
        "records_reminder": (
            FactName("notice_sent_on", "Day on which the notice was sent", printed=True),
            FactName("records_due_on", "Day on which the records were due", printed=True),
            FactName("records_missing", "Records that are missing", printed=True),
            FactName("records_owed", "Records that are overdue", printed=False),
        ),
        "more_information": (_ASKED,),
        "closure_notice": (
            FactName("ended_on", "Day on which the review ended", printed=True),
            FactName("ended_items", "Treatments whose review ended", printed=True),
            FactName("ended", "End of the review", printed=False),
        ),
    }.items()
}
