"""What each page shows of a worker: the subjects of the access log, for every route.

``imr_portal.middleware.AccessLogMiddleware`` reads this table and writes the entries. Every route
of ``imr_portal.audiences`` has a line here; ``tests/test_access_log_of_pages.py`` fails for one
that shows a worker's data and leaves no entry.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from accounts.requests import ACCESS_CASE
from cases.models import OwnConflictResult, ReceivedDocument
from complaints.models import Complaint
from letters.models import Letter
from records.models import Document
from reviewers.models import ReviewerAssignment

CASE_NUMBER = re.compile(r"\bCM\d{2}-\d{7}\b")
# What an address may contain as a reference. Anything else was typed and could be a name.
_OPAQUE = re.compile(r"[\w.-]*\d[\w./-]*|[a-z_-]+")


@dataclass(frozen=True)
class Subject:
    """What a route shows, and how its address names it.

    :ivar name: the subject of the entry.
    :ivar arguments: the arguments of the address that make the reference, joined by a slash.
    :ivar find_case: finds the case number by the first argument, if it is not in the address.
    :ivar find_reference: finds what an auditor reads instead of the first argument.
    :ivar each_case: write an entry for each case on the page, not one for all.
    :ivar once_a_minute: polled by a page: at most one entry per person, subject and minute.
    """

    name: str
    arguments: tuple[str, ...] = ()
    find_case: Callable[[Any], str | None] | None = None
    find_reference: Callable[[Any], str | None] | None = None
    each_case: bool = False
    once_a_minute: bool = False


@dataclass(frozen=True)
class Access:
    """One entry of the access log before it is written."""

    subject: str
    reference: str
    case_number: str
    shown: str


def _case_of_document(document_id: int) -> str | None:
    return _first(Document.objects.filter(pk=document_id), "case__number")


def _case_of_received(received_id: int) -> str | None:
    return _first(ReceivedDocument.objects.filter(pk=received_id), "case__number")


def _case_of_assignment(assignment_id: int) -> str | None:
    return _first(ReviewerAssignment.objects.filter(pk=assignment_id), "case__number")


def _case_of_complaint(complaint_id: int) -> str | None:
    return _first(Complaint.objects.filter(pk=complaint_id), "case__number")


def _case_of_letter(letter_id: Any) -> str | None:
    return _first(Letter.objects.filter(pk=letter_id), "reference")


def _file_name_of_letter(letter_id: Any) -> str | None:
    return _first(Letter.objects.filter(pk=letter_id), "file_name")


def _case_of_own_conflict(result_id: int) -> str | None:
    return _first(OwnConflictResult.objects.filter(pk=result_id), "case__number")


def _first(rows: Any, field: str) -> str | None:
    number: str | None = rows.values_list(field, flat=True).first()
    return number


CASE = Subject("case", ("number",))
TWO_CASES = Subject("case", ("number",), each_case=True)
RECORDS = Subject("records", ("number",))
DOCUMENT = Subject("document", ("document_id",), _case_of_document)
PAGE = Subject("page", ("document_id", "page"), _case_of_document)
RECEIVED_PAGE = Subject("received", ("received_id", "page"), _case_of_received)
LETTERS = Subject("letter", ("number",))
CASE_LETTER = Subject("letter", ("number", "letter_id"))
LETTER = Subject("letter", ("pk",), _case_of_letter, _file_name_of_letter)
ASSIGNMENT = Subject("assignment", ("assignment_id",), _case_of_assignment)
PERSON = Subject("person", ("person_id",))
ORGANIZATION = Subject("organization", ("organization_id",))
LIST = Subject("list")
QUEUE = Subject("list", ("slug",))
EXPORT = Subject("export", ("name",))
REVIEWER_CASES = Subject("list", ("code",))
COMPLAINT = Subject("complaint", ("complaint_id",), _case_of_complaint)
# Applications before they are a case.
BATCH = Subject("batch", ("batch",))
SCAN = Subject("scan", ("scan",))
# Of staff and of the organization: no data of a worker.
NOTHING = None

_ROUTES: dict[Subject | None, str] = {
    NOTHING: """
        livez readyz version desk:side_counts desk:exports form_fields:say_date
        cases:read_address intake:look_up_diagnoses intake:read_diagnoses
        accounts:settings accounts:my_sign_ins accounts:sign_ins desk:read_notices desk:open_notice
        accounts:changes accounts:ask_factor_reset accounts:decide_change
        letters:wording letters:wording_detail letters:publish_wording
        intake:save_draft intake:cancel_draft
        directory:organizations directory:organization directory:add_organization_fact
        directory:withdraw_organization_fact
        cases:own_organization cases:add_organization_member cases:organization_member
        cases:add_own_conflict cases:correct_organization_fact cases:withdraw_organization_fact
        cases:deadline_rules cases:deadline_rule cases:confirm_deadline_rule
        cases:supersede_deadline_rule cases:confirm_deadline_rules
        cases:holidays cases:add_holiday cases:confirm_holidays cases:holiday cases:end_holiday
        queues:saved_views queues:save_view queues:rename_view queues:share_view queues:retire_view
        reviewers:worklist reviewers:resolve_report reviewers:report_change reviewers:limits
        reviewers:rules reviewers:attestation reviewers:payer_bias reviewers:payer_bias_test
        reviewers:receives reviewers:panel reviewers:add reviewers:change
        reviewers:status reviewers:sign_in reviewers:add_fact reviewers:correct_fact
        billing:fees guidelines:pick
    """,
    LIST: """
        desk:my_day desk:jump desk:accesses desk:export_accesses desk:notices
        queues:act_on_many queues:claim_next queues:skipped letters:failed eligibility:clear_cases
        intake:my_intakes intake:intake intake:check_intake intake:look_up
        intake:intake_supervisor intake:batches intake:next_scan
        cases:possible_duplicates cases:own_conflicts cases:item_changes cases:recalculate_dates
        correspondence:drafts reviewers:plan records:outstanding determinations:my_reviews
        correspondence:to_send cases:restricted_cases
        jobs:list jobs:run_again maintenance:findings complaints:list complaints:record
    """,
    EXPORT: "desk:export_list desk:request_export",
    Subject("export", ("export_id",)): "desk:download_export",
    QUEUE: "desk:queue desk:work_next",
    REVIEWER_CASES: "reviewers:move reviewers:reviewer determinations:reviewer_record",
    COMPLAINT: """
        complaints:complaint complaints:change complaints:answer complaints:add_action
        complaints:complete_action
    """,
    BATCH: "intake:batch intake:rescan_slips",
    SCAN: """
        intake:enter_scan intake:claim_scan intake:release_scan intake:skip_scan intake:return_scan
        intake:mark_rescanned
    """,
    Subject("scan", ("ticket",)): "intake:intake_paper",
    CASE: """
        desk:case desk:peek desk:timeline desk:access_log intake:correct
        eligibility:eligibility eligibility:screen_again eligibility:ur_decision
        eligibility:answer_differences correspondence:information correspondence:answer_information
        eligibility:resolve_liability eligibility:administrator_citations
        eligibility:split eligibility:merge_back
        cases:related cases:search_again cases:consolidate cases:separate
        cases:item_change cases:propose_item cases:propose_item_change
        cases:propose_item_withdrawal
        cases:parties cases:add_party cases:change_party cases:end_party
        cases:deadlines cases:deadline cases:begin_hold cases:end_hold cases:extend cases:convert
        cases:commitment cases:move_commitment cases:keep_commitment cases:state_receipt
        cases:service cases:correct_service cases:service_outcome cases:note cases:correct_note
        cases:calls cases:log_call cases:correct_call cases:answer_note
        cases:withdraw cases:terminate cases:close
        cases:restriction cases:restrict_related cases:clear_person cases:end_clearance
        cases:lift_restriction desk:explain
        queues:claim queues:release queues:skip queues:undo
        reviewers:assign reviewers:rank reviewers:resolve reviewers:remove_reviewer
        reviewers:approve_seats reviewers:end_seats
        determinations:quality determinations:return determinations:approve
        determinations:versions determinations:issue determinations:send_back determinations:send
    """,
    TWO_CASES: "cases:compare",
    PERSON: "desk:person",
    ORGANIZATION: "desk:organization",
    Subject(
        "case", ("own_conflict_result_id",), _case_of_own_conflict
    ): "cases:resolve_own_conflict",
    RECORDS: """
        records:list records:take_in records:add records:complete records:reopen records:dispatch
        records:read records:remind records:move cases:documents cases:add_document
    """,
    RECEIVED_PAGE: "cases:received_page cases:received_text cases:received_png",
    DOCUMENT: "records:document records:mark records:remove",
    PAGE: "records:page records:page_text records:page_png",
    LETTERS: """
        desk:letters correspondence:notices correspondence:make_notices
        correspondence:mark_notices_sent correspondence:draft_letter determinations:preview
    """,
    CASE_LETTER: """
        correspondence:letter correspondence:letter_page correspondence:preview_letter
        correspondence:approve_letter correspondence:discard_letter
        correspondence:mark_letter_sent
    """,
    LETTER: "letters:download letters:retry",
    replace(LETTER, once_a_minute=True): "letters:status",
    ASSIGNMENT: """
        reviewers:attest reviewers:decline
        determinations:workspace determinations:open_review determinations:draft
        determinations:leave determinations:checks determinations:cite determinations:uncite
        determinations:review_preview determinations:submit
    """,
}

SUBJECTS: dict[str, Subject | None] = {
    route: subject for subject, routes in _ROUTES.items() for route in routes.split()
}

# Tables of the admin site with data of workers. Their views name the case (see ``cases.admin``).
_ADMIN_TABLES = ("cases_case_", "cases_party_", "cases_event_", "accounts_accesslogentry_")
_ADMIN_ROW = Subject("case", ("object_id",))


def subject_of(route: str) -> Subject | None:
    """What a route shows of a worker; ``None`` if nothing."""
    if route in SUBJECTS:
        return SUBJECTS[route]
    beginning, _, table = route.partition(":")
    if beginning == "admin" and table.startswith(_ADMIN_TABLES):
        return LIST if table.endswith("_changelist") else _ADMIN_ROW
    return None


def list_accesses_of(
    subject: Subject, request: HttpRequest, response: HttpResponseBase, *, granted: bool
) -> Iterator[Access]:
    """Yield the accesses that an answer is: what the address names, and the cases on the page.

    The numbers of the cases are read from the page itself, so an entry says what was shown whatever
    the view did.
    """
    match = request.resolver_match
    arguments = match.kwargs if match else {}
    reference = "/".join(
        _as_reference(name, str(arguments[name])) for name in subject.arguments if name in arguments
    )
    number = getattr(request, ACCESS_CASE, None) or _find_case_number(subject, arguments)
    if subject.find_reference and subject.arguments[0] in arguments:
        reference = subject.find_reference(arguments[subject.arguments[0]]) or reference
    if number and subject.name == "case":
        reference = number
    on_page = find_case_numbers(response) if granted else []
    others = [one for one in on_page if one != number]
    yield Access(subject.name, reference, number, " ".join(others))
    if subject.each_case:
        for other in others:
            yield Access(subject.name, other, other, "")


def find_case_numbers(response: HttpResponseBase) -> list[str]:
    """The numbers of the cases in the text of an answer, each once, in order."""
    content_type = response.headers.get("Content-Type", "")
    if response.streaming or not content_type.startswith(("text/", "application/json")):
        return []
    text = response.content.decode("utf-8", "replace")  # type: ignore[attr-defined]
    return list(dict.fromkeys(CASE_NUMBER.findall(text)))


def _as_reference(argument: str, value: str) -> str:
    """The argument of an address, unless it was typed and could be a name."""
    pattern = CASE_NUMBER if argument == "number" else _OPAQUE
    return value if pattern.fullmatch(value) else "unknown"


def _find_case_number(subject: Subject, arguments: dict[str, Any]) -> str:
    number = arguments.get("number")
    if number is not None:
        return number if CASE_NUMBER.fullmatch(number) else ""
    if subject.find_case is None or subject.arguments[0] not in arguments:
        return ""
    return subject.find_case(arguments[subject.arguments[0]]) or ""
