"""Admin site of the fees: add, end and confirm rows. Every change is a version."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.admin import VersionedAdmin, confirm_each

from . import services
from .models import FeeRow


@admin.register(FeeRow)
class FeeRowAdmin(VersionedAdmin):
    list_display = (
        "amount", "kind", "stage", "reviewer_license", "reviewers", "effective_from",
        "effective_to", "confirmed",
    )  # fmt: skip
    list_filter = ("kind", "stage")
    ordering = ("effective_from", "pk")
    # Only the action confirms, because it stores who did and when.
    readonly_fields = ("confirmed",)
    exclude = ("confirmed_by", "confirmed_on")
    actions = ("confirm",)

    @admin.display(description="Confirmed", ordering="confirmed_on")
    def confirmed(self, row: FeeRow) -> str:
        return f"Confirmed {row.confirmed_on:%m/%d/%Y}" if row.confirmed_on else "Not confirmed"

    @admin.action(description="Confirm amounts, dates and source")
    def confirm(self, request: HttpRequest, rows: models.QuerySet[FeeRow]) -> None:
        confirm_each(
            request,
            rows,
            lambda row, **signed: services.confirm_fee(fee_id=row.pk, **signed),
            noun="fee",
        )
