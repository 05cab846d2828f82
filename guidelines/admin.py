"""Admin site of the guidelines: search, edit, import and confirm. Every change is a version."""

from datetime import date
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from import_export import fields, resources, widgets
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, JSON

from accounts.actions import try_action
from accounts.admin import VersionedAdmin, VersionedInline, confirm_each, signed_in_user
from accounts.differences import Piece, word_differences
from accounts.models import User

from . import services
from .import_files import CommaSeparatedFile, UnreadableFile
from .models import (
    ApprovedParagraph,
    DrugListEdition,
    Edition,
    Guideline,
    ListedDrug,
    Recommendation,
    Source,
    format_day,
)


class WordDiff(resources.Diff):
    """The preview of an import. Changes are marked with tags, because the content security policy
    does not allow the style attributes that the library uses."""

    def as_html(self) -> list[str]:
        old = ["" if self.new else str(value) for value in self.left]
        return [
            format_html_join(
                "", "{}", ((_mark_change(piece),) for piece in word_differences(*pair))
            )
            for pair in zip(old, (str(value) for value in self.right), strict=True)
        ]


class VersionedResource(resources.ModelResource):
    """Rows from a file, saved with ``store`` so that they get versions as all other rows do."""

    by: User

    def get_diff_class(self) -> type[resources.Diff]:
        return WordDiff

    def before_import(self, dataset: Any, **options: Any) -> None:
        self.by, self.at = options["user"], timezone.now()

    # The library would call ``save``, which versioned rows refuse.
    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        instance.store(by=self.by, at=self.at, why="Imported from a file")


class EditionResource(VersionedResource):
    """Editions, identified by guideline and label.

    Confirmations are not imported: a named person confirms each edition.
    """

    guideline = fields.Field(
        attribute="guideline", widget=widgets.ForeignKeyWidget(Guideline, field="code")
    )

    class Meta:
        model = Edition
        fields = (
            "guideline", "label", "valid_from", "ends_before", "governing_date", "regulation",
            "note",
        )  # fmt: skip
        # Primary keys differ between installations, so files identify rows by natural keys.
        import_id_fields = ("guideline", "label")
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True


class EditionWidget(widgets.ForeignKeyWidget):
    """An edition written as "code of the guideline | label"."""

    def clean(self, value: Any, row: Any = None, **options: Any) -> Edition:
        code, _, label = (part.strip() for part in str(value).partition("|"))
        edition = Edition.objects.filter(guideline__code=code, label=label).first()
        if edition is None:
            raise ValueError(
                f"There is no edition “{value}”. Enter the code of the guideline, a bar and "
                "the label, such as ODG | 2024."
            )
        return edition

    def render(self, value: Any, obj: Any = None, **options: Any) -> str:
        return f"{value.guideline.code} | {value.label}" if value else ""


class RecommendationResource(VersionedResource):
    """Recommendations, identified by edition and section."""

    edition = fields.Field(attribute="edition", widget=EditionWidget(Edition))

    class Meta:
        model = Recommendation
        fields = ("edition", "section", "pages", "keywords", "summary", "is_active")
        import_id_fields = ("edition", "section")
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True


class GuidelineResource(VersionedResource):
    """Guidelines, identified by code."""

    source = fields.Field(attribute="source", widget=widgets.ForeignKeyWidget(Source, field="code"))

    class Meta:
        model = Guideline
        fields = ("code", "source", "title", "body_parts", "regulation", "is_active")
        import_id_fields = ("code",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True


class GuidelineFilesMixin(ImportExportMixin):
    """Import with a preview, for users who may add rows; export, for users who may view them."""

    import_formats = [CommaSeparatedFile, JSON]
    export_formats = [CSV, JSON]
    skip_export_form = True

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        """Say what is wrong with a file that cannot be read, in words of the office."""
        sentence = "This file cannot be read. Check that its format is the one you have chosen."
        form.add_error("import_file", str(e) if isinstance(e, UnreadableFile) else sentence)

    # The same role may add and change rows, and an import does both.
    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class InForceFilter(admin.SimpleListFilter):
    """Filter for the editions in force on a day: today, or ``?in_force=2016-07-28``."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        typed_day = request.GET.get(self.parameter_name, "")
        # The other days lie on both sides of dates on which the MTUS changed its editions.
        days = [("today", "Today"), ("2014-06-20", "06/20/2014"), ("2016-07-28", "07/28/2016"),
                ("2016-07-29", "07/29/2016"), ("2017-12-01", "12/01/2017")]  # fmt: skip
        # A day from the address is listed too, so that the filter shows what it filters by.
        return days if not typed_day or typed_day in dict(days) else [*days, (typed_day, typed_day)]

    def queryset(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if not self.value():
            return rows
        today = self.value() == "today"
        day = timezone.localdate() if today else _parse_day(str(self.value()))
        # An invalid day finds nothing instead of everything.
        return rows.none() if day is None else rows.filter(pk__in=Edition.objects.in_force(on=day))


class ConfirmedFilter(admin.SimpleListFilter):
    """Filter for rows that a person has confirmed, or has not."""

    title = "confirmed"
    parameter_name = "confirmed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Confirmed"), ("no", "Not confirmed")]

    def queryset(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() not in {"yes", "no"}:
            return rows
        return rows.filter(confirmed_on__isnull=self.value() == "no")


class EditionInline(VersionedInline):
    model = Edition
    fields = (
        "label",
        "valid_from",
        "ends_before",
        "governing_date",
        "regulation",
        "confirmation",
    )
    readonly_fields = ("confirmation",)
    ordering = ("valid_from", "pk")

    @admin.display(description="Confirmed")
    def confirmation(self, edition: Edition) -> str:
        return _describe_confirmation(edition)


class RecommendationInline(VersionedInline):
    model = Recommendation
    fields = ("section", "pages", "keywords", "is_active")
    ordering = ("section", "pk")


@admin.register(Source)
class SourceAdmin(VersionedAdmin):
    list_display = ("code", "name", "is_mtus")
    list_filter = ("is_mtus",)
    search_fields = ("code", "name")
    ordering = ("code", "pk")


@admin.register(Guideline)
class GuidelineAdmin(GuidelineFilesMixin, VersionedAdmin):
    list_display = ("title", "source", "code", "regulation", "is_active")
    list_filter = ("source", "is_active")
    list_select_related = ("source",)
    search_fields = ("title", "code", "regulation")
    ordering = ("title", "pk")
    inlines = (EditionInline,)
    resource_classes = (GuidelineResource,)


@admin.register(Edition)
class EditionAdmin(GuidelineFilesMixin, VersionedAdmin):
    list_display = ("guideline", "label", "valid_from", "ends_before", "confirmed")
    list_filter = ("guideline__source", InForceFilter, ConfirmedFilter, "governing_date")
    list_select_related = ("guideline",)
    search_fields = ("guideline__title", "label", "regulation", "note")
    ordering = ("guideline__title", "valid_from", "pk")
    # Only the action confirms, because it stores who did and when.
    readonly_fields = ("confirmed",)
    exclude = ("confirmed_by", "confirmed_on")
    inlines = (RecommendationInline,)
    resource_classes = (EditionResource,)
    actions = ("confirm",)

    @admin.display(description="Confirmed", ordering="confirmed_on")
    def confirmed(self, edition: Edition) -> str:
        return _describe_confirmation(edition)

    @admin.action(description="Confirm dates and regulation")
    def confirm(self, request: HttpRequest, rows: models.QuerySet[Edition]) -> None:
        confirm_each(
            request,
            rows,
            lambda row, **signed: services.confirm_edition(edition_id=row.pk, **signed),
            noun="edition",
        )


@admin.register(Recommendation)
class RecommendationAdmin(GuidelineFilesMixin, VersionedAdmin):
    list_display = ("section", "edition", "pages", "is_active")
    list_filter = ("edition__guideline__source", "is_active", "edition__guideline")
    list_select_related = ("edition__guideline",)
    search_fields = ("section", "keywords", "edition__guideline__title", "summary")
    ordering = ("edition__guideline__title", "edition__valid_from", "section", "pk")
    autocomplete_fields = ("edition",)
    resource_classes = (RecommendationResource,)


@admin.register(ApprovedParagraph)
class ApprovedParagraphAdmin(VersionedAdmin):
    list_display = ("title", "state")
    list_filter = ("state",)
    search_fields = ("title", "text")
    ordering = ("title", "pk")
    readonly_fields = ("state",)
    actions = ("publish",)

    @admin.action(description="Publish for reviewers")
    def publish(self, request: HttpRequest, rows: models.QuerySet[ApprovedParagraph]) -> None:
        now = timezone.now()
        # As above: each paragraph is refused or published by itself.
        for paragraph_id in rows.values_list("pk", flat=True):
            attempt = try_action(
                partial(
                    services.publish_paragraph,
                    paragraph_id=paragraph_id,
                    by=signed_in_user(request),
                    at=now,
                )
            )
            if attempt.refusal:
                messages.warning(request, str(attempt.refusal))
            else:
                messages.success(request, f"“{attempt.result}” was published for reviewers.")


class DrugListRowAdmin(VersionedAdmin):
    """A table of the drug list. Only its action confirms rows, because it stores who did."""

    readonly_fields = ("confirmed",)
    exclude = ("confirmed_by", "confirmed_on")
    actions = ("confirm",)

    @admin.display(description="Confirmed", ordering="confirmed_on")
    def confirmed(self, row: DrugListEdition | ListedDrug) -> str:
        return _describe_confirmation(row)

    @admin.action(description="Confirm against the source")
    def confirm(self, request: HttpRequest, rows: models.QuerySet[Any]) -> None:
        confirm_each(
            request,
            rows,
            lambda row, **signed: services.confirm_drug_list_row(row=row, **signed),
            noun="row",
        )


@admin.register(DrugListEdition)
class DrugListEditionAdmin(DrugListRowAdmin):
    list_display = ("label", "valid_from", "is_complete", "source", "confirmed")
    list_filter = ("is_complete", ConfirmedFilter)
    search_fields = ("label", "source", "note")
    ordering = ("-valid_from", "pk")


@admin.register(ListedDrug)
class ListedDrugAdmin(DrugListRowAdmin):
    list_display = (
        "ingredient", "dosage_form", "strength", "status", "special_fill", "perioperative_fill",
        "valid_from", "ends_before", "confirmed",
    )  # fmt: skip
    list_filter = ("status", ConfirmedFilter, "drug_class")
    search_fields = ("ingredient", "other_names", "drug_class")
    ordering = ("ingredient_normal", "dosage_form", "strength", "valid_from", "pk")


def _mark_change(piece: Piece) -> str:
    marks = {"added": "<ins>{}</ins>", "removed": "<del>{}</del>", "same": "<span>{}</span>"}
    return format_html(marks[piece.change], piece.text)


def _parse_day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _describe_confirmation(row: Edition | DrugListEdition | ListedDrug) -> str:
    if row.confirmed_on is None:
        return "Not confirmed"
    return f"Confirmed {format_day(row.confirmed_on)}"  # the history shows by whom
