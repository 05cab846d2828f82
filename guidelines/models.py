"""Guidelines: sources, guidelines, their editions and recommendations, and citations."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from accounts.versions import Versioned, VersionedQuerySet

from .citations import Citation, describe_authority
from .drug_list import DrugListEdition as DrugListEdition
from .drug_list import ListedDrug as ListedDrug

if TYPE_CHECKING:
    from accounts.models import User

NOT_CONFIRMED = "edition not confirmed for this date"


def format_day(day: date) -> str:
    """Format a day for sentences on screens: ``Nov 29, 2026``."""
    return f"{day:%b} {day.day}, {day.year}"


class EditionsOverlap(ValidationError):
    """Two editions of a guideline would be in force on the same day."""

    def __str__(self) -> str:
        return " ".join(self.messages)


class Source(Versioned):
    """A publisher of guidelines: the MTUS, a medical society, a journal."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=160)  # as printed in letters
    is_mtus = models.BooleanField("part of the treatment schedule (MTUS)", default=False)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return self.name


class Guideline(Versioned):
    """One guideline or chapter, across all its editions."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="guidelines")
    code = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)  # the chapter as printed in letters
    body_parts = models.JSONField(default=list, blank=True)
    regulation = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta(Versioned.Meta):
        pass

    def __str__(self) -> str:
        return self.title


class EditionQuerySet(VersionedQuerySet):
    """Queries for editions by date."""

    def in_force(self, on: date) -> Self:
        """Select the editions in force on a day. ``ends_before`` is the first day not in force."""
        return self.filter(
            Q(valid_from__lte=on), Q(ends_before__isnull=True) | Q(ends_before__gt=on)
        )

    def overlapping(self, edition: "Edition") -> Self:
        """Other editions of the guideline that are in force on the same days, oldest first."""
        others = self.filter(guideline_id=edition.guideline_id).exclude(pk=edition.pk)
        others = others.filter(Q(ends_before__isnull=True) | Q(ends_before__gt=edition.valid_from))
        if edition.ends_before is not None:
            others = others.filter(valid_from__lt=edition.ends_before)
        return others.order_by("valid_from", "pk")


class Edition(Versioned):
    """An edition of a guideline, in force from ``valid_from`` to the day before ``ends_before``.

    ``governing_date`` says which date decides the edition: that of the request for authorization
    or, for treatment already given, that of the service.
    """

    class GoverningDate(models.TextChoices):
        REQUEST = "REQUEST", "Date of the request"
        SERVICE = "SERVICE", "Date of the service"

    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="editions")
    label = models.CharField(max_length=40)  # "2009", as printed in letters
    valid_from = models.DateField()
    ends_before = models.DateField(null=True, blank=True)
    governing_date = models.CharField(
        max_length=8, choices=GoverningDate, default=GoverningDate.REQUEST
    )
    regulation = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=300, blank=True)
    # Empty until a named person has compared the dates with the source. Pages say so.
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = EditionQuerySet.as_manager()

    class Meta(Versioned.Meta):
        constraints = [
            # The label is what letters print, so two editions must not share one.
            models.UniqueConstraint(name="edition_once", fields=["guideline", "label"]),
            models.CheckConstraint(
                name="edition_dates_ordered",
                # An edition that was in force on no day could never be cited correctly.
                condition=Q(ends_before__isnull=True) | Q(ends_before__gt=F("valid_from")),
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
        """The days in force, as text for a sentence."""
        if self.ends_before is None:
            return f"from {format_day(self.valid_from)}"
        return (
            f"from {format_day(self.valid_from)} "
            f"up to but not including {format_day(self.ends_before)}"
        )

    def status_on(self, on: date) -> str:
        """Return the status on a day: "in force", "superseded" or "not yet"."""
        if on < self.valid_from:
            return "not yet"
        return "in force" if self.ends_before is None or on < self.ends_before else "superseded"

    def clean(self) -> None:
        """Refuse days that another edition of the guideline already has. Queries.

        The database refuses them too; this gives the sentence.

        :raises EditionsOverlap: naming both editions and their days.
        """
        # The form has refused these fields already; comparing needs both.
        if self.guideline_id is None or self.valid_from is None:
            return
        other = Edition.objects.overlapping(self).first()
        if other is not None:
            raise EditionsOverlap(
                f"The {self.label} edition would be in force {self.days}, but the {other.label} "
                f"edition of {self.guideline} is in force {other.days}. "
                "End one before the other begins."
            )

    def store(
        self,
        *,
        by: "User | None",
        at: datetime,
        why: str = "",
        fields: Iterable[str] | None = None,
    ) -> Self:
        """Save a version. A change of confirmed facts removes the confirmation.

        :raises EditionsOverlap: another edition of the guideline is in force on one of these days.
        """
        # Here too, because seeds and services do not pass through a form.
        self.clean()
        # A person confirmed the old dates. Keeping the name would attest to dates never checked.
        if self._changes_what_was_confirmed():
            self.confirmed_by, self.confirmed_on = None, None
            fields = None if fields is None else {*fields, "confirmed_by", "confirmed_on"}
        return super().store(by=by, at=at, why=why, fields=fields)

    def _changes_what_was_confirmed(self) -> bool:
        # Read again, because this object already has the new values.
        stored = None if self._state.adding else Edition.objects.filter(pk=self.pk).first()
        if stored is None or not stored.is_confirmed:
            return False
        if stored.confirmed_on != self.confirmed_on:  # this save confirms the edition again
            return False
        # The note is not among them: it states nothing that a letter could print.
        names = (
            "guideline_id",
            "label",
            "valid_from",
            "ends_before",
            "governing_date",
            "regulation",
        )
        return any(getattr(stored, name) != getattr(self, name) for name in names)


class RecommendationQuerySet(VersionedQuerySet):
    """Searches recommendations for reviewers."""

    def matching(self, words: str) -> Self:
        """Active rows with every word in their section, keywords, chapter, source or edition."""
        rows = self.filter(is_active=True, edition__guideline__is_active=True)
        # Each word may match in another field, so "back mtus 2009" finds a section.
        for word in words.split():
            rows = rows.filter(
                Q(section__icontains=word)
                | Q(keywords__icontains=word)
                | Q(edition__label__icontains=word)
                | Q(edition__guideline__title__icontains=word)
                | Q(edition__guideline__source__name__icontains=word)
                | Q(edition__guideline__source__code__icontains=word)
            )
        # Every result prints its source, guideline and edition; this avoids three queries for each.
        return rows.select_related("edition__guideline__source")

    def picker(self, words: str, *, on: date, most: int = 20) -> list["Recommendation"]:
        """Search results for the guideline picker, editions in force on a day first. Queries."""
        ranked = self.matching(words).annotate(
            # Ranked in the database, because only the first ``most`` rows are read.
            rank=models.Case(
                models.When(edition__valid_from__gt=on, then=2),
                models.When(edition__ends_before__lte=on, then=1),
                default=0,
                output_field=models.IntegerField(),
            )
        )
        ordered = ranked.order_by("rank", "edition__guideline__title", "section", "pk")
        rows: list[Any] = list(ordered[:most])
        return rows


class Recommendation(Versioned):
    """The section of an edition about one topic, with its pages."""

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="recommendations")
    section = models.CharField(max_length=200)  # as printed in letters
    # Text and not a number: printed as ranges and lists.
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
        """Return the citation as a letter would print it now."""
        guideline = self.edition.guideline
        return describe_authority(
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
        """Return whether the edition is in force on a day, and if a person confirmed its dates."""
        status = {
            "in force": f"in force on {format_day(on)}",
            "superseded": f"superseded on {format_day(on)}",
            "not yet": f"not yet in force on {format_day(on)}",
        }[self.edition.status_on(on)]
        return status if self.edition.is_confirmed else f"{status}; {NOT_CONFIRMED}"


class ApprovedParagraph(Versioned):
    """A paragraph that reviewers may copy. A finished decision keeps its copy unchanged."""

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


# Copied values and not a link, so that a decision keeps the citation as it was printed.
class CitationFields(models.Model):
    """Fields of a citation in a decision, with its position among the others."""

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
        """Return the row as the value that ``guidelines.citations`` uses."""
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
