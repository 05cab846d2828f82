"""The admin page of the rule texts, for the medical director."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.admin import VersionedAdmin, confirm_each

from .models import RuleText
from .services.rule_texts import confirm_rule_text


@admin.register(RuleText)
class RuleTextAdmin(VersionedAdmin):
    """Texts of the law at the checks of a review, by the date of the request.

    To replace a text, end its row and add one that begins on the next day.
    """

    list_display = ("code", "sentence", "source", "effective_from", "effective_to", "confirmed")
    ordering = ("code", "effective_from")
    fields = ("code", "sentence", "source", "effective_from", "effective_to", "note", "confirmed")
    readonly_fields = ("confirmed",)
    actions = ("confirm",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # What a person has confirmed cannot change; only its last day can.
        if obj is not None and obj.is_confirmed:
            return ("code", "sentence", "source", "effective_from", "confirmed")
        return self.readonly_fields

    @admin.display(description="Confirmed", ordering="confirmed_on")
    def confirmed(self, row: RuleText) -> str:
        if row.confirmed_on is None:
            return "Not confirmed"
        return f"Confirmed {row.confirmed_on:%m/%d/%Y}"  # the history shows by whom

    @admin.action(description="Confirm text, days and source")
    def confirm(self, request: HttpRequest, rows: models.QuerySet[RuleText]) -> None:
        confirm_each(
            request,
            rows,
            lambda row, **signed: confirm_rule_text(rule_text_id=row.pk, **signed),
            noun="rule text",
        )
