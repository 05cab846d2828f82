"""Wording sets, letters with their progress, and deliveries to recipients.

A letter knows nothing about cases: its ``reference`` is just a text here. Its text is frozen when
the row is written, and database triggers forbid changes (see ``0002_guards``). Only its progress
can change.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.versions import Versioned
from files.models import StoredFile


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

    def published_but_waiting(self, *, before: datetime) -> Self:
        """Queued letters that were published before a time; their message may be lost."""
        return self.filter(state=Letter.State.QUEUED, published_at__lt=before)

    def abandoned(self, *, at: datetime) -> Self:
        """Letters with an expired lease: their worker has stopped or hangs."""
        return self.filter(state=Letter.State.RENDERING, lease_until__lt=at)

    def failed(self) -> Self:
        """Letters that failed and need a person."""
        return self.filter(state=Letter.State.FAILED)

    def claim(self, letter_id: uuid.UUID, *, at: datetime, lease_seconds: int) -> bool:
        """Claim a letter for one worker; returns false if another caller has claimed it."""
        # One statement decides between workers, so no lock is held while a letter is typeset.
        free = Q(state=Letter.State.QUEUED) | Q(state=Letter.State.RENDERING, lease_until__lt=at)
        taken = self.filter(free, pk=letter_id).update(
            state=Letter.State.RENDERING,
            claimed_at=at,
            lease_until=at + timedelta(seconds=lease_seconds),
            # Counted when claimed and not when failed: a killed worker reports nothing.
            attempts=F("attempts") + 1,
        )
        return taken == 1


class Letter(models.Model):
    """A letter with its frozen text, and the progress of its rendering."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Generating"
        RENDERING = "RENDERING", "Generating"
        FILED = "FILED", "Ready"
        FAILED = "FAILED", "Failed"

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


class LetterFact(models.Model):
    """A fact that a letter states or requires, as of the date of signing. Append-only.

    Printed facts are also part of the letter's text. Proof facts are stored only here; no worker,
    template or attachment reads them.
    """

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="resting_on")
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


class Channel(models.TextChoices):
    """How a letter is delivered."""

    MAIL = "MAIL", "Mail"
    FAX = "FAX", "Fax"
    ELECTRONIC = "ELECTRONIC", "Secure e-mail"
    PORTAL = "PORTAL", "Portal"


class Delivery(Versioned):
    """The delivery of a letter to one recipient, with the channel and address at that time.

    Deadlines start from ``sent_on``, which a person enters.
    """

    class State(models.TextChoices):
        PREPARED = "PREPARED", "Prepared"
        SENT = "SENT", "Sent"

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="deliveries")
    recipient_role = models.CharField(max_length=60)
    # Copied, like the address: a later change of the party must not change where it was sent.
    recipient_name = models.CharField(max_length=300)  # as long as a party's name
    channel = models.CharField(max_length=12, choices=Channel)
    address = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.PREPARED)
    sent_on = models.DateField(null=True)
    sent_method = models.CharField(max_length=12, choices=Channel, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(Versioned.Meta):
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["state", "id"], name="delivery_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "recipient_role", "recipient_name", "channel"],
                name="delivery_once_per_recipient",
            ),
            models.CheckConstraint(
                condition=Q(state="PREPARED", sent_on__isnull=True, sent_by__isnull=True)
                | Q(
                    state="SENT",
                    sent_on__isnull=False,
                    sent_by__isnull=False,
                    sent_method__gt="",
                ),
                name="delivery_sent_by_and_on_together",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter} to {self.recipient_role}"


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
