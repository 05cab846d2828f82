"""Guidelines over time: sources, guidelines, editions, what each recommends, and citations."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned, VersionedQuerySet

from .citations import Citation, authority

if TYPE_CHECKING:
    from accounts.models import User

NOT_CONFIRMED = "edition not confirmed for this date"


class Overlaps(ValidationError):
    """Two editions of a guideline would count on the same day."""

    def __str__(self) -> str:
        return " ".join(self.messages)


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

    def overlapping(self, edition: "Edition") -> Self:
        """Other editions of the same guideline that share a day with this one, earliest first."""
        others = self.filter(guideline_id=edition.guideline_id).exclude(pk=edition.pk)
        others = others.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=edition.valid_from))
        if edition.valid_to is not None:
            others = others.filter(valid_from__lt=edition.valid_to)
        return others.order_by("valid_from", "pk")


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
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = EditionQuerySet.as_manager()

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="edition_once", fields=["guideline", "label"]),
            models.CheckConstraint(
                name="edition_dates_ordered",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="edition_confirmed_by_and_on",
                condition=Q(confirmed_by__isnull=True, confirmed_on__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guideline} {self.label}"

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_on is not None

    @property
    def days(self) -> str:
        """The days on which it counts, for a person to read."""
        if self.valid_to is None:
            return f"from {self.valid_from:%m/%d/%Y}"
        return f"from {self.valid_from:%m/%d/%Y} up to but not including {self.valid_to:%m/%d/%Y}"

    def standing(self, on: date) -> str:
        """Whether it counts on a day: "in force", "superseded" or "not yet"."""
        if on < self.valid_from:
            return "not yet"
        return "in force" if self.valid_to is None or on < self.valid_to else "superseded"

    def clean(self) -> None:
        """Refuse days that another edition of the guideline already has. Queries.

        The database refuses them too; this gives the sentence.

        :raises Overlaps: naming both editions and their days.
        """
        if self.guideline_id is None or self.valid_from is None:
            return
        other = Edition.objects.overlapping(self).first()
        if other is not None:
            raise Overlaps(
                f"The {self.label} edition would count {self.days}, but the {other.label} edition "
                f"of {self.guideline} counts {other.days}. End one before the other begins."
            )

    def store(
        self,
        *,
        by: "User | None",
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """As every versioned row; a change of what was confirmed takes the confirmation away.

        :raises Overlaps: another edition of the guideline counts on one of these days.
        """
        self.clean()
        if self._changes_what_was_confirmed():
            self.confirmed_by, self.confirmed_on = None, None
            fields = None if fields is None else {*fields, "confirmed_by", "confirmed_on"}
        return super().store(by=by, at=at, why=why, fields=fields)

    def _changes_what_was_confirmed(self) -> bool:
        stood = None if self._state.adding else Edition.objects.filter(pk=self.pk).first()
        if stood is None or not stood.is_confirmed or stood.confirmed_on != self.confirmed_on:
            return False
        names = ("guideline_id", "label", "valid_from", "valid_to", "picked_by", "regulation")
        return any(getattr(stood, name) != getattr(self, name) for name in names)


class RecommendationQuerySet(VersionedQuerySet):
    """Finds recommendations as reviewers look for them."""

    def matching(self, words: str) -> Self:
        """Active ones with every word in their section, keywords, chapter, source or edition."""
        found = self.filter(is_active=True, edition__guideline__is_active=True)
        for word in words.split():
            found = found.filter(
                Q(section__icontains=word)
                | Q(keywords__icontains=word)
                | Q(edition__label__icontains=word)
                | Q(edition__guideline__title__icontains=word)
                | Q(edition__guideline__source__name__icontains=word)
                | Q(edition__guideline__source__code__icontains=word)
            )
        return found.select_related("edition__guideline__source")

    def picker(self, words: str, *, on: date, most: int = 20) -> list["Recommendation"]:
        """What a reviewer may cite for a request of this day: editions in force first. Queries."""
        found = self.matching(words).annotate(
            rank=models.Case(
                models.When(edition__valid_from__gt=on, then=2),
                models.When(edition__valid_to__lte=on, then=1),
                default=0,
                output_field=models.IntegerField(),
            )
        )
        ordered = found.order_by("rank", "edition__guideline__title", "section", "pk")
        rows: list[Any] = list(ordered[:most])
        return rows


class Recommendation(Versioned):
    """What an edition says on one topic, and on which pages."""

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="recommendations")
    section = models.CharField(max_length=200)  # as letters print it
    pages = models.CharField(max_length=60, blank=True)
    keywords = models.CharField(max_length=300, blank=True)
    summary = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[Any] = RecommendationQuerySet.as_manager()

    class Meta(Versioned.Meta):
        constraints = [
            models.UniqueConstraint(name="recommendation_once", fields=["edition", "section"])
        ]

    def __str__(self) -> str:
        return f"{self.edition}: {self.section}"

    def authority(self) -> str:
        """How a letter of today would name it."""
        guideline = self.edition.guideline
        return authority(
            Citation(
                source=guideline.source.name,
                mtus=guideline.source.is_mtus,
                chapter=guideline.title,
                edition=self.edition.label,
                sections=(self.section,),
                pages=self.pages,
                as_printed=""
                if guideline.source.is_mtus
                else f"{guideline.source.name}, {guideline.title}, {self.section}",
            )
        )

    def edition_note(self, on: date) -> str:
        """Whether its edition counts on a day, and whether a person has confirmed that."""
        words = {
            "in force": f"in force on {on:%m/%d/%Y}",
            "superseded": f"superseded on {on:%m/%d/%Y}",
            "not yet": f"not yet in force on {on:%m/%d/%Y}",
        }[self.edition.standing(on)]
        return words if self.edition.is_confirmed else f"{words}; {NOT_CONFIRMED}"


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
