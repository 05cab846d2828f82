"""Changes, previews, approves, discards and sends the letters of a case.

Approving freezes the text and queues one letter for each recipient, in one transaction. Workers
render the letters later, so approving works even if the message broker is down.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

import letters.services
from accounts.clashes import refuse_unique_clash
from accounts.models import User
from accounts.refusals import Refused, refuse_if
from cases.models import Case, CaseLetter, CaseLetterCopy, Event, Priority, UndoableAct
from cases.services import case_deadlines, served_letters, undoing
from correspondence import composition, policies
from deadlines.calendars import format_day
from deadlines.days import local_day
from letters.documents import Document
from letters.kinds import LetterKind
from letters.models import RenderedPreview, Service

from .notices import build_address

State = CaseLetter.State


@transaction.atomic
def change_letter_draft(
    *,
    letter_id: int,
    particulars: str,
    left_out: Collection[int],
    seen_version: int | None,
    by: User,
    at: datetime,
) -> CaseLetter:
    """Change the additional text and the recipients of a draft.

    :param left_out: ids of the parties who do not receive the letter.
    :raises NotAllowed: wrong role, no longer a draft, or no recipient is left.
    :raises Stale: someone else changed the draft since the page was loaded.
    """
    draft = _lock_letter(letter_id)
    refuse_if(policies.why_not_change_draft(by, draft))
    draft.refuse_if_stale(seen_version)
    # Only ids of this case's parties are stored, whatever the form has sent.
    possible_ids = {party.pk for party in composition.list_possible_recipients(draft, at=at)}
    out = sorted(possible_ids & set(left_out))
    refuse_if(
        "Choose at least one recipient." if possible_ids and len(out) == len(possible_ids) else ""
    )
    draft.particulars, draft.left_out = particulars.strip(), out
    return draft.store(by=by, at=at, why="Draft changed", fields=["particulars", "left_out"])


def preview_letter(*, letter_id: int, by: User, at: datetime) -> RenderedPreview:
    """Render a draft as its first recipient would receive it; the others differ in the address.

    :raises LetterRefused: naming all missing facts, or why the text cannot be typeset.
    """
    composed = _compose_first_letter(letter_id, at=at)
    return letters.services.preview_document(
        document=composed.document,
        layout=composition.LAYOUT,
        facts=composed.facts,
        declared=composed.declared,
        by=by,
        at=at,
    )


def find_letter_preview(*, letter_id: int, at: datetime) -> tuple[RenderedPreview | None, Document]:
    """Find the preview of the draft's current text, and the composed letter.

    :returns: the preview, or ``None`` if the current text was not rendered yet; and the letter.
    :raises LetterRefused: naming all missing facts.
    """
    composed = _compose_first_letter(letter_id, at=at)
    frozen_text = letters.services.freeze_words(
        document=composed.document, facts=composed.facts, declared=composed.declared
    )
    return letters.services.find_document_preview(
        words=frozen_text, layout=composition.LAYOUT
    ), composed.document


@transaction.atomic
def approve_letter(
    *, letter_id: int, seen_version: int | None, by: User, at: datetime
) -> CaseLetter:
    """Freeze the text and queue one letter for each recipient, by the recipient's channel.

    The letters are rendered ten seconds later; until then the approval can be undone. If two people
    approve at once, the second gets a refusal.

    :raises NotAllowed: wrong role, no longer a draft, or missing parts, which are all named.
    :raises Stale: someone else changed the draft since the page was loaded.
    :raises LetterRefused: the current text has not been shown in the preview.
    """
    draft = _lock_letter(letter_id)
    refuse_if(policies.why_not_change_draft(by, draft))
    draft.refuse_if_stale(seen_version)
    # Under the lock, because a party or an address may have changed since the page was loaded.
    lacking = composition.find_missing_parts(draft, at=at)
    refuse_if(" ".join(one.sentence for one in lacking))
    getting = composition.list_chosen_recipients(draft, at=at)
    # One letter for each recipient: each prints its own address and channel.
    for position, party in enumerate(getting):
        composed = composition.compose_letter(draft, party, at=at)
        letter = letters.services.enqueue_letter(
            kind=draft.kind,
            reference=draft.case.number,
            # The draft's number makes the key unique: a case may get several letters of one kind.
            variant=f"{draft.number}-{party.role.lower().replace('_', '-')}-{party.pk}",
            # Letters of an approval that was undone stay on file.
            version=draft.copies.filter(party=party).count() + 1,
            layout=composition.LAYOUT,
            document=composed.document,
            facts=composed.facts,
            declared=composed.declared,
            on=local_day(at),
            wording_set=composed.wording,
            variants=composed.variants,
            slots=composed.slots,
            recipients=[build_address(party)],
            urgent=draft.case.priority == Priority.EXPEDITED,
            require_preview=position == 0,  # the preview shows the first recipient's letter
            leaves_after=undoing.UNDO_FOR,
            by=by,
            at=at,
        )
        # Links the letter to the party, because ``letters`` knows no parties.
        CaseLetterCopy(
            case_letter=draft, party=party, letter=letter, service=letter.services.get()
        ).store(by=by, at=at)
    draft.state, draft.approved_at, draft.approved_by = State.APPROVED, at, by
    draft.store(by=by, at=at, why="Approved", fields=["state", "approved_at", "approved_by"])
    count = len(getting)
    _record_event(
        draft,
        f"{draft.get_kind_display()} approved for {count} recipient{'' if count == 1 else 's'}.",
        "",
        by=by,
        at=at,
    )
    kind = UndoableAct.Kind.LETTER_APPROVED
    undoing.offer_undo(case=draft.case, kind=kind, subject_id=draft.pk, by=by, at=at)
    return draft


def approve_at_once(*, letter_id: int, by: User, at: datetime) -> CaseLetter:
    """Typeset a draft and approve it in one step, for a person who does not open it.

    Typesetting runs before the transaction, and proves that the text can be printed.

    :raises NotAllowed: as ``approve_letter``.
    :raises LetterRefused: naming all missing facts, or why the text cannot be typeset.
    """
    draft = CaseLetter.objects.get(pk=letter_id)
    refuse_if(policies.why_not_change_draft(by, draft))
    lacking = composition.find_missing_parts(draft, at=at)
    refuse_if(" ".join(one.sentence for one in lacking))
    preview_letter(letter_id=letter_id, by=by, at=at)
    return approve_letter(letter_id=letter_id, seen_version=draft.version, by=by, at=at)


def approve_letters_of_case(*, case_id: int, by: User, at: datetime) -> list[CaseLetter]:
    """Approve every draft of a case, each in its own transaction, as ``approve_at_once``.

    :raises NotAllowed: no draft waits, or naming each letter that was approved or refused if one
        was refused.
    """
    case = Case.objects.get(pk=case_id)
    refuse_if(policies.why_not_approve_letters(by, case))
    approved, refusals = [], []
    for draft in case.case_letters.filter(state=State.DRAFT).order_by("pk"):
        try:
            approved.append(approve_at_once(letter_id=draft.pk, by=by, at=at))
        except Refused as refusal:
            refusals.append(f"{draft.get_kind_display()}: {refusal}")
    done = [f"{letter.get_kind_display()}: approved." for letter in approved]
    refuse_if(" ".join([*refusals, *done]) if refusals else "")
    return approved


@transaction.atomic
def undo_approve_letter(*, act_id: int, by: User, at: datetime) -> CaseLetter:
    """Undo the approval of a letter before it leaves; it is a draft again.

    Its copies stay on file as taken back.

    :raises NotAllowed: another person approved it, or the ten seconds have passed.
    :raises LetterTaken: a worker has begun to render it.
    """
    kind = UndoableAct.Kind.LETTER_APPROVED
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    letter = _lock_letter(act.subject_id)
    if letter.state != State.APPROVED:
        refuse_if(f"This letter is {letter.get_state_display().lower()} already.")
    copies = list(letter.current_copies())
    ids = [copy.letter_id for copy in copies]
    letters.services.cancel_letters(letter_ids=ids, by=by, at=at)
    for copy in copies:
        copy.taken_back_at = at
        copy.store(by=by, at=at, why="Undone", fields=["taken_back_at"])
    letter.state, letter.approved_at, letter.approved_by = State.DRAFT, None, None
    with refuse_unique_clash("Another draft of this kind was made since. Review that one."):
        letter.store(by=by, at=at, why="Undone", fields=["state", "approved_at", "approved_by"])
    undoing.record_undone(act=act, by=by, at=at)
    return letter


@transaction.atomic
def discard_letter_draft(*, letter_id: int, reason: str, by: User, at: datetime) -> CaseLetter:
    """Discard a draft for a coded reason; the draft and the reason stay on file.

    :param reason: one of ``CaseLetter.Discarded``.
    :raises NotAllowed: wrong role, no reason, or no longer a draft.
    """
    draft = _lock_letter(letter_id)
    refuse_if(policies.why_not_change_draft(by, draft))
    is_valid_reason = reason in CaseLetter.Discarded.values
    refuse_if("" if is_valid_reason else "Choose the reason for discarding the draft.")
    # Kept and not deleted: the file shows what was proposed and why it was not sent.
    draft.state, draft.discarded_because = State.DISCARDED, reason
    draft.discarded_at, draft.discarded_by = at, by
    why = CaseLetter.Discarded(reason).label
    fields = ["state", "discarded_because", "discarded_at", "discarded_by"]
    draft.store(by=by, at=at, why=why, fields=fields)
    _record_event(draft, f"Draft discarded: {draft.get_kind_display().lower()}.", why, by=by, at=at)
    return draft


@transaction.atomic
def mark_letter_sent(*, letter_id: int, sent_on: date, by: User, at: datetime) -> CaseLetter:
    """Record the date on which an approved letter was sent to all recipients.

    A notice of ineligibility starts the time to petition the WCAB (8 CCR 10575(a)). No deadline
    starts from the other letters. The deadlines of the notice of assignment and of questions to
    parties start in ``correspondence.services.notices`` and ``eligibility.services.information``.

    :raises NotAllowed: wrong role, or the letter is not approved or already sent.
    :raises Refused: a copy is not rendered yet, or the date is impossible.
    """
    sent = _lock_letter(letter_id)
    refuse_if(policies.why_not_mark_letter_sent(by, sent))
    reversed_on = _find_reversal_day(sent)
    if reversed_on is not None and sent_on >= reversed_on:
        refuse_if(
            f"The case returned to screening on {format_day(reversed_on)}, so this notice states "
            "a decision that is no longer in force. Do not send it."
        )
    copies = list(sent.current_copies())
    service_ids = []
    for copy in copies:
        # A copy that was already sent keeps its date.
        if copy.service.state == Service.State.PREPARED:
            service_ids.append(copy.service_id)
            letters.services.mark_served(service_id=copy.service_id, on=sent_on, by=by, at=at)
    # Nobody can petition against a decision that was reversed after its notice was sent.
    if sent.kind == LetterKind.INELIGIBILITY and reversed_on is None:
        served = Service.objects.filter(pk__in=[copy.service_id for copy in copies])
        served_letters.start_petition_deadlines(
            case=sent.case, services=served.order_by("pk"), by=by, at=at
        )
    sent.state, sent.sent_on = State.SENT, sent_on
    sent.store(by=by, at=at, why="Sent", fields=["state", "sent_on"])
    sentence = f"{sent.get_kind_display()} sent {format_day(sent_on)}."
    _record_event(sent, sentence, "", by=by, at=at, facts={"services": service_ids})
    kind = UndoableAct.Kind.LETTER_SENT
    undoing.offer_undo(case=sent.case, kind=kind, subject_id=sent.pk, by=by, at=at)
    return sent


@transaction.atomic
def take_back_letter_sent(*, act_id: int, by: User, at: datetime) -> CaseLetter:
    """Record that a letter was marked as sent in error, on the same day; it waits to be sent.

    The time to petition that ran from it ends.

    :raises NotAllowed: wrong role, a later day, or its service was corrected since.
    """
    kind = UndoableAct.Kind.LETTER_SENT
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    letter = _lock_letter(act.subject_id)
    service_ids = act.last_event.facts["services"] if act.last_event else []
    for service_id in service_ids:
        letters.services.take_back_served(service_id=service_id, by=by, at=at)
    case_deadlines.end_service_deadlines(
        case=letter.case,
        deadline_kind=served_letters.PETITION,
        why="Recorded in error",
        service_ids=service_ids,
        by=by,
        at=at,
    )
    letter.state, letter.sent_on = State.APPROVED, None
    letter.store(by=by, at=at, why="Recorded in error", fields=["state", "sent_on"])
    undoing.record_undone(act=act, by=by, at=at)
    return letter


@transaction.atomic
def mark_letters_of_case_sent(
    *, case_id: int, sent_on: date, by: User, at: datetime
) -> list[CaseLetter]:
    """Record the date on which every approved letter of a case was sent: all of them or none.

    :raises NotAllowed: no approved letter waits, or as ``mark_letter_sent``.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_mark_letters_sent(by, case))
    waiting = case.case_letters.filter(state=State.APPROVED).order_by("pk")
    return [
        mark_letter_sent(letter_id=pk, sent_on=sent_on, by=by, at=at)
        for pk in waiting.values_list("pk", flat=True)
    ]


def _find_reversal_day(sent: CaseLetter) -> date | None:
    """The day on which the decision that a notice of ineligibility states was reversed."""
    if sent.kind != LetterKind.INELIGIBILITY or sent.approved_at is None:
        return None
    reopened = sent.case.events.filter(
        kind=Event.Kind.REOPENED, happened_at__gte=sent.approved_at
    ).first()
    return local_day(reopened.happened_at) if reopened is not None else None


def _compose_first_letter(letter_id: int, *, at: datetime) -> composition.ComposedLetter:
    """Compose the letter to the draft's first recipient."""
    draft = CaseLetter.objects.select_related("case__ur_decision").get(pk=letter_id)
    getting = composition.list_chosen_recipients(draft, at=at)
    if not getting:
        raise letters.services.LetterRefused(["No recipient is selected."])
    return composition.compose_letter(draft, getting[0], at=at)


def _lock_letter(letter_id: int) -> CaseLetter:
    """Lock a letter and its case, so that concurrent changes run one after the other."""
    # The case first, as in every service, so that two of them cannot deadlock.
    case_id = CaseLetter.objects.values_list("case_id", flat=True).get(pk=letter_id)
    case = Case.objects.lock(case_id)
    draft = CaseLetter.objects.select_for_update().get(pk=letter_id)
    draft.case = case
    return draft


def _record_event(
    draft: CaseLetter,
    sentence: str,
    why: str,
    *,
    by: User,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> Event:
    return Event.objects.create(
        case=draft.case,
        kind=Event.Kind.CASE_LETTER,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why,
        facts={"case_letter": draft.pk, **(facts or {})},
        caused_by=draft.caused_by,
    )
