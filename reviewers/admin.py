"""The tables behind matching, kept by credentialing. Reviewers themselves have their own pages."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdmin, VersionedAdmin, acting
from accounts.roles import ADMIN_PERMISSIONS

from .models import AttestationWording, Condition, ScopeLimit, Specialty, SpecialtyFit


def _may_keep(request: HttpRequest) -> bool:
    user = acting(request)
    return user.is_active and bool(ADMIN_PERMISSIONS["reviewers"] & user.roles)


class KeptByCredentialing(VersionedAdmin):
    """A table that credentialing alone opens."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _may_keep(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_keep(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_keep(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_keep(request)


@admin.register(Specialty)
class SpecialtyAdmin(KeptByCredentialing):
    """Specialties as letters print them. One that is not active is no longer offered in forms."""

    list_display = ("name", "is_active", "confirmed_by", "confirmed_on")
    list_filter = ("is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    ordering = ("name", "pk")


@admin.register(Condition)
class ConditionAdmin(KeptByCredentialing):
    """Conditions that the map may name, and the codes and words by which a diagnosis is one."""

    list_display = ("name", "codes", "words", "is_active", "confirmed_on")
    list_filter = ("is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    search_fields = ("name", "codes", "words")
    ordering = ("name", "pk")


@admin.register(SpecialtyFit)
class SpecialtyFitAdmin(KeptByCredentialing):
    """The map: which specialty may decide which treatment, condition or body part, and why.

    The most specific lines that match an item decide: those of its treatment before those of any;
    among them a line with the condition before one with the body part alone.
    """

    list_display = ("specialty", "category", "condition", "body_part", "reason", "is_active")
    list_filter = ("is_active", "category__parent", "condition", "specialty")
    list_select_related = ("specialty", "category__parent", "condition")
    search_fields = ("specialty__name", "category__name", "condition__name", "body_part", "reason")
    ordering = ("category__parent__name", "category__name", "body_part", "specialty__name", "pk")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[SpecialtyFit]:
        return super().get_queryset(request).select_related("specialty", "category__parent")


@admin.register(ScopeLimit)
class ScopeLimitAdmin(KeptByCredentialing):
    """What a kind of license does not cover. It stands above the map."""

    list_display = ("license_kind", "category", "source", "is_active", "confirmed_on")
    list_filter = ("license_kind", "is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    list_select_related = ("category__parent",)
    ordering = ("license_kind", "category__name", "pk")


@admin.register(AttestationWording)
class AttestationWordingAdmin(ReadOnlyAdmin):
    """What reviewers sign, by number. A signed wording is never edited; a new number follows it."""

    list_display = ("number", "effective_from")
    ordering = ("-number",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _may_keep(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_keep(request)
