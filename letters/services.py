"""Service functions for wording, letters and their service on recipients.

``enqueue_letter`` runs inside the transaction of the calling service, so a letter exists if and
only if the action that needs it does. Every later step may run twice, late or never: the letter's
row holds its state, and messages on the broker are only hints (see ``docs/letters.md``).
"""

import uuid
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from accounts.clashes import refuse_unique_clash
from accounts.models import User
from accounts.refusals import NotAllowed, StaleForm
from files import services as files
from files.models import StoredFile

from . import facts as fact_rules
from . import typesetting, wording
from .documents import (
    Document,
    attach_facts,
    find_document_problems,
    find_unknown_outcomes,
    from_words,
    list_printed_texts,
    words_sha256,
)
from .facts import Fact, FactName
from .models import (
    DeliveryMethod,
    Heartbeat,
    Letter,
    LetterFact,
    LetterStep,
    Place,
    RenderedPreview,
    Service,
    ServiceEvent,
    WordingSentence,
    WordingSet,
)
from .wording import Composed, FactsRefused, WordingRefused

PDF = "application/pdf"
ADMINISTRATOR_ACTS = "An administrator"
AUTHOR_ACTS = "The author of the text, then a director"

__all__ = ["FactsRefused", "LetterRefused", "WordingRefused"]


class LetterRefused(NotAllowed):
    """A letter cannot be queued; ``problems`` lists all reasons."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class LetterTaken(StaleForm):
    """A worker renders the letter already, or it no longer needs rendering."""


@dataclass(frozen=True)
class RecipientAddress:
    """One recipient of a letter, with the planned method of service and the current address.

    :ivar id: the id of the recipient in the app that owns the letter.
    :ivar address: where it is sent, by the method: postal address, fax number or e-mail address.
    :ivar place: where the postal address is, whatever the method.
    """

    id: int
    role: str
    name: str
    method: DeliveryMethod
    address: str = ""
    place: Place = Place.UNKNOWN


# --- Wording -----------------------------------------------------------------------------------


@transaction.atomic
def import_wording(*, text: str, by: User | None, at: datetime) -> WordingSet:
    """Import a wording file as a new draft. Importing the same file twice makes one draft.

    :raises WordingRefused: listing all errors of the file.
    """
    # Read twice: the kind decides which facts the sentences may name.
    kind = wording.parse_wording_file(text).kind
    read = wording.parse_wording_file(text, declared=fact_rules.find_declared_facts(kind))
    # Locked, so that two imports do not take the same number.
    same = WordingSet.objects.select_for_update().filter(
        kind=read.kind, layout=read.layout, language=read.language
    )
    known = same.filter(content_sha256=read.sha256, title=read.title, is_sample=read.is_sample)
    # A retired set stays retired: importing its file again makes a new draft.
    existing: WordingSet | None = known.exclude(state=WordingSet.State.RETIRED).first()
    if existing is not None:
        return existing
    last = same.aggregate(last=Max("number"))["last"] or 0
    made = WordingSet(
        kind=read.kind,
        layout=read.layout,
        language=read.language,
        number=last + 1,
        title=read.title,
        is_sample=read.is_sample,
        content_sha256=read.sha256,
        imported_at=at,
    )
    # The first set of a layout has no row to lock, so the constraint has to decide.
    with refuse_unique_clash(
        "Someone imported another wording at the same time. Import yours again."
    ):
        made.store(by=by, at=at, why="Imported from a file")
    WordingSentence.objects.bulk_store(
        [
            WordingSentence(
                wording_set=made,
                slot=one.slot,
                order=one.order,
                variant=one.variant,
                text=one.text,
                needs=list(one.needs),
                starts_paragraph=one.starts_paragraph,
            )
            for one in read.sentences
        ],
        by=by,
        at=at,
    )
    return made


@transaction.atomic
def publish_wording(*, set_id: int, by: User, at: datetime) -> WordingSet:
    """Publish a draft, and retire the wording set that was in force before.

    :raises NotAllowed: no user, wrong role, or the set is not a draft.
    """
    # A named person answers for the wording, so the system may not publish it.
    if by is None:
        raise NotAllowed("Only a named person can publish wording.")
    if not by.may("letters.manage_wording"):
        raise NotAllowed("Only a medical director or an administrator can publish wording.")
    wording_set = WordingSet.objects.get(pk=set_id)
    same = WordingSet.objects.filter(
        kind=wording_set.kind, layout=wording_set.layout, language=wording_set.language
    )
    # Lock all sets in the order of their ids, so that two publications run one after the other.
    locked = {row.pk: row for row in same.select_for_update().order_by("pk")}
    draft = locked[set_id]
    if draft.state != WordingSet.State.DRAFT:
        raise NotAllowed(
            f"{draft} is {draft.get_state_display().lower()}. Import a new draft instead."
        )
    # First the old set, because the database allows only one published set.
    for old in same.filter(state=WordingSet.State.PUBLISHED):
        old.state, old.retired_at = WordingSet.State.RETIRED, at
        old.store(by=by, at=at, why=f"Number {draft.number} published", fields=_SET_STATE_FIELDS)
    draft.state, draft.published_at, draft.published_by = WordingSet.State.PUBLISHED, at, by
    draft.store(by=by, at=at, why="Published", fields=_SET_STATE_FIELDS)
    return draft


_SET_STATE_FIELDS = ["state", "published_at", "published_by", "retired_at"]


def find_wording_in_force(*, kind: str, layout: str, language: str = "en-US") -> WordingSet:
    """Find the published wording set of a layout.

    :raises LetterRefused: none is published, or it is sample wording and the settings do not allow
        that.
    """
    found = WordingSet.objects.filter(
        kind=kind, layout=layout, language=language, state=WordingSet.State.PUBLISHED
    ).first()
    if found is None:
        raise LetterRefused([f"No wording is published for the layout {layout}."])
    refused = _why_not_use_wording(found)
    if refused:
        raise LetterRefused([refused])
    return found


def compose_wording(
    *,
    wording_set: WordingSet,
    facts: Sequence[Fact],
    declared: Sequence[FactName],
    on: date,
    variants: Sequence[str] = (),
    slots: Sequence[str] | None = None,
    about: str = "",
) -> Composed:
    """Compose the sentences of a wording set from facts. Reads only.

    :raises LetterRefused: naming every fact that is missing, expired or unknown.
    """
    try:
        return wording.compose_sentences(
            list(wording_set.sentences.all()),
            facts,
            declared=declared,
            on=on,
            variants=variants,
            slots=slots,
            about=about,
        )
    except FactsRefused as error:
        raise LetterRefused(error.problems) from error


def _why_not_use_wording(wording_set: WordingSet) -> str:
    if wording_set.is_sample and not settings.ALLOW_SAMPLE_WORDING:
        return (
            f"{wording_set} is sample wording. A medical director must first publish the "
            "organization’s own wording."
        )
    return ""


# --- Queuing a letter --------------------------------------------------------------------------


@transaction.atomic
def enqueue_letter(
    *,
    kind: str,
    reference: str,
    variant: str = "",
    version: int = 1,
    layout: str,
    document: Document,
    facts: Sequence[Fact],
    declared: Sequence[FactName],
    on: date,
    wording_set: WordingSet,
    recipients: Sequence[RecipientAddress] = (),
    variants: Sequence[str] | Mapping[str, Sequence[str]] = (),
    slots: Sequence[str] | None = None,
    require_preview: bool = False,
    urgent: bool = False,
    leaves_after: timedelta = timedelta(0),
    by: User | None,
    at: datetime,
) -> Letter:
    """Queue a letter with frozen text, in the caller's transaction. A worker renders it later.

    The sentences of the wording are composed again from the facts, and the document must contain
    all of them. So a letter cannot state anything without a stored fact.

    :param on: the date on which the facts must hold: the date of signing, printed as its date.
    :param variants: the variants of the wording; by ``Fact.about`` if there are several reviewers.
    :param require_preview: refuse unless exactly this text has been rendered as a preview.
    :param urgent: whether a lost message or worker is to be noticed within 20 seconds.
    :param leaves_after: how long it stays here, so that it can be canceled.
    :raises LetterRefused: listing all reasons.
    """
    found = []
    if (wording_set.kind, wording_set.layout) != (kind, layout):
        found.append(f"{wording_set} is not wording for the layout {layout}.")
    if wording_set.state != WordingSet.State.PUBLISHED:
        found.append(f"{wording_set} is not published.")
    found += filter(None, [_why_not_use_wording(wording_set)])
    # All reasons are collected before refusing, so that one attempt shows everything to correct.
    found += _find_fact_problems(wording_set, document, facts, declared, on, variants, slots)
    found += [*find_document_problems(document, layout), *find_unknown_outcomes(document)]
    frozen_text = freeze_words(document=document, facts=facts, declared=declared)
    fingerprint = words_sha256(frozen_text)
    if require_preview and not find_document_preview(words=frozen_text, layout=layout):
        found.append("The current text has not been shown in the preview. Open the preview first.")
    key = {"kind": kind, "reference": reference, "variant": variant, "version": version}
    if Letter.objects.filter(**key).exists():
        found.append(f"This {kind.replace('_', ' ')} of {reference} already exists.")
    if found:
        raise LetterRefused(list(dict.fromkeys(found)))
    letter = Letter.objects.create(
        **key,
        layout=typesetting.find_layout_file(layout),  # its version of today
        language=document.language,
        wording_set=wording_set,
        title=document.title,
        dated_on=document.dated_on,
        facts=frozen_text["facts"],
        words=frozen_text,
        words_sha256=fingerprint,
        file_name=_file_name(kind, reference, version),
        created_at=at,
        created_by=by,
        # The relay sees the row only when the caller's transaction has committed.
        due_at=at + leaves_after,
        is_urgent=urgent,
    )
    _store_facts(letter, facts, declared)
    for recipient in recipients:
        _store_service(letter, recipient, by=by, at=at)
    _record_step(letter.pk, LetterStep.Kind.QUEUED, at=at, by=by)
    return letter


def _store_service(
    letter: Letter, recipient: RecipientAddress, *, by: User | None, at: datetime
) -> None:
    Service(
        letter=letter,
        recipient_id=recipient.id,
        recipient_role=recipient.role,
        recipient_name=recipient.name,
        method=recipient.method,
        address=recipient.address,
        place=recipient.place,
        planned_on=letter.dated_on,
    ).store(by=by, at=at)


def _store_facts(letter: Letter, facts: Sequence[Fact], declared: Sequence[FactName]) -> None:
    prints = {one.name for one in declared if one.printed}
    LetterFact.objects.bulk_create(
        LetterFact(
            letter=letter,
            name=one.name,
            about=one.about,
            value=_as_json(one.value),
            # Stored with the row: a later declaration must not turn a proof into a printed fact.
            printed=one.name in prints,
            source=one.source,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
        )
        for one in facts
    )


def freeze_words(
    *, document: Document, facts: Sequence[Fact], declared: Sequence[FactName]
) -> dict[str, Any]:
    """Return the text of a document and its printed facts, as stored, hashed and typeset."""
    return attach_facts(document, fact_rules.select_printed_facts(facts, declared)).as_words()


def _find_fact_problems(
    wording_set: WordingSet,
    document: Document,
    facts: Sequence[Fact],
    declared: Sequence[FactName],
    on: date,
    variants: Sequence[str] | Mapping[str, Sequence[str]],
    slots: Sequence[str] | None,
) -> list[str]:
    """List problems of the facts, and sentences of the wording that the document leaves out."""
    sentences = list(wording_set.sentences.all())
    # One pass for each reviewer whose facts are given separately.
    reviewers = list(dict.fromkeys(one.about for one in facts if one.about)) or [""]
    printed_texts = {text for _, text in list_printed_texts(document.as_words())}
    found: list[str] = []
    for about in reviewers:
        chosen = variants.get(about, ()) if isinstance(variants, Mapping) else variants
        try:
            composed = wording.compose_sentences(
                sentences,
                facts,
                declared=declared,
                on=on,
                variants=chosen,
                slots=slots,
                about=about,
            )
        except FactsRefused as error:
            found += error.problems
            continue
        # The app built the document itself, so it could have left a sentence out.
        for sentence in composed.sentences():
            if not any(sentence in text for text in printed_texts):
                found.append(f"The letter leaves out a sentence of its wording: “{sentence}”")
    return found


def _file_name(kind: str, reference: str, version: int) -> str:
    """Return the file name: case number, kind and version, without any person's name."""
    # ASCII only, so that every system keeps the name as it is.
    plain = "".join(one if one.isalnum() else "-" for one in f"{reference}-{kind}-{version}")
    return f"{plain.encode('ascii', 'replace').decode().replace('?', '-')}.pdf"


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@transaction.atomic
def cancel_letters(*, letter_ids: Collection[uuid.UUID], by: User, at: datetime) -> None:
    """Cancel queued letters, because their approval was undone. They are never rendered.

    :raises LetterTaken: a worker has begun with one of them.
    """
    # Locked, so that a worker either has a letter already or finds it canceled.
    rows = list(Letter.objects.select_for_update().filter(pk__in=letter_ids).order_by("pk"))
    if any(row.state != Letter.State.QUEUED for row in rows):
        raise LetterTaken("The letter has left already, so its approval can no longer be undone.")
    for row in rows:
        row.state = Letter.State.CANCELED
        row.save(update_fields=["state"])
        _record_step(row.pk, LetterStep.Kind.CANCELED, at=at, by=by)


# --- Preview -----------------------------------------------------------------------------------


def preview_document(
    *,
    document: Document,
    layout: str,
    facts: Sequence[Fact],
    declared: Sequence[FactName],
    by: User | None,
    at: datetime,
) -> RenderedPreview:
    """Render the text of a document, or find the existing rendering of the same text.

    Typesetting runs outside any database transaction.

    :raises LetterRefused: a part is missing, or a character cannot be printed.
    """
    found = find_document_problems(document, layout)
    if found:
        raise LetterRefused(found)
    frozen_text = freeze_words(document=document, facts=facts, declared=declared)
    # The same text gives the same bytes, so nothing is typeset twice.
    existing = find_document_preview(words=frozen_text, layout=layout)
    if existing is not None:
        return existing
    try:
        made = typesetting.typeset_words(frozen_text, layout, document.dated_on)
    except typesetting.TypesettingFailed as error:
        raise LetterRefused([str(error)]) from error
    except typesetting.TypesettingInterrupted as error:
        raise NotAllowed(f"The preview could not be generated: {error} Try again.") from error
    with transaction.atomic():
        file = files.store_bytes(content=made.content, media_type=PDF, pages=made.pages, at=at)
        # Two people may preview the same text at once; either result is right.
        row, _ = RenderedPreview.objects.get_or_create(
            words_sha256=_preview_key(frozen_text, layout),
            defaults={"layout": layout, "file": file, "pages": made.pages, "rendered_at": at},
        )
    return row


def find_document_preview(*, words: Mapping[str, Any], layout: str) -> RenderedPreview | None:
    """Find the preview of exactly this text in this layout."""
    key = _preview_key(words, layout)
    return RenderedPreview.objects.filter(words_sha256=key).select_related("file").first()


def _preview_key(words: Mapping[str, Any], layout: str) -> str:
    # The layout belongs to the key: the same text fails in one layout and fits in another.
    return words_sha256({"layout": typesetting.find_layout_file(layout), "words": words})


# --- Delivery to the workers: relay, rendering, recovery ----------------------------------------


# Letters in one message: a batch is claimed, and filed, in one transaction.
MOST_IN_MESSAGE = 20


def claim_due_letters(*, at: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Claim due letters for one relay. If several relays run, each letter goes to only one."""
    return [
        letter_id for message in _claim_due_messages(at=at, limit=limit) for letter_id in message
    ]


def _claim_due_messages(*, at: datetime, limit: int) -> list[list[uuid.UUID]]:
    """Claim due letters for one relay, by the messages in which they go to the workers."""
    with transaction.atomic():
        rows = Letter.objects.due(at=at)
        # Skips the rows of another relay instead of waiting. SQLite has only one writer.
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        due = list(rows.values_list("pk", "is_urgent", "attempts")[:limit])
        # Marked before sending: a crash in between delays a letter until the next sweep, but never
        # sends it from two relays.
        Letter.objects.filter(pk__in=[pk for pk, _, _ in due]).update(published_at=at)
    messages: list[list[uuid.UUID]] = []
    batch: list[uuid.UUID] = []
    for letter_id, is_urgent, attempts in due:
        # An urgent letter waits for no other. One that was tried before may have killed its worker,
        # and must not take others with it.
        if is_urgent or attempts:
            messages.append([letter_id])
            continue
        batch.append(letter_id)
        if len(batch) == MOST_IN_MESSAGE:
            messages.append(batch)
            batch = []
    return [*messages, batch] if batch else messages


def publish_due_letters(
    *,
    send: Callable[[list[uuid.UUID]], None],
    broker_error: type[Exception],
    at: datetime,
    limit: int = 100,
) -> int:
    """Publish every due letter to the workers; return the number of letters.

    :param send: puts the ids of one message on the broker.
    :param broker_error: the exception that ``send`` raises if the broker is down. It is raised
        again, and the letters stay due.
    """
    messages = _claim_due_messages(at=at, limit=limit)
    for position, letter_ids in enumerate(messages):
        try:
            send(letter_ids)
        except broker_error:
            # Only those that are still queued: a worker may have the first one despite the error.
            unsent = [letter_id for message in messages[position:] for letter_id in message]
            waiting = Letter.objects.filter(pk__in=unsent, state=Letter.State.QUEUED)
            waiting.update(published_at=None)
            raise
        _record_steps([(letter_id, LetterStep.Kind.PUBLISHED, "") for letter_id in letter_ids], at)
    return sum(map(len, messages))


def render_letter(*, letter_id: uuid.UUID, at: datetime, now: Callable[[], datetime]) -> Letter:
    """Typeset one letter and file its PDF, as ``render_letters`` does.

    :raises LetterTaken: another worker has the letter, or it is filed or failed.
    """
    rendered = render_letters(letter_ids=[letter_id], at=at, now=now)
    if not rendered:
        raise LetterTaken(f"Letter {letter_id} is not waiting for this worker.")
    return rendered[0]


def render_letters(
    *, letter_ids: Sequence[uuid.UUID], at: datetime, now: Callable[[], datetime]
) -> list[Letter]:
    """Typeset letters and file their PDFs: one transaction claims them all, one files them all.

    Safe to run twice; ``requeue_lost_letters`` repeats lost runs. If the worker is killed, none of
    the batch is filed, and each is sent again, alone.

    :param now: returns the current time, which is read again after each letter.
    :return: the letters that this worker filed, or marked as failed or to be tried again.
    """
    claimed = deque(_claim_letters(letter_ids, at=at))
    # Half of the shortest time until another worker may claim the letters.
    end = at + timedelta(seconds=settings.LETTER_LEASE_SECONDS / 2)
    rendered: list[tuple[Letter, files.WrittenFile]] = []
    settled: list[Letter] = []
    try:
        while claimed and (not (rendered or settled) or now() < end):
            letter = claimed.popleft()
            try:
                rendered.append((letter, _typeset_into_storage(letter)))
            except typesetting.TypesettingFailed as error:
                settled += _note_failed_attempt(
                    letter, str(error), AUTHOR_ACTS, at=now(), for_good=True
                )
            except (typesetting.TypesettingInterrupted, OSError) as error:
                settled += _note_failed_attempt(
                    letter, _describe_error(error), ADMINISTRATOR_ACTS, at=now(), for_good=False
                )
    finally:
        # An error of one letter, or the time limit of the task, keeps back none of the others.
        if rendered:
            settled += _file_letters(rendered, claimed_at=at, at=now())
        if claimed:
            _return_letters(claimed, at=now())
    return settled


@transaction.atomic
def _claim_letters(letter_ids: Sequence[uuid.UUID], *, at: datetime) -> list[Letter]:
    # Committed at once: typesetting takes long, and other workers must see the lease.
    claimed = Letter.objects.claim(letter_ids, at=at, lease_seconds=settings.LETTER_LEASE_SECONDS)
    _record_steps(
        [(one.pk, LetterStep.Kind.CLAIMED, f"Attempt {one.attempts}") for one in claimed], at
    )
    return claimed


def _typeset_into_storage(letter: Letter) -> files.WrittenFile:
    made = typesetting.typeset_words(letter.words, letter.layout, letter.dated_on)
    return files.WrittenFile.put_into_storage(
        content=made.content, media_type=PDF, pages=made.pages
    )


@transaction.atomic
def _file_letters(
    rendered: Sequence[tuple[Letter, files.WrittenFile]], *, claimed_at: datetime, at: datetime
) -> list[Letter]:
    """File the letters of a batch that this worker still has; return those."""
    stored = files.record_written_files(written=[file for _, file in rendered], at=at)
    settled: list[Letter] = []
    for letter, written in rendered:
        letter.file, letter.pages = stored[written.sha256], written.pages
        letter.sha256, letter.filed_at = written.sha256, at
    refused = {
        sha256: row.refusal
        for sha256, row in stored.items()
        if row.state == StoredFile.State.REFUSED
    }
    accepted = [one for one, _ in rendered if one.sha256 not in refused]
    # Typesetting may outlast the lease, and then another worker may have claimed a letter.
    filed_ids = Letter.objects.mark_filed(accepted, claimed_at=claimed_at, at=at)
    steps = []
    for letter, _ in rendered:
        if letter.sha256 in refused:
            why = refused[letter.sha256]
            settled += _note_failed_attempt(letter, why, ADMINISTRATOR_ACTS, at=at, for_good=True)
        elif letter.pk in filed_ids:
            letter.state = Letter.State.FILED
            steps.append((letter.pk, LetterStep.Kind.RENDERED, letter.sha256))
            steps.append((letter.pk, LetterStep.Kind.FILED, ""))
            settled.append(letter)
    _record_steps(steps, at)
    return settled


@transaction.atomic
def _return_letters(claimed: Collection[Letter], *, at: datetime) -> None:
    """Queue the letters again for which a worker had no time. This is no attempt."""
    for letter in claimed:
        Letter.objects.filter(
            pk=letter.pk, state=Letter.State.RENDERING, claimed_at=letter.claimed_at
        ).update(
            state=Letter.State.QUEUED,
            due_at=at,
            published_at=None,
            lease_until=None,
            attempts=F("attempts") - 1,
        )
    why = "The worker had no time left for this letter."
    _record_steps([(letter.pk, LetterStep.Kind.REQUEUED, why) for letter in claimed], at)


@transaction.atomic
def _note_failed_attempt(
    claimed: Letter, why: str, who: str, *, at: datetime, for_good: bool
) -> list[Letter]:
    """Record a failed attempt; queue the letter again, or mark it as failed after the last one.

    :param for_good: another attempt cannot succeed.
    :return: the letter, or nothing if another worker has claimed it since.
    """
    letter = Letter.objects.select_for_update().get(pk=claimed.pk)
    if letter.state != Letter.State.RENDERING or letter.claimed_at != claimed.claimed_at:
        return []
    _record_step(letter.pk, LetterStep.Kind.ATTEMPTED, at=at, detail=why)
    if for_good or letter.attempts >= settings.LETTER_MAX_ATTEMPTS:
        _mark_letter_failed(letter, why, who, at=at)
    else:
        # Wait longer after each attempt.
        wait = timedelta(seconds=settings.LETTER_LEASE_SECONDS * letter.attempts)
        _requeue_letter(letter, at=at, due_at=at + wait, why=why)
    return [letter]


def _mark_letter_failed(letter: Letter, why: str, who: str, *, at: datetime) -> None:
    letter.state, letter.failure, letter.who_must_act = Letter.State.FAILED, why, who
    letter.lease_until = None
    letter.save(update_fields=["state", "failure", "who_must_act", "lease_until"])
    _record_step(letter.pk, LetterStep.Kind.FAILED, at=at, detail=f"{who} must act.")


def _requeue_letter(letter: Letter, *, at: datetime, due_at: datetime, why: str) -> None:
    letter.state, letter.due_at, letter.failure = Letter.State.QUEUED, due_at, why
    letter.published_at = letter.lease_until = None
    letter.save(update_fields=["state", "due_at", "failure", "published_at", "lease_until"])
    _record_step(letter.pk, LetterStep.Kind.REQUEUED, at=at, detail=why)


@dataclass(frozen=True)
class SweepResult:
    """The number of letters that one sweep queued again or marked as failed."""

    requeued: int
    failed: int


def requeue_lost_letters(*, at: datetime) -> SweepResult:
    """Queue lost letters again, and mark those as failed that were lost too often.

    Runs every few seconds in the relay, and also in a worker, in case one of them is down.
    """
    requeued = failed = 0
    # One transaction for each letter, so that an error with one does not undo the others.
    lease_seconds = settings.LETTER_LEASE_SECONDS
    # Before the clock was set back, a letter may have been postponed to a moment far from now.
    longest = timedelta(seconds=lease_seconds * settings.LETTER_MAX_ATTEMPTS)
    Letter.objects.postponed_too_far(at=at, longest=longest).update(due_at=at)
    abandoned = Letter.objects.abandoned(at=at, lease_seconds=lease_seconds)
    for letter_id in list(abandoned.values_list("pk", flat=True)):
        with transaction.atomic():
            # Checked again under the lock: the worker may have filed it since the list was read.
            again = abandoned.select_for_update().filter(pk=letter_id)
            letter = again.first()
            if letter is None:
                continue
            why = "The worker stopped before the letter was filed."
            if letter.attempts >= settings.LETTER_MAX_ATTEMPTS:
                _record_step(letter.pk, LetterStep.Kind.ATTEMPTED, at=at, detail=why)
                _mark_letter_failed(
                    letter,
                    f"The worker stopped {letter.attempts} times before the letter was filed.",
                    ADMINISTRATOR_ACTS,
                    at=at,
                )
                failed += 1
            else:
                _requeue_letter(letter, at=at, due_at=at, why=why)
                requeued += 1
    # A letter that was published one lease ago and is still queued has probably lost its message.
    lost = Letter.objects.published_but_waiting(at=at, lease_seconds=lease_seconds)
    for letter_id in list(lost.values_list("pk", flat=True)):
        with transaction.atomic():
            # Check again inside the transaction. If the message is only late, the letter is
            # rendered twice at worst, with identical bytes.
            if lost.filter(pk=letter_id).update(published_at=None):
                _record_step(
                    letter_id,
                    LetterStep.Kind.REQUEUED,
                    at=at,
                    detail="No worker took the letter in time.",
                )
                requeued += 1
    return SweepResult(requeued=requeued, failed=failed)


@transaction.atomic
def requeue_stuck_letter(*, letter_id: uuid.UUID | str, why: str, by: User, at: datetime) -> bool:
    """Queue a letter again that no worker has finished; return whether it was still unfinished.

    :raises NotAllowed: wrong role.
    """
    if not by.may("letters.retry_failed_letter"):
        raise NotAllowed("Your role does not let you retry failed letters.")
    letter = Letter.objects.select_for_update().get(pk=letter_id)
    if not letter.is_moving:
        return False
    letter.state, letter.due_at = Letter.State.QUEUED, at
    letter.published_at = letter.lease_until = None
    letter.save(update_fields=["state", "due_at", "published_at", "lease_until"])
    _record_step(letter.pk, LetterStep.Kind.REQUEUED, at=at, by=by, detail=why[:300])
    return True


@transaction.atomic
def retry_failed_letter(*, letter_id: uuid.UUID, by: User, at: datetime) -> Letter:
    """Queue a failed letter again, after its cause was corrected.

    :raises NotAllowed: wrong role, or the letter has not failed.
    """
    if not by.may("letters.retry_failed_letter"):
        raise NotAllowed("Your role does not let you retry failed letters.")
    letter = Letter.objects.select_for_update().get(pk=letter_id)
    if letter.state != Letter.State.FAILED:
        raise NotAllowed("This letter has not failed.")
    # All attempts again, because the cause was corrected.
    letter.state, letter.attempts, letter.due_at = Letter.State.QUEUED, 0, at
    letter.published_at, letter.failure, letter.who_must_act = None, "", ""
    letter.save(
        update_fields=["state", "attempts", "due_at", "published_at", "failure", "who_must_act"]
    )
    _record_step(letter.pk, LetterStep.Kind.RELEASED, at=at, by=by)
    return letter


def read_letter_file(*, letter_id: uuid.UUID, by: User, at: datetime) -> bytes:
    """Read the PDF of a filed letter. If it is damaged, record that for the office.

    :raises NotAllowed: the letter is not filed.
    :raises FileDamaged: the file is missing or has changed since it was stored.
    """
    letter = Letter.objects.select_related("file").get(pk=letter_id)
    if letter.file is None:
        raise NotAllowed("This letter is not ready yet.")
    try:
        return files.read_bytes(letter.file)
    except files.FileDamaged:
        # Once until it is readable again, however often it is opened.
        if letter not in list_damaged_letters():
            _record_step(letter.pk, LetterStep.Kind.DAMAGED, at=at, by=by)
        raise


def list_damaged_letters() -> list[Letter]:
    """List the letters whose file was found damaged and has not been restored since."""
    found = Letter.objects.filter(steps__kind=LetterStep.Kind.DAMAGED).select_related("file")
    return [
        letter
        for letter in found.distinct().order_by("created_at", "pk")
        if letter.file is not None and not files.is_intact(letter.file)
    ]


def record_heartbeat(*, name: str, at: datetime) -> None:
    """Record that a background process is running; the health page reads this."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": at})


# --- After filing ------------------------------------------------------------------------------


@transaction.atomic
def mark_served(
    *, service_id: int, on: date, method: DeliveryMethod | None = None, by: User, at: datetime
) -> Service:
    """Record the day on which a letter was served on a recipient.

    The app that owns the letter calls this, and starts the deadlines that depend on the day.

    :param method: how it was served, if not as planned.
    :raises NotAllowed: the letter is not ready, was already served, or the day is impossible.
    """
    # Locked, because a service is marked only once; later changes are corrections.
    service = _lock_service(service_id)
    if not service.letter.is_filed:
        raise NotAllowed("The letter is not ready yet. Wait until its PDF is generated.")
    if service.is_served:
        raise NotAllowed("This letter was already sent.")
    _refuse_impossible_day(service, on, at)
    service.state, service.served_on = Service.State.SERVED, on
    service.served_method, service.served_by = method or service.method, by
    service.served_address = service.address
    service.store(
        by=by,
        at=at,
        fields=["state", "served_on", "served_method", "served_address", "served_by"],
    )
    _record_service_event(service, ServiceEvent.Kind.SERVED, on, by=by, at=at)
    return service


@transaction.atomic
def take_back_served(*, service_id: int, by: User, at: datetime) -> Service:
    """Record that a service was recorded in error; the letter waits to be sent again.

    The app that owns the letter calls this, and ends the deadlines that ran from it.

    :raises NotAllowed: it is not recorded as sent, or something was recorded about it since.
    """
    service = _lock_service(service_id)
    if not service.is_served:
        raise NotAllowed("The letter is not recorded as sent.")
    if service.events.exclude(
        kind__in=[ServiceEvent.Kind.SERVED, ServiceEvent.Kind.IN_ERROR]
    ).exists():
        raise NotAllowed(
            f"The service on {service.recipient_name} was corrected or answered since. "
            "Correct it instead."
        )
    day = timezone.localdate(at)
    _record_service_event(
        service, ServiceEvent.Kind.IN_ERROR, day, why="Recorded in error", by=by, at=at
    )
    service.state, service.served_on, service.served_by = Service.State.PREPARED, None, None
    service.served_method = service.served_address = ""
    fields = ["state", "served_on", "served_by", "served_method", "served_address"]
    return service.store(by=by, at=at, why="Recorded in error", fields=fields)


@transaction.atomic
def correct_service(
    *,
    service_id: int,
    on: date,
    method: DeliveryMethod,
    address: str,
    place: Place,
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> Service:
    """Correct the day, method, address or place of a service. The earlier values stay on record.

    The app that owns the letter calls this, and computes the deadlines of the recipient again.

    :raises NotAllowed: not served yet, nothing changed, no reason, or the day is impossible.
    :raises Stale: someone else changed the service since the page was loaded.
    """
    service = _lock_service(service_id)
    service.refuse_if_stale(seen_version)
    if not service.is_served:
        raise NotAllowed("The letter has not been sent to this recipient yet.")
    if not why.strip():
        raise NotAllowed("Enter the reason for the correction.")
    _refuse_impossible_day(service, on, at)
    corrected = {
        "served_on": on,
        "served_method": method,
        "served_address": address.strip(),
        "place": place,
    }
    changes = {
        name: [str(getattr(service, name)), str(value)]
        for name, value in corrected.items()
        if getattr(service, name) != value
    }
    if not changes:
        raise NotAllowed("Nothing was changed.")
    for name, value in corrected.items():
        setattr(service, name, value)
    service.store(by=by, at=at, why=why.strip(), fields=list(corrected))
    _record_service_event(
        service, ServiceEvent.Kind.CORRECTED, on, why=why, changes=changes, by=by, at=at
    )
    return service


@transaction.atomic
def record_service_outcome(
    *, service_id: int, kind: str, on: date, why: str, by: User, at: datetime
) -> ServiceEvent:
    """Record that a served letter was delivered, or came back. No deadline moves.

    :param kind: ``DELIVERED`` or ``RETURNED`` of ``ServiceEvent.Kind``.
    :raises NotAllowed: not served yet, an unknown outcome, no reason, or the day is impossible.
    """
    service = _lock_service(service_id)
    outcomes = (ServiceEvent.Kind.DELIVERED, ServiceEvent.Kind.RETURNED)
    if kind not in outcomes:
        raise NotAllowed("Choose whether the letter was delivered or came back.")
    if not service.is_served or service.served_on is None:
        raise NotAllowed("The letter has not been sent to this recipient yet.")
    if not service.served_on <= on <= timezone.localdate(at):
        raise NotAllowed("The day must be between the day of service and today.")
    if kind == ServiceEvent.Kind.RETURNED and not why.strip():
        raise NotAllowed("Enter why it came back, as the post office or the server says.")
    return _record_service_event(service, ServiceEvent.Kind(kind), on, why=why, by=by, at=at)


def _lock_service(service_id: int) -> Service:
    locked: Service = (
        Service.objects.select_for_update(of=("self",)).select_related("letter").get(pk=service_id)
    )
    return locked


def _refuse_impossible_day(service: Service, on: date, at: datetime) -> None:
    # Deadlines run from this day, so impossible days are refused here for all apps.
    if on > timezone.localdate(at):
        raise NotAllowed("The date of sending is in the future. Check the date.")
    if on < service.letter.dated_on:
        raise NotAllowed(
            f"The letter is dated {fact_rules.format_day(service.letter.dated_on)}; "
            "it cannot have been sent before that date."
        )


def _record_service_event(
    service: Service,
    kind: ServiceEvent.Kind,
    on: date,
    *,
    why: str = "",
    changes: Mapping[str, Any] | None = None,
    by: User,
    at: datetime,
) -> ServiceEvent:
    return ServiceEvent.objects.create(
        service=service,
        kind=kind,
        happened_on=on,
        recorded_at=at,
        recorded_by=by,
        why=why.strip(),
        changes=dict(changes or {}),
    )


def typeset_document(*, document: Document, layout: str) -> bytes:
    """Typeset a document without filing it, for a copy in another layout.

    :raises LetterRefused: the document cannot be typeset in this layout.
    """
    found = find_document_problems(document, layout)
    if found:
        raise LetterRefused(found)
    try:
        return typesetting.typeset_words(document.as_words(), layout, document.dated_on).content
    except typesetting.TypesettingFailed as error:
        raise LetterRefused([str(error)]) from error


def is_in_layout(letter: Letter, layout: str) -> bool:
    """Return whether a letter was typeset in some version of a layout."""
    return typesetting.find_layout_name(letter.layout) == layout


def load_letter_content(letter: Letter) -> bytes:
    """Load the PDF of a letter as it was sent; typeset it again if it has no readable file.

    :raises LetterRefused: it has no readable file, and its layout cannot typeset it any more.
    """
    if letter.file is not None:
        try:
            return files.read_bytes(letter.file)
        except files.FileDamaged:
            pass
    return typeset_document(document=load_letter_document(letter), layout=letter.layout)


def load_letter_document(letter: Letter) -> Document:
    """Rebuild the document of a letter from its frozen text."""
    return from_words(letter.words)


def _record_step(
    letter_id: uuid.UUID,
    kind: LetterStep.Kind,
    *,
    at: datetime,
    by: User | None = None,
    detail: str = "",
) -> None:
    LetterStep.objects.create(
        letter_id=letter_id, kind=kind, happened_at=at, by=by, detail=detail[:300]
    )


def _record_steps(steps: Sequence[tuple[uuid.UUID, LetterStep.Kind, str]], at: datetime) -> None:
    """Record steps of several letters, taken by the system, in one statement."""
    LetterStep.objects.bulk_create(
        LetterStep(letter_id=letter_id, kind=kind, happened_at=at, detail=detail[:300])
        for letter_id, kind, detail in steps
    )


def _describe_error(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"The file could not be stored: {error.strerror or type(error).__name__}."
    return str(error)
