"""What the fault bench finds when it compares its own notes with the rows and files of the portal.

The notes are taken by the bench while it runs: which letters it has queued, which were lost by
which kill, and what each client typed and was answered. The portal is never asked what it has done.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from . import stage


@dataclass(frozen=True)
class Bar:
    """One measure with its bound."""

    name: str
    figure: float
    bound: float
    at_least: bool = False  # the figure has to reach the bound and not to stay below it

    @property
    def is_met(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        return stage.format_bar(self.name, self.figure, self.bound, at_least=self.at_least)


# --- Letters -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class LostLetter:
    """A letter whose message or worker was lost by a fault."""

    letter_id: UUID
    fault: str
    at: datetime
    progress: tuple[Any, ...]  # how far it was; a letter that has not moved is not lost again


@dataclass
class LetterVerdict:
    """What was found about the letters. The lists hold case numbers."""

    lost: list[str] = field(default_factory=list)  # no row, or filed without its file
    doubled: list[str] = field(default_factory=list)  # issued, recorded or stored twice
    wrong: list[str] = field(default_factory=list)  # the file is not that of this letter
    stuck: list[str] = field(default_factory=list)  # not filed
    drain_seconds: float = 0.0  # from the last fault to the last letter
    waits: list["Wait"] = field(default_factory=list)  # of lost letters, the longest one first

    def find_longest_wait(self, *, urgent: bool) -> float:
        """The seconds from a loss to the letter, of an expedited case or of another one."""
        return max((wait.seconds for wait in self.waits if wait.is_urgent is urgent), default=0.0)


@dataclass(frozen=True, order=True)
class Wait:
    """The time from the last loss of a letter to its filing."""

    seconds: float
    number: str
    fault: str
    attempts: int
    is_urgent: bool


def judge_letters(
    *, queued: Mapping[UUID, str], losses: Sequence[LostLetter], last_fault: datetime
) -> LetterVerdict:
    """Compare the letters that were queued with the rows and the files.

    :param queued: the case number of each letter.
    """
    from letters.models import Letter, LetterStep

    verdict = LetterVerdict()
    rows = {
        row.pk: row for row in Letter.objects.filter(pk__in=list(queued)).select_related("file")
    }
    verdict.lost += [number for pk, number in queued.items() if pk not in rows]
    steps = Counter(
        LetterStep.objects.filter(kind__in=["RENDERED", "FILED"]).values_list("letter", "kind")
    )
    for row in rows.values():
        if not row.is_filed:
            verdict.stuck.append(row.reference)
            continue
        verdict.drain_seconds = max(
            verdict.drain_seconds, (row.filed_at - last_fault).total_seconds()
        )
        made = [steps[row.pk, kind] for kind in ("RENDERED", "FILED")]
        if max(made) > 1:
            verdict.doubled.append(row.reference)
        title = _read_title(row)
        if title is None:
            verdict.lost.append(row.reference)
        elif title != row.words["title"] or min(made) < 1:
            verdict.wrong.append(row.reference)
    verdict.doubled += _find_repeated(row.reference for row in Letter.objects.all())
    verdict.doubled += _find_repeated(row.sha256 for row in rows.values() if row.sha256)
    verdict.doubled += _find_files_of_nobody()
    verdict.waits = _list_waits(rows, losses)
    return verdict


def _read_title(letter: Any) -> str | None:
    """The title in the file of a letter; ``None`` if the file is missing or changed."""
    import pikepdf

    from files.services import FileDamaged, read_bytes

    try:
        content = read_bytes(letter.file)
    except FileDamaged:
        return None
    if hashlib.sha256(content).hexdigest() != letter.sha256:
        return None
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return str(pdf.docinfo.get("/Title", ""))


def _find_repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, number in Counter(keys).items() if number > 1]


def _find_files_of_nobody() -> list[str]:
    """Stored files that no letter names: a second PDF of a letter would be one."""
    from files.models import StoredFile
    from letters.models import Letter

    named = Letter.objects.filter(file__isnull=False).values("file")
    return list(StoredFile.objects.exclude(pk__in=named).values_list("sha256", flat=True))


def _list_waits(rows: Mapping[UUID, Any], losses: Sequence[LostLetter]) -> list[Wait]:
    """The waits of the letters that were lost and are filed; the others are lost or stuck."""
    last = {loss.letter_id: loss for loss in sorted(losses, key=lambda loss: loss.at)}
    return sorted(
        (
            Wait(
                seconds=round((row.filed_at - last[pk].at).total_seconds(), 1),
                number=row.reference,
                fault=last[pk].fault,
                attempts=row.attempts,
                is_urgent=row.is_urgent,
            )
            for pk, row in rows.items()
            if pk in last and row.is_filed
        ),
        reverse=True,
    )


# --- Clients -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SentForm:
    """A form that a client has sent, and what was answered.

    :ivar kind: "intake", "note" or "correction".
    :ivar case: the case; for an intake, the one that the answer names.
    :ivar typed: what was typed, by field.
    :ivar status: of the answer; 0 if there was none.
    :ivar missing: fields whose text the answer does not contain, if it is a refusal.
    """

    kind: str
    case: str
    typed: Mapping[str, str]
    status: int
    missing: tuple[str, ...]
    seconds: float

    @property
    def is_acknowledged(self) -> bool:
        return 300 <= self.status < 400

    def __str__(self) -> str:
        return f"{self.kind} {self.case} {self.status} {dict(self.typed)}"


@dataclass
class ClientVerdict:
    """What was found about the forms of the clients."""

    lost: list[SentForm] = field(default_factory=list)  # acknowledged and not stored
    doubled: list[SentForm] = field(default_factory=list)  # stored more than once
    stored_unsaid: list[SentForm] = field(default_factory=list)  # stored, but "not saved" was said
    untyped: list[SentForm] = field(default_factory=list)  # refused without what was typed
    errors: list[SentForm] = field(default_factory=list)  # answered 500
    busy: list[SentForm] = field(default_factory=list)  # answered 503 with what was typed
    sent: int = 0


def judge_clients(sent: Sequence[SentForm]) -> ClientVerdict:
    """Compare what the clients typed and were answered with what is stored."""
    verdict = ClientVerdict(sent=len(sent))
    acknowledged = [form for form in sent if form.is_acknowledged]
    texts = {tuple(form.typed.values()) for form in acknowledged}
    for form in sent:
        stored = _count_stored(form)
        if form.is_acknowledged:
            if stored == 0:
                verdict.lost.append(form)
        elif stored and tuple(form.typed.values()) not in texts:
            verdict.stored_unsaid.append(form)
        if stored > 1:
            verdict.doubled.append(form)
        if form.status >= 500 and form.status != 503:
            verdict.errors.append(form)
        if not form.is_acknowledged:
            if form.missing or form.status == 0:
                verdict.untyped.append(form)
            elif form.status == 503:
                verdict.busy.append(form)
    verdict.lost += _find_overwritten(acknowledged)
    return verdict


def _count_stored(form: SentForm) -> int:
    """How often exactly this form is stored."""
    from cases.models import Application, Event

    if form.kind == "intake":
        same = Application.objects.filter(printed__claim_number=form.typed["claim_number"])
        if form.is_acknowledged:
            same = same.filter(cases__number=form.case)
        return sum(
            all(row.printed.get(name) == text for name, text in form.typed.items()) for row in same
        )
    events = Event.objects.filter(case__number=form.case)
    if form.kind == "note":
        return events.filter(kind=Event.Kind.NOTE, sentence=form.typed["text"]).count()
    changes = events.filter(kind=Event.Kind.CHANGED).values_list("facts", flat=True)
    return sum(facts.get("diagnosis", [""])[-1] == form.typed["diagnosis"] for facts in changes)


def _find_overwritten(acknowledged: Iterable[SentForm]) -> list[SentForm]:
    """The last correction of each case, if the case has another value now."""
    from cases.models import Case

    last = {form.case: form for form in acknowledged if form.kind == "correction"}
    now = dict(Case.objects.filter(number__in=list(last)).values_list("number", "diagnosis"))
    return [form for number, form in last.items() if now.get(number) != form.typed["diagnosis"]]
