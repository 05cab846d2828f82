"""Admin pages of the matching tables, for credentialing. Reviewers have pages of their own."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdmin, VersionedAdmin, signed_in_user
from accounts.roles import ADMIN_PERMISSIONS

from .models import AttestationWording, Condition, ScopeLimit, Specialty, SpecialtyFit


def _can_edit_tables(request: HttpRequest) -> bool:
    user = signed_in_user(request)
    return user.is_active and bool(ADMIN_PERMISSIONS["reviewers"] & user.roles)


class CredentialingAdmin(VersionedAdmin):
    """Base of tables that only credentialing can open."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _can_edit_tables(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _can_edit_tables(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _can_edit_tables(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _can_edit_tables(request)


@admin.register(Specialty)
class SpecialtyAdmin(CredentialingAdmin):
    """Specialties as letters print them. Inactive ones are not offered in forms."""

    list_display = ("name", "is_active", "confirmed_by", "confirmed_on")
    list_filter = ("is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    ordering = ("name", "pk")


@admin.register(Condition)
class ConditionAdmin(CredentialingAdmin):
    """Conditions of the specialty map, and how they are recognized in a diagnosis."""

    list_display = ("name", "codes", "words", "is_active", "confirmed_on")
    list_filter = ("is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    search_fields = ("name", "codes", "words")
    ordering = ("name", "pk")


@admin.register(SpecialtyFit)
class SpecialtyFitAdmin(CredentialingAdmin):
    """The specialty map: which specialty may decide what, and why.

    The most specific lines that match an item apply. Lines of its treatment come before lines for
    any treatment, and lines with a condition before lines with only a body part.
    """

    list_display = ("specialty", "category", "condition", "body_part", "reason", "is_active")
    list_filter = ("is_active", "category__parent", "condition", "specialty")
    # A category is shown with its parent, which would take a query for each line.
    list_select_related = ("specialty", "category__parent", "condition")
    search_fields = ("specialty__name", "category__name", "condition__name", "body_part", "reason")
    ordering = ("category__parent__name", "category__name", "body_part", "specialty__name", "pk")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SpecialtyFit]:
        return super().get_queryset(request).select_related("specialty", "category__parent")


@admin.register(ScopeLimit)
class ScopeLimitAdmin(CredentialingAdmin):
    """Treatments that a license kind does not cover. They override the specialty map."""

    list_display = ("license_kind", "category", "source", "is_active", "confirmed_on")
    list_filter = ("license_kind", "is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    list_select_related = ("category__parent",)
    ordering = ("license_kind", "category__name", "pk")


@admin.register(AttestationWording)
class AttestationWordingAdmin(ReadOnlyAdmin):
    """Attestation wordings by number. They are never edited; a new one gets the next number."""

    list_display = ("number", "effective_from")
    ordering = ("-number",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _can_edit_tables(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _can_edit_tables(request)
