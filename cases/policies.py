"""Who may do what to a case, and when: one function an act, empty when it is allowed.

The service raises what the function says; the page grays the button with the same sentence, so
that screen and rule cannot differ.
"""

from accounts.models import User
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS

from .hold_reasons import reasons_for
from .lifecycle import Status
from .models import (
    Case,
    DisputedItem,
    Event,
    ItemChange,
    Origin,
    OwnConflictResult,
)


def why_not(user: User, permission: str, case: Case, *states: Status, act: str) -> str:
    """The common shape: the role first, then affiliations of this very person, then the state of
    the case.

    Affiliations cover every act that carries a case on: eligibility and what is asked for it,
    notices, records, the reviewer, quality, issuing and sending, closing. Not covered is what binds
    no one (notes, drafts of letters), what intake keys or corrects before there is anybody to be
    tied to, and changes of parties, dates, holds and links, each of which stands on the timeline.
    """
    if not user.may(permission):
        return f"Your role does not let you {act}."
    if barred := why_not_by_conflicts(user, case):
        return barred
    if case.stage not in states:
        wanted = " or ".join(f"“{state.label}”" for state in states)
        return (
            f"Case {case.number} stands at “{case.stage.label}”. "
            f"To {act}, it has to stand at {wanted}."
        )
    return ""


def why_not_by_conflicts(user: User, case: Case) -> str:
    """Whether an affiliation of this person's own keeps them from a case. No queries."""
    if user.pk not in case.barred_staff:
        return ""
    return (
        f"You may not act on case {case.number}: an affiliation between you and a party is on "
        "file, or is "
        "possible until the medical director settles it. Leave the case to a colleague."
    )


def why_not_end_early(user: User, case: Case) -> str:
    if not user.may("cases.end_early"):
        return "Your role does not let you end a case early."
    if case.stage in {
        Status.ISSUED,
        Status.WITHDRAWN,
        Status.TERMINATED,
        Status.CLOSED,
    }:
        return f"Case {case.number} stands at “{case.stage.label}” and can no longer end early."
    return ""


def why_not_close(user: User, case: Case) -> str:
    return why_not(
        user,
        "cases.end_early",
        case,
        Status.INELIGIBLE,
        Status.DUPLICATE,
        Status.WITHDRAWN,
        Status.TERMINATED,
        act="close it",
    )


def why_not_hold(user: User, case: Case) -> str:
    """Whether work on the case can be held now, for some reason of the table."""
    if not user.may("cases.hold_case"):
        return "A coordinator or a supervisor holds a case."
    undecided = case.stage == Status.CLOSED and case.decided_on is None
    if undecided or not reasons_for(case.priority, case.stage):
        return f"Case {case.number} stands at “{case.stage.label}”, where nothing can be held."
    return ""


def why_not_end_hold(user: User) -> str:
    return "" if user.may("cases.hold_case") else "A coordinator or a supervisor ends a hold."


def why_not_extend(user: User, case: Case) -> str:
    """Whether an approved extension can be put on file now. Queries once."""
    if not user.may("cases.extend_time"):
        return "A coordinator or the medical director puts an extension on file."
    runs = case.deadlines.filter(
        round=case.round,
        deadline_kind__in=DETERMINATION_DEADLINE_KINDS,
        met_at__isnull=True,
        replaced_at__isnull=True,
    )
    return "" if runs.exists() else "No deadline of a determination runs on this case."


_PRIORITY_IS_SETTLED = (Status.QA, Status.APPROVED, Status.ISSUED)


def why_not_convert(user: User, case: Case) -> str:
    if not user.may("cases.convert_priority"):
        return "A coordinator changes the priority of a case."
    if not case.is_open or case.stage in _PRIORITY_IS_SETTLED:
        return f"Case {case.number} stands at “{case.stage.label}”; its priority stays."
    return ""


def why_not_commitment(user: User, case: Case) -> str:
    if not user.may("cases.commitment_date"):
        return "A coordinator or a supervisor records a commitment to a party."
    return "" if case.is_open else f"Case {case.number} is closed."


def why_not_state_receipt(user: User, case: Case) -> str:
    """Whether it can be said when the determination was received. Queries once."""
    if not user.may("cases.commitment_date"):
        return "A coordinator or a supervisor states when the determination was received."
    runs = case.deadlines.filter(
        round=case.round, deadline_kind__in=["authorize", "reimburse"], replaced_at__isnull=True
    )
    return "" if runs.exists() else "No treatment has to be authorized or paid after this case."


def why_not_change_parties(user: User, case: Case) -> str:
    if not user.may("cases.change_parties"):
        return "A coordinator or a supervisor changes the parties."
    if not case.is_open:
        return f"Case {case.number} is closed; its parties stay as they were."
    return ""


# Between acceptance and the signed review. Before it intake corrects its own sheet.
ITEMS_CHANGE_BY_TWO = (
    Status.ELIGIBLE,
    Status.NOTICE_SENT,
    Status.RECORDS_COMPLETE,
    Status.REVIEWER_CHOSEN,
    Status.IN_REVIEW,
    Status.INFO_FOR_REVIEW,
)
_MATCHED = (Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW)
_REVIEWED = (Status.QA, Status.APPROVED, Status.ISSUED)


def why_not_change_items(case: Case) -> str:
    """Whether the items of a case can be changed by two people now, whoever they are."""
    if case.stage in ITEMS_CHANGE_BY_TWO:
        return ""
    if case.stage in _REVIEWED:
        return (
            f"The review of case {case.number} is signed, so its items stay as they were reviewed. "
            "Quality assurance can send it back first."
        )
    if case.stage in {Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return f"Case {case.number} stands at “{case.stage.label}”; its items are settled."
    return (
        f"Case {case.number} stands at “{case.stage.label}”. Until it is found eligible, "
        "intake corrects its items."
    )


def why_not_propose_item_change(user: User, case: Case, item: DisputedItem | None = None) -> str:
    """Whether this person may propose to change an item, or to add one. Queries for an item."""
    if not user.may("cases.propose_item_change"):
        return "Your role does not let you propose changes of items."
    reason = why_not_change_items(case)
    if reason or item is None:
        return reason
    if item.ending != DisputedItem.Ending.PENDING:
        return f"Item {item.position} has ended: {item.get_ending_display().lower()}."
    if item.changes.filter(state=ItemChange.State.PROPOSED).exists():
        return f"A change of item {item.position} waits for a second person already."
    return ""


def why_not_add_item(user: User, case: Case) -> str:
    reason = why_not_propose_item_change(user, case)
    if not reason and case.stage in _MATCHED:
        return (
            "The reviewer was matched to the items as they stand. "
            "Take the case back from the reviewer before an item is added."
        )
    return reason


def why_not_match_anew(case: Case) -> str:
    """Whether what a reviewer is matched by (category, body part) may change now."""
    if case.stage in _MATCHED:
        return (
            "The reviewer was matched by category and body part. "
            "Take the case back from the reviewer before these change."
        )
    return ""


def why_not_decide_item_change(user: User, change: ItemChange) -> str:
    """Whether this person may accept or refuse a proposed change."""
    if not user.may("cases.decide_item_change"):
        return "A coordinator or a supervisor decides about changes of items."
    if not change.is_waiting:
        return f"This change was {change.get_state_display().lower()} already."
    if change.proposed_by_id == user.pk:
        return "You proposed this change, so someone else has to decide about it."
    return ""


def why_not_keep_own_organization(user: User | None) -> str:
    """``None`` is the system: shipped and imported facts."""
    if user is None or user.may("cases.keep_own_organization"):
        return ""
    return "Credentialing and the medical director keep who belongs to this organization."


def why_not_settle_own_conflict(user: User, result: OwnConflictResult) -> str:
    """A doubt about this organization is settled by someone whom it does not concern."""
    if not user.may("cases.settle_own_conflicts"):
        return "The medical director settles possible affiliations of this organization."
    if result.member is not None and result.member.user_id == user.pk:
        return "This concerns you, so someone else has to settle it."
    return ""


def why_not_correct_note(user: User, note: Event) -> str:
    """Whether this person may put a second note in place of one. Queries once."""
    if not user.may("cases.add_note"):
        return "Your role does not write notes."
    if note.kind != Event.Kind.NOTE or note.by_id != user.pk:
        return "You correct your own notes alone. Add a note of your own instead."
    if Event.objects.filter(
        case=note.case_id, kind=Event.Kind.NOTE, facts__corrects=note.pk
    ).exists():
        return "This note is corrected already. Correct the later one."
    return ""


def why_not_note(user: User, case: Case) -> str:
    """Notes go on every case, closed ones too."""
    return "" if user.may("cases.add_note") else "Your role does not write notes."


def why_not_draft_letter(user: User, case: Case) -> str:
    if not user.may("correspondence.write_letters"):
        return "A coordinator or a supervisor drafts letters."
    if case.origin != Origin.OWN:
        return f"Case {case.number} was loaded from a published letter; nothing is sent about it."
    return ""


def why_not_settle_possible_duplicate(user: User) -> str:
    if user.may("cases.settle_possible_duplicate"):
        return ""
    return "Your role does not let you say whether two cases are the same."


def why_not_consolidate(user: User) -> str:
    if user.may("cases.consolidate"):
        return ""
    return "Your role does not let you consolidate cases."
