"""Letters of a case: a draft is looked at, changed, approved or put away by a person, and sent.

Approving freezes the words and queues one letter for each recipient in the same transaction;
workers render them afterward, so it works while the broker is away.
"""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

import letters.services
from accounts.models import User
from accounts.refusals import refuse
from cases.models import Case, CaseLetter, CaseLetterCopy, Event
from cases.services.drafting import draft_letter, propose
from correspondence import composition, policies
from deadlines.days import local_day
from letters.documents import Document
from letters.models import Channel, Delivery, RenderedPreview

from .notices import address_of

__all__ = [
    "approve_letter",
    "change_draft",
    "discard_draft",
    "draft_letter",
    "find_preview",
    "mark_letter_sent",
    "preview_letter",
    "propose",
]

State = CaseLetter.State


@transaction.atomic
def change_draft(
    *,
    letter_id: int,
    particulars: str,
    left_out: Collection[int],
    seen_version: int | None,
    by: User,
    at: datetime,
) -> CaseLetter:
    """Say what the letter adds for this case, and who does not get it.

    :raises NotAllowed: wrong role, no draft any more, or no one would get it.
    :raises Stale: someone else changed the draft since the page was loaded.
    """
    draft = _lock(letter_id)
    refuse(policies.why_not_change_draft(by, draft))
    draft.refuse_if_stale(seen_version)
    known = {party.pk for party in composition.told(draft, at=at)}
    out = sorted(known & set(left_out))
    refuse("Choose at least one recipient." if known and len(out) == len(known) else "")
    draft.particulars, draft.left_out = particulars.strip(), out
    return draft.store(by=by, at=at, why="Draft changed", fields=["particulars", "left_out"])


def preview_letter(*, letter_id: int, by: User, at: datetime) -> RenderedPreview:
    """Render the draft as its first recipient would get it; the others differ in the address.

    :raises LetterRefused: a fact is missing, or the words cannot be typeset; all is named.
    """
    made = _make_first(letter_id, at=at)
    return letters.services.preview(
        document=made.document,
        layout=composition.LAYOUT,
        facts=made.facts,
        declared=made.declared,
        by=by,
        at=at,
    )


def find_preview(*, letter_id: int, at: datetime) -> tuple[RenderedPreview | None, Document]:
    """The preview of exactly the words that the draft says now, if there is one, and the words.

    :raises LetterRefused: a fact is missing; all is named.
    """
    made = _make_first(letter_id, at=at)
    words = letters.services.freeze(
        document=made.document, facts=made.facts, declared=made.declared
    )
    return letters.services.previewed(words=words, layout=composition.LAYOUT), made.document


@transaction.atomic
def approve_letter(
    *, letter_id: int, seen_version: int | None, by: User, at: datetime
) -> CaseLetter:
    """Freeze the words and queue one letter for each recipient, by the recipient's own channel.

    Of two people who approve at once, one does; the other reads that it is done.

    :raises NotAllowed: wrong role, no draft any more, or something is missing; all is named.
    :raises Stale: someone else changed the draft since the page was loaded.
    :raises LetterRefused: exactly these words have not been shown in the preview.
    """
    draft = _lock(letter_id)
    refuse(policies.why_not_change_draft(by, draft))
    draft.refuse_if_stale(seen_version)
    lacking = composition.missing(draft, at=at)
    refuse(" ".join(one.sentence for one in lacking))
    getting = composition.chosen(draft, at=at)
    for position, party in enumerate(getting):
        made = composition.make(draft, party, at=at)
        letter = letters.services.enqueue(
            kind=draft.kind,
            reference=draft.case.number,
            variant=f"{draft.number}-{party.role.lower().replace('_', '-')}-{party.pk}",
            layout=composition.LAYOUT,
            document=made.document,
            facts=made.facts,
            declared=made.declared,
            on=local_day(at),
            wording_set=made.wording,
            variants=made.variants,
            slots=made.slots,
            deliveries=[address_of(party)],
            require_preview=position == 0,
            by=by,
            at=at,
        )
        CaseLetterCopy(
            case_letter=draft, party=party, letter=letter, delivery=letter.deliveries.get()
        ).store(by=by, at=at)
    draft.state, draft.approved_at, draft.approved_by = State.APPROVED, at, by
    draft.store(by=by, at=at, why="Approved", fields=["state", "approved_at", "approved_by"])
    count = len(getting)
    _record(
        draft,
        f"{draft.get_kind_display()} approved for {count} recipient{'' if count == 1 else 's'}.",
        "",
        by=by,
        at=at,
    )
    return draft


@transaction.atomic
def discard_draft(*, letter_id: int, because: str, by: User, at: datetime) -> CaseLetter:
    """Put a draft away: it does not go, and the reason stays on file.

    :param because: one of ``CaseLetter.Discarded``.
    :raises NotAllowed: wrong role, no reason, or no draft any more.
    """
    draft = _lock(letter_id)
    refuse(policies.why_not_change_draft(by, draft))
    known = because in CaseLetter.Discarded.values
    refuse("" if known else "Choose why the draft is discarded.")
    draft.state, draft.discarded_because = State.DISCARDED, because
    draft.discarded_at, draft.discarded_by = at, by
    why = CaseLetter.Discarded(because).label
    fields = ["state", "discarded_because", "discarded_at", "discarded_by"]
    draft.store(by=by, at=at, why=why, fields=fields)
    _record(draft, f"Draft discarded: {draft.get_kind_display().lower()}.", why, by=by, at=at)
    return draft


@transaction.atomic
def mark_letter_sent(*, letter_id: int, sent_on: date, by: User, at: datetime) -> CaseLetter:
    """State that an approved letter went out on a day, to each recipient by its channel.

    No clock hangs on these letters themselves: those of the notice of assignment and of questions
    to the parties start where their days are stated (``notices``, ``information``).

    :raises NotAllowed: wrong role, or the letter is not approved or sent already.
    :raises Refused: a copy is not rendered yet, or the day cannot be.
    """
    sent = _lock(letter_id)
    refuse(policies.why_not_mark_letter_sent(by, sent))
    copies = list(sent.copies.select_related("delivery").order_by("pk"))
    for copy in copies:
        if copy.delivery.state == Delivery.State.PREPARED:
            letters.services.mark_sent(
                delivery_id=copy.delivery_id,
                method=Channel(copy.delivery.channel),
                on=sent_on,
                by=by,
                at=at,
            )
    sent.state, sent.sent_on = State.SENT, sent_on
    sent.store(by=by, at=at, why="Sent", fields=["state", "sent_on"])
    _record(sent, f"{sent.get_kind_display()} sent {sent_on:%m/%d/%Y}.", "", by=by, at=at)
    return sent


def _make_first(letter_id: int, *, at: datetime) -> composition.Made:
    """The draft as its first recipient would get it."""
    draft = CaseLetter.objects.select_related("case__ur_decision").get(pk=letter_id)
    getting = composition.chosen(draft, at=at)
    if not getting:
        raise letters.services.LetterRefused(["No one is chosen who could get this letter."])
    return composition.make(draft, getting[0], at=at)


def _lock(letter_id: int) -> CaseLetter:
    """The letter with its case, both held: whoever comes second sees what the first one did."""
    case_id = CaseLetter.objects.values_list("case_id", flat=True).get(pk=letter_id)
    case = Case.objects.lock(case_id)
    draft = CaseLetter.objects.select_for_update().get(pk=letter_id)
    draft.case = case
    return draft


def _record(draft: CaseLetter, sentence: str, why: str, *, by: User, at: datetime) -> Event:
    return Event.objects.create(
        case=draft.case,
        kind=Event.Kind.CASE_LETTER,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=why,
        facts={"case_letter": draft.pk},
        caused_by=draft.caused_by,
    )
