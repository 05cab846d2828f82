"""Guidelines over time: sources, guidelines, their editions, what each recommends, and citations."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned, VersionedQuerySet

from .citations import Citation


class Source(Versioned):
    """Who publishes guidelines: the treatment schedule, a society, a journal …"""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=160)  # as letters print it
    is_mtus = models.BooleanField("part of the treatment schedule (MTUS)", default=False)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return self.name


class Guideline(Versioned):
    """One guideline or chapter, whatever its edition."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="guidelines")
    code = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)  # the chapter as letters print it
    body_parts = models.JSONField(default=list, blank=True)
    regulation = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return self.title


class EditionQuerySet(VersionedQuerySet):
    """Asks which edition counts."""

    def in_force(self, on: date) -> Self:
        """Editions in force on a day. ``valid_to`` is the first day on which one no longer is."""
        return self.filter(Q(valid_from__lte=on), Q(valid_to__isnull=True) | Q(valid_to__gt=on))


class Edition(Versioned):
    """An edition of a guideline and the days on which it counts: from, up to but not including to.

    The law picks it by the day of the request, or of the service when that is past.
    """

    class PickedBy(models.TextChoices):
        REQUEST = "REQUEST", "Date of the request"
        SERVICE = "SERVICE", "Date of the service"

    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="editions")
    label = models.CharField(max_length=40)  # "2009", as letters print it
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    picked_by = models.CharField(max_length=8, choices=PickedBy, default=PickedBy.REQUEST)
    regulation = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=300, blank=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_on = models.DateField(null=True, blank=True)

    objects = EditionQuerySet.as_manager()

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="edition_once", fields=["guideline", "label"]),
            models.CheckConstraint(
                name="edition_dates_ordered",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="edition_confirmed_by_and_on",
                condition=Q(confirmed_by="", confirmed_on__isnull=True)
                | (~Q(confirmed_by="") & Q(confirmed_on__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guideline} {self.label}"

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None


class Recommendation(Versioned):
    """What an edition says on one topic, and on which pages."""

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="recommendations")
    section = models.CharField(max_length=200)  # as letters print it
    pages = models.CharField(max_length=60, blank=True)
    keywords = models.CharField(max_length=300, blank=True)
    summary = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="recommendation_once", fields=["edition", "section"])
        ]

    def __str__(self) -> str:
        return f"{self.edition}: {self.section}"


class ApprovedParagraph(Versioned):
    """A paragraph that reviewers may take over. Finished decisions keep what they took."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        PUBLISHED = "PUBLISHED", "Published"
        RETIRED = "RETIRED", "Retired"

    title = models.CharField(max_length=160)
    text = models.TextField()
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return self.title


class CitationFields(models.Model):
    """One authority as a decision cites it, in its place among the others."""

    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=200, blank=True)
    mtus = models.BooleanField(default=False)
    chapter_topic = models.CharField(max_length=1000, blank=True)
    edition = models.CharField(max_length=40, blank=True)
    edition_suffix = models.CharField(max_length=40, blank=True)
    sections = models.JSONField(default=list, blank=True)
    pages = models.CharField(max_length=80, blank=True)
    as_printed = models.TextField(blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    def citation(self) -> Citation:
        """The citation as the grammar reads it."""
        return Citation(
            source=self.source,
            mtus=self.mtus,
            chapter=self.chapter_topic,
            edition=self.edition,
            edition_suffix=self.edition_suffix,
            sections=tuple(self.sections),
            pages=self.pages,
            as_printed=self.as_printed,
        )
