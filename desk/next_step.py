"""The next step of a case: one sentence, its button, and why the button is grey."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import User
from cases import policies as case_policies
from cases.lifecycle import Status
from cases.models import Case, CaseLink
from correspondence import policies as correspondence_policies
from determinations import policies as determination_policies
from eligibility import policies as eligibility_policies
from records import policies as record_policies
from reviewers import policies as reviewer_policies


@dataclass(frozen=True)
class NextStep:
    """What happens next, who does it, and whether this reader can."""

    sentence: str
    label: str = ""
    url: str = ""
    why_not: str = ""  # a sentence; the button is grey while it is not empty


def next_step(case: Case, user: User) -> NextStep:
    """The one next step. Queries for some states."""
    number = case.number
    match case.stage:
        case Status.SCREENING | Status.RECEIVED:
            return NextStep(
                "A coordinator answers the six facts of eligibility.",
                "Decide eligibility",
                reverse("eligibility:eligibility", args=[number]),
                eligibility_policies.why_not_decide_eligibility(user, case),
            )
        case Status.INFO_REQUESTED:
            return NextStep(
                "A party was asked for information; a coordinator records the answer.",
                "Record the answer",
                reverse("eligibility:information", args=[number]),
                eligibility_policies.why_not_record_answer(user, case),
            )
        case Status.DEFERRED:
            return NextStep(
                "The case waits until the liability dispute is resolved.",
                "Liability resolved",
                reverse("eligibility:resolve_liability", args=[number]),
                eligibility_policies.why_not_resolve_liability(user, case),
            )
        case Status.DUPLICATE:
            return NextStep(
                "A coordinator settles what keeps this case waiting, then screens it again.",
                "Screen again",
                reverse("eligibility:screen_again", args=[number]),
                eligibility_policies.why_not_reopen(user, case),
            )
        case Status.INELIGIBLE | Status.WITHDRAWN | Status.TERMINATED:
            return NextStep(
                "A coordinator closes the case.",
                "Close",
                reverse("cases:close", args=[number]),
                case_policies.why_not_close(user, case),
            )
        case Status.ELIGIBLE if case.notices.filter(round=case.round).exists():
            return NextStep(
                "The notices of assignment go out and are marked as sent.",
                "Mark as sent",
                reverse("correspondence:notices", args=[number]),
                correspondence_policies.why_not_mark_notices_sent(user, case),
            )
        case Status.ELIGIBLE:
            return NextStep(
                "A coordinator makes the notices of assignment.",
                "Make notices",
                reverse("correspondence:notices", args=[number]),
                correspondence_policies.why_not_make_notices(user, case),
            )
        case Status.NOTICE_SENT:
            return NextStep(
                "The claims administrator sends the records; a coordinator marks them complete.",
                "Open records",
                reverse("records:list", args=[number]),
                case_policies.why_not(
                    user,
                    "records.mark_complete",
                    case,
                    Status.NOTICE_SENT,
                    act="mark the records complete",
                ),
            )
        case Status.CONSOLIDATED:
            return _decided_with_another(case)
        case Status.RECORDS_COMPLETE:
            return NextStep(
                "A coordinator chooses the reviewer.",
                "Assign a reviewer",
                reverse("reviewers:assign", args=[number]),
                reviewer_policies.why_not_assign(user, case),
            )
        case Status.REVIEWER_CHOSEN:
            return NextStep("The reviewer accepts the case and attests that there is no conflict.")
        case Status.IN_REVIEW if _owes_attestation(case):
            return NextStep(
                "The parties have changed: the reviewer attests again that there is no conflict, "
                "then the file opens and the review goes on."
            )
        case Status.IN_REVIEW:
            return NextStep("The reviewer reads the records and writes the review.")
        case Status.INFO_FOR_REVIEW:
            return NextStep(
                "A coordinator gets what the reviewer asked for and adds it to the records.",
                "Open records",
                reverse("records:list", args=[number]),
                record_policies.why_not_add_document(user, case),
            )
        case Status.QA:
            return NextStep(
                "Quality assurance reads the review.",
                "Check quality",
                reverse("determinations:quality", args=[number]),
                determination_policies.why_not_check_quality(user, case),
            )
        case Status.APPROVED:
            return NextStep(
                "The medical director issues the determination.",
                "Issue",
                reverse("determinations:issue", args=[number]),
                determination_policies.why_not_issue(user, case),
            )
        case Status.ISSUED:
            return NextStep(
                "The mail room sends the determination to the parties.",
                "Mark as sent",
                reverse("determinations:send", args=[number]),
                determination_policies.why_not_send(user, case),
            )
        case _:
            return NextStep("Nothing is left to do. The case is closed.")


def _decided_with_another(case: Case) -> NextStep:
    """A consolidated case waits for the one that it was put into."""
    link = (
        case.links.filter(kind=CaseLink.Kind.CONSOLIDATED, ended_at=None)
        .select_related("other")
        .first()
    )
    if link is None:
        return NextStep("A coordinator takes this case out of the consolidation, or closes it.")
    return NextStep(
        f"Its items are decided with case {link.other.number}.",
        f"Open {link.other.number}",
        link.other.get_absolute_url(),
    )


def _owes_attestation(case: Case) -> bool:
    """Whether a reviewer who accepted has to attest anew, because the parties changed."""
    return any(
        one.state == one.State.ACCEPTED and reviewer_policies.live_attestation(one) is None
        for one in reviewer_policies.live_assignments(case)
    )
