"""The next step of a case: one sentence, its button, and why the button is disabled."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from accounts.models import User
from cases import policies as case_policies
from cases.lifecycle import Status
from cases.models import Case, CaseLink
from cases.models.restrictions import is_hidden
from correspondence import policies as correspondence_policies
from determinations import policies as determination_policies
from eligibility import policies as eligibility_policies
from records import policies as record_policies
from reviewers import policies as reviewer_policies


@dataclass(frozen=True)
class NextStep:
    """What happens next, who does it, and whether this reader may do it."""

    sentence: str
    label: str = ""
    url: str = ""
    why_not: str = ""  # a sentence; the button is disabled while it is not empty


@dataclass(frozen=True)
class _Usual:
    """The usual next step of a state: a page of the case with its button, or only a sentence."""

    sentence: str
    label: str = ""
    route: str = ""
    why_not: Callable[[User, Case], str] | None = None

    def of(self, case: Case, user: User) -> NextStep:
        """Return the step for one case and reader."""
        url = reverse(self.route, args=[case.number]) if self.route else ""
        why_not = self.why_not(user, case) if self.why_not else ""
        return NextStep(self.sentence, self.label, url, why_not)


def _why_not_mark_complete(user: User, case: Case) -> str:
    return case_policies.why_not_at_stage(
        user, "records.mark_complete", case, Status.NOTICE_SENT, action="mark the records complete"
    )


_SCREEN = _Usual(
    "A coordinator decides eligibility.",
    "Decide eligibility",
    "eligibility:eligibility",
    eligibility_policies.why_not_decide_eligibility,
)
_CLOSE = _Usual(
    "A coordinator closes the case.", "Close", "cases:close", case_policies.why_not_close
)
_SEND_NOTICES = _Usual(
    "The notices of assignment (NOARFI) are sent and marked as sent.",
    "Mark as sent",
    "correspondence:notices",
    correspondence_policies.why_not_mark_notices_sent,
)
_ATTEST_AGAIN = NextStep(
    "The parties have changed. The reviewer attests again that there is no conflict of interest; "
    "then the review continues."
)
_USUAL: dict[Status, _Usual] = {
    Status.RECEIVED: _SCREEN,
    Status.SCREENING: _SCREEN,
    Status.INFO_REQUESTED: _Usual(
        "A party was asked for information. A coordinator records the answer.",
        "Record answer",
        "correspondence:information",
        eligibility_policies.why_not_record_answer,
    ),
    Status.DEFERRED: _Usual(
        "Deferred until the liability dispute is resolved.",
        "Resolve liability",
        "eligibility:resolve_liability",
        eligibility_policies.why_not_resolve_liability,
    ),
    Status.DUPLICATE: _Usual(
        "A coordinator compares the two applications and decides whether they are the same.",
        "Compare applications",
        "cases:related",
        lambda user, _: case_policies.why_not_resolve_duplicate(user),
    ),
    Status.INELIGIBLE: _CLOSE,
    Status.WITHDRAWN: _CLOSE,
    Status.TERMINATED: _CLOSE,
    Status.ELIGIBLE: _Usual(
        "A coordinator makes the notices of assignment (NOARFI).",
        "Make notices",
        "correspondence:notices",
        correspondence_policies.why_not_make_notices,
    ),
    Status.NOTICE_SENT: _Usual(
        "The claims administrator sends the medical records. A coordinator marks them complete.",
        "Open records",
        "records:list",
        _why_not_mark_complete,
    ),
    Status.RECORDS_COMPLETE: _Usual(
        "A coordinator assigns a reviewer.",
        "Assign a reviewer",
        "reviewers:assign",
        reviewer_policies.why_not_assign,
    ),
    Status.REVIEWER_CHOSEN: _Usual(
        "The reviewer accepts the case and attests that there is no conflict of interest."
    ),
    Status.IN_REVIEW: _Usual("The reviewer reads the records and writes the review."),
    Status.INFO_FOR_REVIEW: _Usual(
        "A coordinator obtains what the reviewer asked for and adds it to the records.",
        "Open records",
        "records:list",
        record_policies.why_not_add_document,
    ),
    Status.QA: _Usual(
        "Quality assurance checks the review.",
        "Check quality",
        "determinations:quality",
        determination_policies.why_not_check_quality,
    ),
    Status.APPROVED: _Usual(
        "The medical director issues the determination.",
        "Issue",
        "determinations:issue",
        determination_policies.why_not_issue,
    ),
    Status.ISSUED: _Usual(
        "The mail room sends the determination to the parties.",
        "Mark as sent",
        "determinations:send",
        determination_policies.why_not_mark_sent,
    ),
    Status.CLOSED: _Usual("The case is closed."),
}


def find_next_step(case: Case, user: User) -> NextStep:
    """Return the next step of a case for this reader. Queries for some states."""
    # These steps depend on more than the stage.
    match case.stage:
        case Status.CONSOLIDATED:
            return _step_when_consolidated(case, user)
        case Status.IN_REVIEW if _owes_attestation(case):
            return _ATTEST_AGAIN
        case Status.ELIGIBLE if case.notices.filter(round=case.round).exists():
            return _SEND_NOTICES.of(case, user)
    return _USUAL[case.stage].of(case, user)


def _step_when_consolidated(case: Case, user: User) -> NextStep:
    """Refuse a consolidated case, which waits for the case with which it is decided."""
    link = (
        case.links.filter(kind=CaseLink.Kind.CONSOLIDATED, ended_at=None)
        .select_related("other")
        .first()
    )
    if link is None:
        return NextStep("A coordinator separates this case from the consolidation, or closes it.")
    if is_hidden(link.other_id, user):
        return NextStep("Consolidated: its items are decided with another case.")
    return NextStep(
        f"Consolidated: its items are decided with case {link.other.number}.",
        f"Open {link.other.number}",
        link.other.get_absolute_url(),
    )


def _owes_attestation(case: Case) -> bool:
    """Return whether a reviewer who accepted has to attest again because the parties changed."""
    return any(
        one.state == one.State.ACCEPTED and reviewer_policies.find_live_attestation(one) is None
        for one in reviewer_policies.list_live_assignments(case)
    )
