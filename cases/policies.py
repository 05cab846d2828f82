"""Permission rules of a case: one function per action, which returns why it is not allowed.

An empty string means that the action is allowed. The service refuses with the sentence, and the
page shows the same sentence beside the disabled button.
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


def why_not_at_stage(user: User, permission: str, case: Case, *states: Status, act: str) -> str:
    """Check the role, then conflicts of interest of this person, then the state of the case.

    Conflicts of interest bar every action that advances a case: eligibility and its requests,
    notices, records, the reviewer, quality assurance, issuing, sending and closing. They do not bar
    notes, draft letters, intake, or changes of parties, dates, holds and links, which are all
    on the timeline.

    :param act: the action in words, such as "close it".
    """
    if not user.may(permission):
        return f"Your role does not let you {act}."
    if barred := why_not_by_conflicts(user, case):
        return barred
    if case.stage not in states:
        wanted = " or ".join(f"“{state.label}”" for state in states)
        return f"Case {case.number} is in “{case.stage.label}”. To {act}, it must be in {wanted}."
    return ""


def why_not_by_conflicts(user: User, case: Case) -> str:
    """Check whether this person has a conflict of interest in a case. No queries."""
    if user.pk not in case.barred_staff:
        return ""
    return (
        f"You cannot work on case {case.number}: you have, or may have, an affiliation with a "
        "party. Ask a colleague to take the case. Only the medical director can clear a "
        "possible affiliation."
    )


def why_not_end_early(user: User, case: Case) -> str:
    """Check whether the case, or some of its items, can end before a determination."""
    if not user.may("cases.end_early"):
        return "Your role does not let you end a case early."
    # An issued determination binds the parties, so it can no longer be withdrawn.
    if case.stage in {
        Status.ISSUED,
        Status.WITHDRAWN,
        Status.TERMINATED,
        Status.CLOSED,
    }:
        return f"Case {case.number} is in “{case.stage.label}” and can no longer end early."
    return ""


def why_not_close(user: User, case: Case) -> str:
    """Check whether the case can be closed without a determination."""
    return why_not_at_stage(
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
    """Check whether any hold reason fits the case now."""
    if not user.may("cases.hold_case"):
        return "Only a coordinator or a supervisor can hold a case."
    # A petition can hold a closed case, but only if the case was decided.
    undecided = case.stage == Status.CLOSED and case.decided_on is None
    if undecided or not reasons_for(case.priority, case.stage):
        return f"Case {case.number} is in “{case.stage.label}” and cannot be held."
    return ""


def why_not_end_hold(user: User) -> str:
    if user.may("cases.hold_case"):
        return ""
    return "Only a coordinator or a supervisor can end a hold."


def why_not_extend(user: User, case: Case) -> str:
    """Check whether an approved extension can be recorded now. One query."""
    if not user.may("cases.extend_time"):
        return "Only a coordinator or the medical director can record an extension."
    runs = case.deadlines.filter(
        round=case.round,
        deadline_kind__in=DETERMINATION_DEADLINE_KINDS,
        met_at__isnull=True,
        replaced_at__isnull=True,
    )
    return "" if runs.exists() else "This case has no active determination deadline."


# The review is signed, so another deadline for it no longer changes anything.
_PRIORITY_IS_SETTLED = (Status.QA, Status.APPROVED, Status.ISSUED)


def why_not_change_priority(user: User, case: Case) -> str:
    """Check whether the priority can change; after the review it no longer can."""
    if not user.may("cases.convert_priority"):
        return "Only a coordinator can change the priority of a case."
    if not case.is_open or case.stage in _PRIORITY_IS_SETTLED:
        return f"Case {case.number} is in “{case.stage.label}”; its priority can no longer change."
    return ""


def why_not_record_commitment(user: User, case: Case) -> str:
    """Check whether a commitment to a party can be recorded."""
    if not user.may("cases.commitment_date"):
        return "Only a coordinator or a supervisor can record a commitment to a party."
    return "" if case.is_open else f"Case {case.number} is closed."


def why_not_state_receipt(user: User, case: Case) -> str:
    """Check whether the receipt of the determination can be recorded. One query."""
    if not user.may("cases.commitment_date"):
        return "Only a coordinator or a supervisor can record when the determination was received."
    # Sending starts these deadlines, and only for overturned items.
    runs = case.deadlines.filter(
        round=case.round, deadline_kind__in=["authorize", "reimburse"], replaced_at__isnull=True
    )
    return "" if runs.exists() else "No treatment has to be authorized or paid for in this case."


def why_not_change_parties(user: User, case: Case) -> str:
    """Check whether the parties of the case can change."""
    if not user.may("cases.change_parties"):
        return "Only a coordinator or a supervisor can change the parties."
    if not case.is_open:
        return f"Case {case.number} is closed; its parties can no longer change."
    return ""


# From acceptance to the signed review. Before that, intake corrects the application itself.
ITEMS_CHANGE_BY_TWO = (
    Status.ELIGIBLE,
    Status.NOTICE_SENT,
    Status.RECORDS_COMPLETE,
    Status.REVIEWER_CHOSEN,
    Status.IN_REVIEW,
    Status.INFO_FOR_REVIEW,
)
# A reviewer was chosen by the category and body part of the items.
_MATCHED = (Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW)
_REVIEWED = (Status.QA, Status.APPROVED, Status.ISSUED)


def why_not_change_items(case: Case) -> str:
    """Check whether the state of a case allows item changes by two people."""
    if case.stage in ITEMS_CHANGE_BY_TWO:
        return ""
    if case.stage in _REVIEWED:
        return (
            f"The review of case {case.number} is signed, so its items cannot change. "
            "Quality assurance can return the review for changes first."
        )
    if case.stage in {Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return f"Case {case.number} is in “{case.stage.label}”; its items can no longer change."
    return (
        f"Case {case.number} is in “{case.stage.label}”. Until it is found eligible, "
        "intake corrects its items."
    )


def why_not_propose_item_change(user: User, case: Case, item: DisputedItem | None = None) -> str:
    """Check whether this person may propose an item change.

    :param item: the item to change, which costs one query; ``None`` for a new item.
    """
    if not user.may("cases.propose_item_change"):
        return "Your role does not let you propose item changes."
    reason = why_not_change_items(case)
    if reason or item is None:
        return reason
    if item.ending != DisputedItem.Ending.PENDING:
        return f"Item {item.position} has ended: {item.get_ending_display().lower()}."
    # Two open proposals for one item could contradict each other.
    if item.changes.filter(state=ItemChange.State.PROPOSED).exists():
        return f"A change of item {item.position} already awaits a second person."
    return ""


def why_not_add_item(user: User, case: Case) -> str:
    """Check whether this person may propose an additional item. Queries nothing."""
    reason = why_not_propose_item_change(user, case)
    if not reason and case.stage in _MATCHED:
        return (
            "The reviewer was matched to the present items. "
            "Take the case back from the reviewer before you add an item."
        )
    return reason


def why_not_change_matching(case: Case) -> str:
    """Check whether fields that a reviewer is matched by (category, body part) may change now."""
    if case.stage in _MATCHED:
        return (
            "The reviewer was matched by category and body part. "
            "Take the case back from the reviewer before you change them."
        )
    return ""


def why_not_decide_item_change(user: User, change: ItemChange) -> str:
    """Check whether this person may accept or refuse a proposed item change."""
    if not user.may("cases.decide_item_change"):
        return "Only a coordinator or a supervisor can decide about item changes."
    if not change.is_waiting:
        return f"This change was already {change.get_state_display().lower()}."
    # A database constraint repeats this rule; here the person gets a sentence.
    if change.proposed_by_id == user.pk:
        return "You proposed this change, so someone else must decide about it."
    return ""


def why_not_keep_own_organization(user: User | None) -> str:
    """Check whether this user may edit the members of this organization.

    ``None`` is the system, which loads shipped and imported facts.
    """
    if user is None or user.may("cases.keep_own_organization"):
        return ""
    return "Only credentialing and the medical director can edit this organization."


def why_not_resolve_own_conflict(user: User, result: OwnConflictResult) -> str:
    """Check whether this person may resolve a possible affiliation of this organization."""
    if not user.may("cases.resolve_own_conflicts"):
        return "Only the medical director can resolve possible affiliations of this organization."
    # Nobody clears a conflict of interest of their own.
    if result.member is not None and result.member.user_id == user.pk:
        return "This concerns you, so someone else must resolve it."
    return ""


def why_not_correct_note(user: User, note: Event) -> str:
    """Check whether this person may correct a note with a second one. One query."""
    if not user.may("cases.add_note"):
        return "Your role does not let you write notes."
    if note.kind != Event.Kind.NOTE or note.by_id != user.pk:
        return "You can correct only your own notes. Add a note of your own instead."
    # Within the case, which has an index; the facts have none.
    if Event.objects.filter(
        case=note.case_id, kind=Event.Kind.NOTE, facts__corrects=note.pk
    ).exists():
        return "This note is already corrected. Correct the later one."
    return ""


def why_not_note(user: User, case: Case) -> str:
    """Check whether this person may add a note. Closed cases take notes too."""
    return "" if user.may("cases.add_note") else "Your role does not let you write notes."


def why_not_draft_letter(user: User, case: Case) -> str:
    """Check whether this person may draft a letter about the case."""
    if not user.may("correspondence.write_letters"):
        return "Only a coordinator or a supervisor can draft letters."
    # Published letters are redacted, so the parties are not known.
    if case.origin != Origin.OWN:
        return f"Case {case.number} was loaded from a published letter; no letters are sent for it."
    return ""


def why_not_resolve_duplicate(user: User) -> str:
    if user.may("cases.resolve_possible_duplicate"):
        return ""
    return "Your role does not let you resolve possible duplicates."


def why_not_consolidate(user: User) -> str:
    if user.may("cases.consolidate"):
        return ""
    return "Your role does not let you consolidate cases."
