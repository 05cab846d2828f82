"""Wording sets, letters with their progress, and their service on recipients.

A letter knows nothing about cases: its ``reference`` is just a text here. Its text is frozen when
the row is written, and database triggers forbid changes (see ``0002_guards``). Only its progress
can change.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.urls import reverse

from accounts.versions import Versioned
from files.models import StoredFile

# A lost message or worker of an urgent letter is noticed after so many seconds.
URGENT_SECONDS = 12
# Clocks of two machines may differ a little.
CLOCK_SKEW = timedelta(minutes=1)


class WordingSet(Versioned):
    """The fixed sentences of one layout in one language, published by a named person.

    A published set never changes. New sentences need a new set with the next number.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        PUBLISHED = "PUBLISHED", "Published"
        RETIRED = "RETIRED", "Retired"

    kind = models.CharField(max_length=40)  # a ``letters.kinds.LetterKind``
    layout = models.CharField(max_length=40)  # the name of a file in letters/layouts
    language = models.CharField(max_length=12, default="en-US")
    number = models.PositiveIntegerField()  # 1, 2, 3 … within kind, layout and language
    title = models.CharField(max_length=160)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    is_sample = models.BooleanField(
        "sample wording",
        default=False,
        help_text="Shipped as an example. Production does not use it for letters.",
    )
    content_sha256 = models.CharField(max_length=64)  # over the sentences, in order
    imported_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    retired_at = models.DateTimeField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "layout", "language", "number"], name="wording_set_number_unique"
            ),
            models.UniqueConstraint(
                # Otherwise two letters of one day could carry different sentences.
                fields=["kind", "layout", "language"],
                condition=Q(state="PUBLISHED"),
                name="wording_set_one_published",
            ),
            models.CheckConstraint(
                condition=Q(state="DRAFT", published_at__isnull=True)
                | Q(state__in=["PUBLISHED", "RETIRED"], published_at__isnull=False),
                name="wording_set_published_at_iff_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, number {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("letters:wording_detail", args=[self.pk])


class WordingSentence(Versioned):
    """One fixed sentence, with the facts that it prints or requires.

    Rows are written together with their set, and never change.
    """

    wording_set = models.ForeignKey(WordingSet, on_delete=models.PROTECT, related_name="sentences")
    slot = models.CharField(max_length=40)  # the section of the layout: "how_made", "deadline", …
    order = models.PositiveSmallIntegerField()  # within the slot
    variant = models.CharField(max_length=40, blank=True)  # "MD", "DO"; blank for all others
    text = models.TextField()  # with {named} placeholders for printed facts
    needs = models.JSONField(default=list, blank=True)  # names of facts that must hold
    starts_paragraph = models.BooleanField(default=False)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["wording_set", "slot", "order", "variant"],
                name="wording_sentence_place_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.slot} {self.order} {self.variant}".strip()


class LetterQuerySet(models.QuerySet["Letter"]):
    """Queries of the relay, the workers and the sweep."""

    def due(self, *, at: datetime) -> Self:
        """Queued letters that are due and not published to the workers yet, oldest first."""
        return self.filter(
            state=Letter.State.QUEUED, published_at__isnull=True, due_at__lte=at
        ).order_by("due_at", "id")

    def published_but_waiting(self, *, at: datetime, lease_seconds: int) -> Self:
        """Queued letters that were published one lease ago; their message may be lost.

        A moment in the future was stored before the clock was set back, and counts as lost.
        """
        before = at - timedelta(seconds=lease_seconds)
        urgent_before = at - timedelta(seconds=min(lease_seconds, URGENT_SECONDS))
        return self.filter(
            Q(published_at__lt=before)
            | Q(is_urgent=True, published_at__lt=urgent_before)
            | Q(published_at__gt=at + CLOCK_SKEW),
            state=Letter.State.QUEUED,
        )

    def abandoned(self, *, at: datetime, lease_seconds: int) -> Self:
        """Select the letters with an expired lease: their worker has stopped or hangs.

        A lease that ends later than any lease can was made before the clock was set back.
        """
        latest = at + timedelta(seconds=lease_seconds) + CLOCK_SKEW
        return self.filter(
            Q(lease_until__lt=at) | Q(lease_until__gt=latest), state=Letter.State.RENDERING
        )

    def postponed_too_far(self, *, at: datetime, longest: timedelta) -> Self:
        """Queued letters that are due later than any wait between two attempts allows."""
        return self.filter(state=Letter.State.QUEUED, due_at__gt=at + longest + CLOCK_SKEW)

    def failed(self) -> Self:
        """Select the letters that failed and need a person."""
        return self.filter(state=Letter.State.FAILED)

    def claim(
        self, letter_ids: Sequence[uuid.UUID], *, at: datetime, lease_seconds: int
    ) -> list["Letter"]:
        """Claim letters for one worker; return those that no other caller has claimed.

        They come with what typesetting needs; other fields are read when they are used.
        """
        # One statement decides between workers, so no lock is held while a letter is typeset.
        lease = timedelta(seconds=lease_seconds)
        # A second and third attempt get more time, in case the letter is long and not lost.
        urgent_lease = min(lease, timedelta(seconds=URGENT_SECONDS))
        # Attempts are counted when claimed and not when failed: a killed worker reports nothing.
        statement = f"""
            UPDATE letters_letter
            SET state = 'RENDERING', claimed_at = %s, attempts = attempts + 1,
                lease_until = CASE WHEN is_urgent AND attempts = 0 THEN %s ELSE %s END
            WHERE id IN (
                SELECT id FROM letters_letter
                WHERE id IN ({_placeholders(letter_ids)})
                  AND (state = 'QUEUED' OR (state = 'RENDERING' AND lease_until < %s))
                ORDER BY id {_skip_locked()}
            )
            RETURNING id, layout, dated_on, words, state, claimed_at, attempts
        """  # noqa: S608  # placeholders and a constant
        as_stored = connection.ops.adapt_datetimefield_value
        moments = [as_stored(moment) for moment in (at, at + urgent_lease, at + lease, at)]
        ids = [_stored_id(letter_id) for letter_id in letter_ids]
        claimed = self.raw(statement, [*moments[:3], *ids, moments[3]]) if ids else []
        # The database returns them in any order.
        positions = {letter_id: position for position, letter_id in enumerate(letter_ids)}
        return sorted(claimed, key=lambda letter: positions[letter.pk])

    def mark_filed(
        self, letters: Sequence["Letter"], *, claimed_at: datetime, at: datetime
    ) -> set[uuid.UUID]:
        """Mark letters as filed if this worker still has them; return the ids of those.

        :param letters: with their files, hashes and numbers of pages.
        """
        values = [
            value
            for one in letters
            for value in (_stored_id(one.pk), one.file_id, one.sha256, one.pages)
        ]
        rows = ", ".join(["(%s, %s, %s, %s)"] * len(letters))
        statement = f"""
            WITH done (letter_id, file_id, sha256, pages) AS (VALUES {rows})
            UPDATE letters_letter
            SET state = 'FILED', file_id = done.file_id, sha256 = done.sha256, pages = done.pages,
                filed_at = %s, lease_until = NULL, failure = '', who_must_act = ''
            FROM done
            WHERE id = done.letter_id AND state = 'RENDERING' AND claimed_at = %s
            RETURNING id
        """  # noqa: S608  # placeholders
        as_stored = connection.ops.adapt_datetimefield_value
        found = self.raw(statement, [*values, as_stored(at), as_stored(claimed_at)])
        return {letter.pk for letter in found} if letters else set()


def _placeholders(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _stored_id(letter_id: uuid.UUID) -> object:
    """Return an id as the database stores it: SQLite has no type for it."""
    return Letter._meta.pk.get_db_prep_value(letter_id, connection)


def _skip_locked() -> str:
    """Return the clause that passes over rows of another transaction; SQLite has one writer."""
    return "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""


class Letter(models.Model):
    """A letter with its frozen text, and the progress of its rendering."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Generating"
        RENDERING = "RENDERING", "Generating"
        FILED = "FILED", "Ready"
        FAILED = "FAILED", "Failed"
        CANCELED = "CANCELED", "Not sent: the approval was undone"

    # Not a number: ids appear in addresses and messages, and must not tell how many letters exist.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    # The content. Frozen by a trigger.
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=40)  # a case number; not interpreted here
    variant = models.CharField(max_length=60, blank=True)  # identifies the recipient
    version = models.PositiveSmallIntegerField(default=1)
    layout = models.CharField(max_length=40)
    language = models.CharField(max_length=12)
    wording_set = models.ForeignKey(WordingSet, on_delete=models.PROTECT, related_name="letters")
    title = models.CharField(max_length=200)
    dated_on = models.DateField()
    facts = models.JSONField()  # the printed facts, which the PDF contains as an attachment
    words = models.JSONField()  # the composed document, as passed to Typst
    words_sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=120)  # contains no person's name
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    # The progress.
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField()
    # Of an expedited case: a lost message or worker is noticed sooner.
    is_urgent = models.BooleanField(default=False)
    published_at = models.DateTimeField(null=True)  # when the relay published it to the workers
    claimed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.TextField(blank=True)  # one sentence for staff
    who_must_act = models.CharField(max_length=120, blank=True)

    # The result. Frozen once the letter is filed.
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField(null=True)
    filed_at = models.DateTimeField(null=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        indexes = [
            # One for the relay, which asks twice a second, and one for the letters of a case.
            models.Index(fields=["state", "due_at", "id"], name="letter_by_state"),
            models.Index(fields=["reference", "created_at"], name="letter_of_reference"),
        ]
        constraints = [
            # Queuing twice, for example after a second click, must not send two letters.
            models.UniqueConstraint(
                fields=["kind", "reference", "variant", "version"], name="letter_key_unique"
            ),
            models.CheckConstraint(
                condition=Q(
                    state="FILED",
                    file__isnull=False,
                    filed_at__isnull=False,
                    pages__isnull=False,
                )
                | Q(~Q(state="FILED"), file__isnull=True, filed_at__isnull=True),
                name="letter_file_iff_filed",
            ),
            models.CheckConstraint(
                condition=Q(~Q(state="RENDERING")) | Q(lease_until__isnull=False),
                name="letter_lease_while_rendering",
            ),
            models.CheckConstraint(
                condition=Q(state="FAILED", failure__gt="", who_must_act__gt="")
                | ~Q(state="FAILED"),
                name="letter_failed_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("letters:download", args=[self.pk])

    @property
    def is_filed(self) -> bool:
        return self.state == self.State.FILED

    @property
    def is_failed(self) -> bool:
        return self.state == self.State.FAILED

    @property
    def is_moving(self) -> bool:
        """Whether the status may change without a person."""
        return self.state in {self.State.QUEUED, self.State.RENDERING}

    @property
    def is_canceled(self) -> bool:
        return self.state == self.State.CANCELED


class LetterFact(models.Model):
    """A fact that a letter states or requires, as of the date of signing. Append-only.

    Printed facts are also part of the letter's text. Proof facts are stored only here; no worker,
    template or attachment reads them.
    """

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="fact_rows")
    name = models.CharField(max_length=60)
    about = models.CharField(max_length=40, blank=True)  # "seat 1" if there are several reviewers
    value = models.JSONField()
    printed = models.BooleanField()
    source = models.TextField(blank=True)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "name", "about"], name="letter_fact_once_per_letter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.letter_id}"


class LetterStep(models.Model):
    """One step in the processing of a letter. Append-only."""

    class Kind(models.TextChoices):
        QUEUED = "QUEUED", "Queued"
        PUBLISHED = "PUBLISHED", "Published to the workers"
        CLAIMED = "CLAIMED", "Claimed by a worker"
        RENDERED = "RENDERED", "Rendered"
        FILED = "FILED", "Filed"
        ATTEMPTED = "ATTEMPTED", "Attempt failed"
        REQUEUED = "REQUEUED", "Queued again"
        FAILED = "FAILED", "Failed"
        RELEASED = "RELEASED", "Retried by a person"
        DAMAGED = "DAMAGED", "File missing or changed"
        CANCELED = "CANCELED", "Approval undone"

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind)
    happened_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["letter", "id"], name="letter_step_of_letter")]
        constraints = [
            # Two workers that render the same letter must not both file it.
            models.UniqueConstraint(
                fields=["letter"], condition=Q(kind="FILED"), name="letter_filed_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.letter_id}"


class DeliveryMethod(models.TextChoices):
    """How a letter is served on a recipient."""

    MAIL = "MAIL", "Mail"
    EXPRESS = "EXPRESS", "Express mail"
    IN_HAND = "IN_HAND", "Personal service"
    FAX = "FAX", "Fax"
    ELECTRONIC = "ELECTRONIC", "Secure email"
    PORTAL = "PORTAL", "Portal"


class Place(models.TextChoices):
    """Where the address of a recipient is. It decides the days that 8 CCR 10605 adds."""

    CALIFORNIA = "ca", "California"
    OTHER_STATE = "us", "Another state"
    ABROAD = "abroad", "Another country"
    UNKNOWN = "unknown", "Not known"


class Service(Versioned):
    """The service of a letter on one recipient, with the method and address of that time.

    Every deadline of a recipient starts from ``served_on``, which a person enters. What happened
    to the letter is in ``events``.
    """

    class State(models.TextChoices):
        PREPARED = "PREPARED", "Prepared"
        SERVED = "SERVED", "Served"

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="services")
    # The id of the recipient in the app that owns the letter: here, of the row of the party.
    recipient_id = models.PositiveBigIntegerField()
    recipient_role = models.CharField(max_length=60)
    # Copied, like the address: a later change of the party must not change where it was sent.
    recipient_name = models.CharField(max_length=300)  # as long as a party's name
    method = models.CharField(max_length=12, choices=DeliveryMethod)
    address = models.TextField(blank=True)  # postal address, fax number or e-mail, by the method
    place = models.CharField(max_length=8, choices=Place, default=Place.UNKNOWN)
    planned_on = models.DateField()
    state = models.CharField(max_length=12, choices=State, default=State.PREPARED)
    served_on = models.DateField(null=True)
    served_method = models.CharField(max_length=12, choices=DeliveryMethod, blank=True)
    served_address = models.TextField(blank=True)  # where it really went
    served_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        indexes = [models.Index(fields=["state", "id"], name="service_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "recipient_id", "method"],
                name="service_once_per_recipient_and_method",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="PREPARED",
                    served_on__isnull=True,
                    served_by__isnull=True,
                    served_method="",
                )
                | Q(
                    state="SERVED",
                    served_on__isnull=False,
                    served_by__isnull=False,
                    served_method__gt="",
                ),
                name="service_served_on_by_and_method_together",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter} to {self.recipient_role}"

    is_outdated = False  # set by lists: the recipient was changed after the letter was made

    @property
    def is_served(self) -> bool:
        return self.state == self.State.SERVED


class ServiceEvent(models.Model):
    """What happened to the service of a letter. Rows are only added."""

    class Kind(models.TextChoices):
        SERVED = "SERVED", "Served"
        CORRECTED = "CORRECTED", "Corrected"
        DELIVERED = "DELIVERED", "Delivery confirmed"
        RETURNED = "RETURNED", "Returned or not delivered"
        IN_ERROR = "IN_ERROR", "Recorded as sent in error"

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    happened_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(max_length=500, blank=True)
    # For a correction: name of the field to its values before and after.
    changes = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["service", "recorded_at", "id"], name="event_of_service")]

    def __str__(self) -> str:
        return f"{self.service}: {self.get_kind_display()}"

    @property
    def listed_changes(self) -> list[tuple[str, str, str]]:
        """The changes of a correction for a page: label, before, after."""
        return [
            (_SERVICE_LABELS[name], _show_value(name, before), _show_value(name, after))
            for name, (before, after) in self.changes.items()
        ]


_SERVICE_LABELS = {
    "served_on": "Date",
    "served_method": "Method",
    "served_address": "Sent to",
    "place": "Place",
}


def _show_value(name: str, value: str) -> str:
    """A stored value of a service as a page shows it."""
    if name == "served_method":
        return DeliveryMethod(value).label if value else ""
    return Place(value).label if name == "place" else value


class RenderedPreview(models.Model):
    """A rendered preview; it proves that exactly this text can be typeset."""

    # Over the layout and the text; see ``services.find_document_preview``.
    words_sha256 = models.CharField(max_length=64, unique=True)
    layout = models.CharField(max_length=40)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    pages = models.PositiveSmallIntegerField()
    rendered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Preview {self.words_sha256[:12]}"


class Heartbeat(models.Model):
    """The last sign of activity of each background process."""

    name = models.CharField(max_length=40, unique=True)  # "relay", "worker"
    beaten_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
