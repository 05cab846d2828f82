"""Permission rules of a case: one function per action, which returns why it is not allowed.

An empty string means that the action is allowed. The service refuses with the sentence, and the
page shows the same sentence beside the disabled button.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from accounts.models import User
from deadlines.calendars import format_day
from deadlines.days import local_day
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS

from .case_rows import rows_of
from .consolidated_items import find_deciding_case
from .hold_reasons import reasons_for
from .lifecycle import Status
from .models import (
    Case,
    CaseClearance,
    DisputedItem,
    Event,
    ItemChange,
    Origin,
    OwnConflictResult,
    PhoneCall,
    ReceivedDocument,
    UndoableAct,
)
from .models.restrictions import is_hidden, restricted_now, select_joint_restrictions

# For the way of the page to the person and back.
_UNDO_ALLOWANCE = timedelta(seconds=5)


def why_not_at_stage(user: User, permission: str, case: Case, *states: Status, action: str) -> str:
    """Check the role, then conflicts of interest of this person, then the state of the case.

    Conflicts of interest bar every action that advances a case: eligibility and its requests,
    notices, records, the reviewer, quality assurance, issuing, sending and closing. They do not bar
    notes, draft letters, intake, or changes of parties, dates, holds and links, which are all
    on the timeline.

    :param action: the action in words, such as "close it".
    """
    if not user.may(permission):
        return f"Your role does not let you {action}."
    if barred := why_not_by_conflicts(user, case):
        return barred
    if case.stage not in states:
        *others, last = (f"“{state.label}”" for state in states)
        stage_names = f"{', '.join(others)} or {last}" if others else last
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            f"To {action}, it must be in the {stage_names} stage."
        )
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


def why_not_add_received_document(user: User, case: Case) -> str:
    """Check whether a document can be added to a case: at any stage while it is open."""
    if not user.may("cases.add_received_document"):
        return "Your role does not let you add documents."
    if is_hidden(case.pk, user):
        return "You have no clearance for this case."
    if not case.is_open:
        return f"Case {case.number} is closed, so no document can be added. Reopen it first."
    return ""


def why_not_list_received_documents(user: User, case: Case) -> str:
    """Check whether a person may see which documents were received on a case."""
    if user.may("cases.view_received_document") and not is_hidden(case.pk, user):
        return ""
    return "Your role does not let you see the documents of this case."


def why_not_open_received_document(user: User, document: ReceivedDocument) -> str:
    """Check whether a person may open a received document.

    Medical records open only for the roles that open those of the record.
    """
    if reason := why_not_list_received_documents(user, document.case):
        return reason
    is_record = document.kind == ReceivedDocument.Kind.MEDICAL_RECORD
    if is_record and not user.may("records.open_any_document"):
        return "Your role does not let you open medical records."
    return ""


def why_not_end_early(user: User, case: Case) -> str:
    """Check whether the case, or some of its items, can end before a determination."""
    if not user.may("cases.withdraw_or_terminate"):
        return "Your role does not let you end a case early."
    # An issued determination binds the parties, so it can no longer be withdrawn.
    if case.stage in {
        Status.ISSUED,
        Status.WITHDRAWN,
        Status.TERMINATED,
        Status.CLOSED,
    }:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage "
            "and can no longer be closed early."
        )
    return ""


def why_not_close(user: User, case: Case) -> str:
    """Check whether the case can be closed without a determination."""
    return why_not_at_stage(
        user,
        "cases.withdraw_or_terminate",
        case,
        Status.INELIGIBLE,
        Status.DUPLICATE,
        Status.WITHDRAWN,
        Status.TERMINATED,
        action="close it",
    )


def why_not_undo(user: User, act: UndoableAct, *, at: datetime) -> str:
    """Check whether this person may take back an action now; see ``cases.services.undoing``."""
    if barred := why_not_by_conflicts(user, act.case):
        return barred
    if act.undone_at is not None:
        return "This was already taken back."
    if act.is_sent_mark:
        if not user.may("letters.mark_sent"):
            return "Your role does not let you change what was marked as sent."
        return (
            ""
            if at < act.until
            else "A mark as sent can be taken back only on the day on which it was made. "
            "Correct how the letter was sent instead."
        )
    if act.done_by_id != user.pk:
        return "Only the person who did this can undo it."
    if at > act.until + _UNDO_ALLOWANCE:
        return (
            "The ten seconds to undo this have passed. "
            "Open the case to see which action reverses it."
        )
    return ""


def why_not_hold(user: User, case: Case) -> str:
    """Check whether any hold reason fits the case now."""
    if not user.may("cases.hold_case"):
        return "Only a coordinator or a supervisor can hold a case."
    # A petition can hold a closed case, but only if the case was decided.
    undecided = case.stage == Status.CLOSED and case.decided_on is None
    if undecided or not reasons_for(case.priority, case.stage):
        return f"Case {case.number} is in the “{case.stage.label}” stage and cannot be put on hold."
    return ""


def why_not_end_hold(user: User) -> str:
    if user.may("cases.hold_case"):
        return ""
    return "Only a coordinator or a supervisor can end a hold."


def why_not_extend(user: User, case: Case) -> str:
    """Check whether an approved extension can be recorded now. At most one query."""
    if not user.may("cases.extend_deadline"):
        return "Only a coordinator or the medical director can record an extension."
    runs = any(
        row.deadline_kind in DETERMINATION_DEADLINE_KINDS and row.met_at is None
        for row in rows_of(case).deadlines_of_round()
    )
    return "" if runs else "This case has no active determination deadline."


# The review is signed, so another deadline for it no longer changes anything.
_PRIORITY_IS_FINAL = (Status.QA, Status.APPROVED, Status.ISSUED)


def why_not_change_priority(user: User, case: Case) -> str:
    """Check whether the priority can change; after the review it no longer can."""
    if not user.may("cases.change_priority"):
        return "Only a coordinator can change the priority of a case."
    if not case.is_open or case.stage in _PRIORITY_IS_FINAL:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage; "
            "its priority can no longer change."
        )
    return ""


def why_not_record_commitment(user: User, case: Case) -> str:
    """Check whether a commitment to a party can be recorded."""
    if not user.may("cases.manage_commitments"):
        return "Only a coordinator or a supervisor can record a commitment to a party."
    return "" if case.is_open else f"Case {case.number} is closed."


def why_not_state_receipt(user: User, case: Case) -> str:
    """Check whether the receipt of the determination can be recorded. At most one query."""
    if not user.may("cases.manage_commitments"):
        return "Only a coordinator or a supervisor can record when the determination was received."
    # Sending starts these deadlines, and only for overturned items.
    runs = any(
        row.deadline_kind in {"authorize", "reimburse"}
        for row in rows_of(case).deadlines_of_round()
    )
    return "" if runs else "No treatment has to be authorized or paid for in this case."


def why_not_correct_service(user: User) -> str:
    """Check whether the service of a letter can be corrected. Closed cases too."""
    if user.may("cases.correct_letter_service"):
        return ""
    return "Only the mail room, a coordinator or a supervisor can correct how a letter was sent."


# Stages before the eligibility decision. Until then intake staff correct what they entered.
BEFORE_ELIGIBILITY = {
    Status.RECEIVED,
    Status.DUPLICATE,
    Status.SCREENING,
    Status.INFO_REQUESTED,
    Status.DEFERRED,
}


def why_not_change_parties(user: User, case: Case) -> str:
    """Check whether the parties of the case can change.

    Whoever entered the application corrects its names and addresses until eligibility is decided.
    """
    if not user.may("cases.change_parties"):
        return "Only a coordinator or a supervisor can change the parties."
    if not case.is_open:
        return f"Case {case.number} is closed; its parties can no longer change."
    if user.may("cases.change_all_parties"):
        return ""
    if case.application is None or case.application.entered_by_id != user.pk:
        return (
            "Only a coordinator, a supervisor or the person who entered the application can change "
            "the parties."
        )
    if case.stage not in BEFORE_ELIGIBILITY:
        return "Eligibility is decided. Ask a coordinator or a supervisor to change the parties."
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
    """Check whether the state of a case allows item changes by two people.

    The items of a consolidated case change while those of its lead may. One query for it.
    """
    case = find_deciding_case(case)
    if case.stage in ITEMS_CHANGE_BY_TWO:
        return ""
    if case.stage in _REVIEWED:
        return (
            f"The review of case {case.number} is signed, so its items cannot change. "
            "Quality assurance can return the review for changes first."
        )
    if case.stage in {Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage; "
            "its items can no longer change."
        )
    return (
        f"Case {case.number} is in the “{case.stage.label}” stage. "
        "Until it is found eligible, only intake can correct its items."
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
    """Check whether this person may propose an additional item.

    Queries only for a consolidated case.
    """
    reason = why_not_propose_item_change(user, case)
    if not reason and find_deciding_case(case).stage in _MATCHED:
        return (
            "The reviewer was matched to the present items. "
            "Take the case back from the reviewer before you add an item."
        )
    return reason


def why_not_change_matching(case: Case) -> str:
    """Check whether fields that a reviewer is matched by (category, body part) may change now."""
    if find_deciding_case(case).stage in _MATCHED:
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
    if user is None or user.may("cases.manage_own_organization"):
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


def why_not_log_call(user: User, case: Case) -> str:
    """Check whether a telephone call about a case, open or closed, can be logged."""
    if not user.may("cases.log_call"):
        return "Your role does not let you log calls."
    return "You have no clearance for this case." if is_hidden(case.pk, user) else ""


def why_not_correct_call(user: User, case: Case, call: PhoneCall) -> str:
    """Check whether this person may correct a logged call. At most one query."""
    if not user.may("cases.log_call"):
        return "Your role does not let you log calls."
    if call.recorded_by_id != user.pk:
        return "You can correct only calls that you logged. Log a call of your own instead."
    if hasattr(call, "correction"):
        return "This call is already corrected. Correct the later entry."
    return ""


def why_not_note(user: User, case: Case) -> str:
    """Check whether this person may add a note. Closed cases take notes too."""
    return "" if user.may("cases.add_note") else "Your role does not let you write notes."


def why_not_draft_letter(user: User, case: Case) -> str:
    """Check whether this person may draft a letter about the case."""
    if not user.may("correspondence.review_drafts"):
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
    if user.may("cases.consolidate_cases"):
        return ""
    return "Your role does not let you consolidate cases."


# From the eligibility review to the signed review; a deferred case may be deferred in part only.
_CAN_SPLIT = {
    Status.SCREENING,
    Status.INFO_REQUESTED,
    Status.DEFERRED,
    *ITEMS_CHANGE_BY_TWO,
}


def why_not_split(user: User, case: Case) -> str:
    """Check whether items can be split from the case into one of their own. Queries nothing."""
    if not user.may("cases.split_case"):
        return "Only a coordinator or a supervisor can split a case."
    if barred := why_not_by_conflicts(user, case):
        return barred
    if case.stage in _CAN_SPLIT:
        return ""
    if case.stage == Status.CONSOLIDATED:
        return (
            f"Case {case.number} is consolidated into another case, which decides its items. "
            "Separate it before you split it."
        )
    if case.stage in {Status.QA, Status.APPROVED}:
        return (
            f"The review of case {case.number} is signed, so no item can be split off. "
            "Quality assurance can return the review for changes first."
        )
    if case.stage == Status.ISSUED or case.decided_on is not None:
        return f"The determination of case {case.number} is issued: its items are decided."
    return f"Case {case.number} is in the “{case.stage.label}” stage, so no item can be split off."


def why_not_split_items(case: Case, chosen: Collection[int]) -> str:
    """Check whether the chosen items can be split from a case, and others remain. Two queries.

    :param chosen: ids of items.
    """
    items = {item.pk: item for item in case.items.order_by("position")}
    if not chosen or not set(chosen) <= set(items):
        return "Choose the items of this case for which liability is disputed."
    for item in (items[pk] for pk in chosen):
        if item.ending == DisputedItem.Ending.DECIDED:
            return f"Item {item.position} is already decided."
        if item.ending != DisputedItem.Ending.PENDING:
            return f"Item {item.position} has ended: {item.get_ending_display().lower()}."
    waiting = case.item_changes.filter(state=ItemChange.State.PROPOSED, item__in=chosen)
    if change := waiting.select_related("item").first():
        return f"{change.title} awaits a second person. Accept or refuse it first."
    return why_not_split_last(
        sum(one.ending == DisputedItem.Ending.PENDING for one in items.values()) - len(set(chosen))
    )


def why_not_split_last(remaining: int) -> str:
    """Refuse to leave a case without an item to decide.

    :param remaining: the number of pending items that would stay in the case.
    """
    if remaining > 0:
        return ""
    return (
        "The last item cannot be split off. If liability is disputed for every item, defer the "
        "whole case at the eligibility review, or hold it."
    )


def why_not_merge_back(user: User, case: Case) -> str:
    """Check whether the items of a split case can return to the case that they came from.

    Only while nothing else has happened in either case. At most four queries.
    """
    if not user.may("cases.split_case"):
        return "Only a coordinator or a supervisor can merge a split case back."
    if barred := why_not_by_conflicts(user, case):
        return barred
    original = case.split_from
    if original is None:
        return f"Case {case.number} was not split from another case."
    if case.stage != Status.DEFERRED:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            "Only a deferred case can be merged back."
        )
    for one in (original, case):
        later = find_event_after_split(one, case)
        if later is not None:
            number = "another case" if is_hidden(one.pk, user) else f"case {one.number}"
            return (
                f"Since the split, something else has happened in {number}: "
                f"{later.get_kind_display().lower()}, {format_day(local_day(later.happened_at))}. "
                "The cases stay apart. When the dispute is resolved, record that, and the "
                "eligibility review resumes."
            )
    return ""


def find_split_event(of: Case, split: Case) -> Event | None:
    """Find the last event that the split of a case wrote on one of the two. One query."""
    kind = Event.Kind.DEFERRED if of.pk == split.pk else Event.Kind.SPLIT
    rows = of.events.filter(kind=kind).order_by("-pk")
    # In Python: a case has few of them, and the two databases compare JSON differently.
    return next((row for row in rows if row.facts.get("split_into") == split.number), None)


def find_event_after_split(of: Case, split: Case) -> Event | None:
    """Find the first event of a case after it was split, notes left out. Two queries."""
    written = find_split_event(of, split)
    rows = of.events.exclude(kind=Event.Kind.NOTE).order_by("pk")
    return rows.filter(pk__gt=written.pk).first() if written else rows.first()


def why_not_restrict(user: User) -> str:
    """Check whether this person may restrict cases and clear people for them."""
    if user.may("cases.restrict_case"):
        return ""
    return "Only the medical director or a supervisor can restrict a case and clear people for it."


def why_not_keep_clearances(user: User, case: Case) -> str:
    """Check whether this person may change the clearances of a restricted case. Two queries."""
    if refusal := why_not_restrict(user):
        return refusal
    if not restricted_now().filter(case=case).exists():
        return f"Case {case.number} is not restricted."
    if is_hidden(case.pk, user):
        return "You have no clearance for this case."
    if user not in list_keepers(case):
        return (
            "You have, or may have, an affiliation with a party of this case or of one restricted "
            "with it. Ask another medical director or supervisor who is cleared."
        )
    return ""


def list_keepers(case: Case) -> list[User]:
    """List who may change the clearances of a restricted case. Three queries beyond the roles.

    Cases restricted together have one list, so a keeper is cleared for each of them and has no
    affiliation with a party of any.
    """
    own = restricted_now().get(case=case)
    joint = dict(select_joint_restrictions(own).values_list("case_id", "case__barred_staff"))
    barred = {pk for staff in joint.values() for pk in staff}
    cleared: dict[User, set[int]] = {}
    rows = CaseClearance.objects.filter(case__in=joint, ended_at__isnull=True)
    for one in rows.select_related("user").order_by("pk"):
        cleared.setdefault(one.user, set()).add(one.case_id)
    return [
        person
        for person, case_ids in cleared.items()
        if case_ids == joint.keys() and person.pk not in barred and not why_not_restrict(person)
    ]


def why_not_clear(person: User, case: Case) -> str:
    """Check whether a person can be cleared for a case. No queries beyond the roles."""
    if not person.is_active or not person.may("cases.view_case"):
        return "This person cannot open cases, so a clearance would have no effect."
    if person.pk in case.barred_staff:
        return "This person has, or may have, an affiliation with a party and cannot be cleared."
    return ""


def why_not_end_clearance(clearance: CaseClearance) -> str:
    """Check whether a clearance can end. At least one person who keeps the list must remain."""
    if any(keeper.pk != clearance.user_id for keeper in list_keepers(clearance.case)):
        return ""
    return (
        "This is the last clearance of a medical director or supervisor. Clear another one first, "
        "or lift the restriction."
    )
