"""Service functions for wording, letters and deliveries.

``enqueue_letter`` runs inside the transaction of the calling service, so a letter exists if and
only if the action that needs it does. Every later step may run twice, late or never: the letter's
row holds its state, and messages on the broker are only hints (see ``docs/letters.md``).
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
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
    Channel,
    Delivery,
    Heartbeat,
    Letter,
    LetterFact,
    LetterStep,
    RenderedPreview,
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
    """Another worker renders the letter, or it no longer needs rendering; nothing to do."""


@dataclass(frozen=True)
class RecipientAddress:
    """One recipient of a letter, with the channel and the current address."""

    role: str
    name: str
    channel: Channel
    address: str = ""


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
    wanted = WordingSet.objects.get(pk=set_id)
    same = WordingSet.objects.filter(
        kind=wanted.kind, layout=wanted.layout, language=wanted.language
    )
    # Lock all sets in the order of their ids, so that two publications run one after the other.
    locked = {row.pk: row for row in same.select_for_update().order_by("pk")}
    made = locked[set_id]
    if made.state != WordingSet.State.DRAFT:
        raise NotAllowed(
            f"{made} is {made.get_state_display().lower()}. Import a new draft instead."
        )
    # First the old set, because the database allows only one published set.
    for old in same.filter(state=WordingSet.State.PUBLISHED):
        old.state, old.retired_at = WordingSet.State.RETIRED, at
        old.store(by=by, at=at, why=f"Number {made.number} published", fields=_SET_STATE_FIELDS)
    made.state, made.published_at, made.published_by = WordingSet.State.PUBLISHED, at, by
    made.store(by=by, at=at, why="Published", fields=_SET_STATE_FIELDS)
    return made


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
    deliveries: Sequence[RecipientAddress] = (),
    variants: Sequence[str] | Mapping[str, Sequence[str]] = (),
    slots: Sequence[str] | None = None,
    require_preview: bool = False,
    by: User | None,
    at: datetime,
) -> Letter:
    """Queue a letter with frozen text, in the caller's transaction. A worker renders it later.

    The sentences of the wording are composed again from the facts, and the document must contain
    all of them. So a letter cannot state anything without a stored fact.

    :param on: the date on which the facts must hold: the date of signing, printed as its date.
    :param variants: the variants of the wording; by ``Fact.about`` if there are several reviewers.
    :param require_preview: refuse unless exactly this text has been rendered as a preview.
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
    words = freeze_words(document=document, facts=facts, declared=declared)
    fingerprint = words_sha256(words)
    if require_preview and not find_document_preview(words=words, layout=layout):
        found.append("The current text has not been shown in the preview. Open the preview first.")
    key = {"kind": kind, "reference": reference, "variant": variant, "version": version}
    if Letter.objects.filter(**key).exists():
        found.append(f"This {kind.replace('_', ' ')} of {reference} already exists.")
    if found:
        raise LetterRefused(list(dict.fromkeys(found)))
    letter = Letter.objects.create(
        **key,
        layout=layout,
        language=document.language,
        wording_set=wording_set,
        title=document.title,
        dated_on=document.dated_on,
        facts=words["facts"],
        words=words,
        words_sha256=fingerprint,
        file_name=_file_name(kind, reference, version),
        created_at=at,
        created_by=by,
        # Due at once. The relay sees the row only when the caller's transaction has committed.
        due_at=at,
    )
    _store_facts(letter, facts, declared)
    for one in deliveries:
        Delivery(
            letter=letter,
            recipient_role=one.role,
            recipient_name=one.name,
            channel=one.channel,
            address=one.address,
        ).store(by=by, at=at)
    _record_step(letter.pk, LetterStep.Kind.QUEUED, at=at, by=by)
    return letter


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
    """The text of a document and its printed facts, as stored, hashed and typeset."""
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
    """The file name of a letter: case number, kind and version, without any person's name."""
    # ASCII only, so that every system keeps the name as it is.
    plain = "".join(one if one.isalnum() else "-" for one in f"{reference}-{kind}-{version}")
    return f"{plain.encode('ascii', 'replace').decode().replace('?', '-')}.pdf"


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


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
    words = freeze_words(document=document, facts=facts, declared=declared)
    # The same text gives the same bytes, so nothing is typeset twice.
    existing = find_document_preview(words=words, layout=layout)
    if existing is not None:
        return existing
    try:
        made = typesetting.typeset_words(words, layout, document.dated_on)
    except typesetting.TypesettingFailed as error:
        raise LetterRefused([str(error)]) from error
    except typesetting.TypesettingInterrupted as error:
        raise NotAllowed(f"The preview could not be generated: {error} Try again.") from error
    with transaction.atomic():
        file = files.store_bytes(content=made.content, media_type=PDF, pages=made.pages, at=at)
        # Two people may preview the same text at once; either result is right.
        row, _ = RenderedPreview.objects.get_or_create(
            words_sha256=_preview_key(words, layout),
            defaults={"layout": layout, "file": file, "pages": made.pages, "rendered_at": at},
        )
    return row


def find_document_preview(*, words: Mapping[str, Any], layout: str) -> RenderedPreview | None:
    """Find the preview of exactly this text in this layout."""
    key = _preview_key(words, layout)
    return RenderedPreview.objects.filter(words_sha256=key).select_related("file").first()


def _preview_key(words: Mapping[str, Any], layout: str) -> str:
    # The layout belongs to the key: the same text fails in one layout and fits in another.
    return words_sha256({"layout": layout, "words": words})


# --- Delivery to the workers: relay, rendering, recovery ----------------------------------------


def claim_due_letters(*, at: datetime, limit: int = 100) -> list[uuid.UUID]:
    """Claim due letters for one relay. If several relays run, each letter goes to only one."""
    with transaction.atomic():
        rows = Letter.objects.due(at=at)
        # Skips the rows of another relay instead of waiting. SQLite has only one writer.
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        ids = list(rows.values_list("pk", flat=True)[:limit])
        # Marked before sending: a crash in between delays a letter until the next sweep, but never
        # sends it from two relays.
        Letter.objects.filter(pk__in=ids).update(published_at=at)
    return ids


def publish_due_letters(
    *, send: Callable[[uuid.UUID], None], lost: type[Exception], at: datetime, limit: int = 100
) -> int:
    """Publish every due letter to the workers; return the number of letters.

    :param send: puts one letter id on the broker.
    :param lost: the exception that ``send`` raises if the broker is down. It is raised again, and
        the letters stay due.
    """
    ids = claim_due_letters(at=at, limit=limit)
    for position, letter_id in enumerate(ids):
        try:
            send(letter_id)
        except lost:
            # Only those that are still queued: a worker may have the first one despite the error.
            waiting = Letter.objects.filter(pk__in=ids[position:], state=Letter.State.QUEUED)
            waiting.update(published_at=None)
            raise
        _record_step(letter_id, LetterStep.Kind.PUBLISHED, at=at)
    return len(ids)


def render_letter(*, letter_id: uuid.UUID, at: datetime, now: Callable[[], datetime]) -> Letter:
    """Typeset a letter and file its PDF. Safe to run twice; ``requeue_lost_letters`` repeats lost
    runs.

    :param now: returns the current time, which is read again after typesetting.
    :raises LetterTaken: another worker has the letter, or it is filed or failed.
    """
    # Committed at once: typesetting takes long, and other workers must see the lease.
    taken = Letter.objects.claim(letter_id, at=at, lease_seconds=settings.LETTER_LEASE_SECONDS)
    if not taken:
        raise LetterTaken(f"Letter {letter_id} is not waiting for a worker.")
    letter = Letter.objects.get(pk=letter_id)
    _record_step(letter.pk, LetterStep.Kind.CLAIMED, at=at, detail=f"Attempt {letter.attempts}")
    try:
        made = typesetting.typeset_words(letter.words, letter.layout, letter.dated_on)
        file = files.store_bytes(content=made.content, media_type=PDF, pages=made.pages, at=now())
    except typesetting.TypesettingFailed as error:
        return _note_failed_attempt(letter, str(error), AUTHOR_ACTS, at=now(), for_good=True)
    except (typesetting.TypesettingInterrupted, OSError) as error:
        return _note_failed_attempt(
            letter, _describe_error(error), ADMINISTRATOR_ACTS, at=now(), for_good=False
        )
    return _file_letter(letter, file, made.pages, at=now())


@transaction.atomic
def _file_letter(claimed: Letter, file: StoredFile, pages: int, *, at: datetime) -> Letter:
    letter = Letter.objects.select_for_update().get(pk=claimed.pk)
    # Typesetting may outlast the lease, and then another worker may have claimed the letter.
    if letter.state != Letter.State.RENDERING or letter.claimed_at != claimed.claimed_at:
        raise LetterTaken(f"Letter {letter.pk} was taken over by another worker.")
    letter.state = Letter.State.FILED
    letter.file, letter.sha256, letter.pages, letter.filed_at = file, file.sha256, pages, at
    letter.lease_until, letter.failure, letter.who_must_act = None, "", ""
    letter.save(
        update_fields=[
            "state",
            "file",
            "sha256",
            "pages",
            "filed_at",
            "lease_until",
            "failure",
            "who_must_act",
        ]
    )
    _record_step(letter.pk, LetterStep.Kind.RENDERED, at=at, detail=file.sha256)
    _record_step(letter.pk, LetterStep.Kind.FILED, at=at)
    return letter


@transaction.atomic
def _note_failed_attempt(
    claimed: Letter, why: str, who: str, *, at: datetime, for_good: bool
) -> Letter:
    """Record a failed attempt; queue the letter again, or mark it as failed after the last one.

    :param for_good: another attempt cannot succeed.
    """
    letter = Letter.objects.select_for_update().get(pk=claimed.pk)
    if letter.state != Letter.State.RENDERING or letter.claimed_at != claimed.claimed_at:
        raise LetterTaken(f"Letter {letter.pk} was taken over by another worker.")
    _record_step(letter.pk, LetterStep.Kind.ATTEMPTED, at=at, detail=why)
    if for_good or letter.attempts >= settings.LETTER_MAX_ATTEMPTS:
        _mark_letter_failed(letter, why, who, at=at)
    else:
        # Wait longer after each attempt.
        wait = timedelta(seconds=settings.LETTER_LEASE_SECONDS * letter.attempts)
        _requeue_letter(letter, at=at, due_at=at + wait, why=why)
    return letter


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

    Runs every minute in the relay, and also in a worker, in case one of them is down.
    """
    requeued = failed = 0
    # One transaction for each letter, so that an error with one does not undo the others.
    for letter_id in list(Letter.objects.abandoned(at=at).values_list("pk", flat=True)):
        with transaction.atomic():
            letter = Letter.objects.select_for_update().get(pk=letter_id)
            # Checked again under the lock: the worker may have filed it since the list was read.
            if letter.state != Letter.State.RENDERING or not letter.lease_until:
                continue
            if letter.lease_until >= at:
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
    before = at - timedelta(seconds=settings.LETTER_LEASE_SECONDS)
    lost = Letter.objects.published_but_waiting(before=before).values_list("pk", flat=True)
    for letter_id in list(lost):
        with transaction.atomic():
            # Check again inside the transaction. If the message is only late, the letter is
            # rendered twice at worst, with identical bytes.
            again = Letter.objects.published_but_waiting(before=before).filter(pk=letter_id)
            if again.update(published_at=None):
                _record_step(
                    letter_id,
                    LetterStep.Kind.REQUEUED,
                    at=at,
                    detail="No worker took the letter in time.",
                )
                requeued += 1
    return SweepResult(requeued=requeued, failed=failed)


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


def record_heartbeat(*, name: str, at: datetime) -> None:
    """Record that a background process is running; the health page reads this."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": at})


# --- After filing ------------------------------------------------------------------------------


@transaction.atomic
def mark_delivery_sent(
    *, delivery_id: int, method: Channel, on: date, by: User, at: datetime
) -> Delivery:
    """Record the date on which a letter was sent.

    The app that owns the letter calls this, and starts the deadlines that depend on the date.

    :raises NotAllowed: the letter is not ready, was already sent, or the date is impossible.
    """
    # Locked, because the date of service may be set only once.
    delivery = Delivery.objects.select_for_update().select_related("letter").get(pk=delivery_id)
    if not delivery.letter.is_filed:
        raise NotAllowed("The letter is not ready yet. Wait until its PDF is generated.")
    if delivery.state != Delivery.State.PREPARED:
        raise NotAllowed("This letter was already sent.")
    # Deadlines run from this date, so impossible dates are refused here for all apps.
    if on > timezone.localdate(at):
        raise NotAllowed("The date of sending is in the future. Check the date.")
    if on < delivery.letter.dated_on:
        raise NotAllowed(
            f"The letter is dated {fact_rules.format_day(delivery.letter.dated_on)}; "
            "it cannot have been sent before that date."
        )
    delivery.state, delivery.sent_on = Delivery.State.SENT, on
    delivery.sent_method, delivery.sent_by = method, by
    delivery.store(by=by, at=at, fields=["state", "sent_on", "sent_method", "sent_by"])
    return delivery


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


def _describe_error(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"The file could not be stored: {error.strerror or type(error).__name__}."
    return str(error)
