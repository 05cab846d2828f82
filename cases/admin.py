"""Read-only admin tables of cases, parties and events.

Case work has its own pages. Here an auditor finds a row and reads its history. Administrators open
no case, so they find none here either; they edit the treatment categories.
Actions of reviewers show the seat number and never the name (Labor Code 4610.6(f)).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.admin import ReadOnlyAdmin, VersionedAdmin, signed_in_user
from accounts.models import User
from accounts.names import name_actor
from accounts.requests import name_case_of_access
from accounts.roles import ADMIN_PERMISSIONS, Role

from .hidden_numbers import Concealer
from .models import Case, Event, Party, TreatmentCategory
from .models.restrictions import is_hidden, select_visible


@dataclass(frozen=True)
class Version:
    """One version of a row, as the history page prints it."""

    number: int
    at: datetime
    who: str
    why: str
    changes: list[str]


class LookUpAdmin(ReadOnlyAdmin):
    """Base of admin tables that can be searched and read only."""

    list_per_page = 50
    view_on_site = False  # case pages are only for people who work on the case
    case_path = "case"  # the foreign key to the case

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave out rows of restricted cases for which the reader has no clearance."""
        return select_visible(
            super().get_queryset(request), signed_in_user(request), self.case_path
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the rows of the table, and conceal in them the numbers of other, hidden cases."""
        table = super().get_changelist_instance(request)
        table.result_list = list(table.result_list)
        _conceal_numbers(table.result_list, signed_in_user(request))
        return table

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return a row without the numbers of other cases that are hidden from the reader.

        The tables are read-only, so what is left out here is never saved.
        """
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            _conceal_numbers([row], signed_in_user(request))
        return row

    def case_of(self, row: Any) -> Case:
        """Return the case that a row belongs to."""
        raise NotImplementedError

    def versions(self, row: Any, reader: User) -> Iterator[Version]:
        """Yield the versions of a row, newest first."""
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _can_look_up(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _can_look_up(request.user)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow only the filters on the page.

        Any other lookup in the address could reveal which user is a reviewer.
        """
        offered = {one[0] if isinstance(one, tuple) else one for one in self.list_filter}
        return lookup.split("__")[0] in offered

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self._find_reader(request, self._row(request, object_id))
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        reader = self._find_reader(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {row}",
            "opts": self.opts,
            "row": row,
            "versions": _conceal_in_versions(list(self.versions(row, reader)), reader),
            **(extra_context or {}),
        }
        return render(request, "cases/admin_history.html", context)

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            self._record_hidden_row(request, object_id)
            raise Http404
        return row

    def _record_hidden_row(self, request: HttpRequest, object_id: str) -> None:
        """Name the case for the access log if the row belongs to a restricted case."""
        # More than 18 digits may exceed the id column, which is an error in the database.
        is_id = object_id.isascii() and object_id.isdigit() and len(object_id) <= 18
        row = self.model._base_manager.filter(pk=object_id).first() if is_id else None
        if row is not None:
            name_case_of_access(request, self.case_of(row).number)

    def _find_reader(self, request: HttpRequest, row: Any) -> User:
        """Return the signed-in user, and name the case for the access log.

        :raises PermissionDenied: this user may not read the row.
        """
        name_case_of_access(request, self.case_of(row).number)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return signed_in_user(request)


@admin.register(Case)
class CaseAdmin(LookUpAdmin):
    """Cases, with their versions as history."""

    case_path = "pk"
    list_display = ("number", "status", "priority", "origin", "received_on", "due_on")
    list_filter = ("status", "priority", "origin", "is_open")
    search_fields = ("number", "claim_number_normal")
    search_help_text = "A case number, or a claim number without spaces and dashes."
    ordering = ("-pk",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None and is_hidden(row.duplicate_of_id, signed_in_user(request)):
            row.duplicate_of = None
        return row

    def case_of(self, row: Case) -> Case:
        return row

    def versions(self, row: Case, reader: User) -> Iterator[Version]:
        # Each version is compared with the one before it, so all are read in one query.
        past = list(row.history.select_related("history_user").order_by("-history_id"))
        for newer, older in zip(past, [*past[1:], None], strict=True):
            yield Version(
                number=newer.version,
                at=newer.history_date,
                who=name_actor(newer.history_user, reader=reader),
                why=newer.history_change_reason,
                changes=_list_version_changes(older, newer) if older else ["First version."],
            )


@admin.register(Party)
class PartyAdmin(LookUpAdmin):
    """Parties, with the rows that each one corrects as history."""

    list_display = ("name", "role", "case", "valid_from", "valid_to", "list_version", "withdrawn")
    list_filter = ("role", "withdrawn")
    # Without it, each line of the table would query its case.
    list_select_related = ("case",)
    search_fields = ("name", "case__number")
    ordering = ("-pk",)
    exclude: ClassVar[tuple[str, ...]] = ("recorded_by",)  # the history page shows it

    def case_of(self, row: Party) -> Case:
        return row.case

    def versions(self, row: Party, reader: User) -> Iterator[Version]:
        """Yield a party row and the rows that it corrects: party rows are never changed."""
        chain: list[Any] = [row]
        while chain[-1].corrects is not None:
            chain.append(chain[-1].corrects)
        for place, newer in enumerate(chain):
            older = chain[place + 1] if place + 1 < len(chain) else None
            yield Version(
                # The chain is newest first; version numbers count from the oldest.
                number=len(chain) - place,
                at=newer.recorded_at,
                who=name_actor(newer.recorded_by, reader=reader),
                why=newer.source,
                changes=_list_row_differences(older, newer) if older else ["First version."],
            )


@admin.register(Event)
class EventAdmin(LookUpAdmin):
    """Events of all cases."""

    list_display = ("happened_at", "kind", "case", "sentence", "seat")
    list_filter = ("kind", ("happened_at", admin.DateFieldListFilter))
    list_select_related = ("case",)
    search_fields = ("case__number",)
    ordering = ("-pk",)
    # The actor may be a reviewer. The history page names the actor if the reader may know.
    exclude: ClassVar[tuple[str, ...]] = ("by",)

    @admin.display(description="reviewer’s seat", empty_value="–")
    def seat(self, row: Event) -> int | None:
        return row.by_reviewer_seat

    def case_of(self, row: Event) -> Case:
        return row.case

    def versions(self, row: Event, reader: User) -> Iterator[Version]:
        yield Version(
            number=1,
            at=row.happened_at,
            who=_describe_seat(row) or name_actor(row.by, reader=reader),
            why=row.why,
            changes=[row.sentence, "An event is written once and never changed."],
        )


@admin.register(TreatmentCategory)
class TreatmentCategoryAdmin(VersionedAdmin):
    """Treatment categories. The administrator edits them; the auditor reads them."""

    list_display = ("name", "parent", "is_active", "confirmed_by", "confirmed_on")
    list_filter = ("is_active", ("confirmed_on", admin.EmptyFieldListFilter))
    list_select_related = ("parent",)
    search_fields = ("name", "parent__name")
    ordering = ("parent__name", "name", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return Role.ADMINISTRATOR in signed_in_user(request).roles

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Role.ADMINISTRATOR in signed_in_user(request).roles


def _can_look_up(user: Any) -> bool:
    """Whether a person finds cases here: only if they may open cases at all."""
    uses_admin = bool(ADMIN_PERMISSIONS["cases"] & user.roles)
    return user.is_active and uses_admin and user.may("cases.view_case")


def _conceal_numbers(rows: Iterable[models.Model], reader: User) -> None:
    """Conceal the numbers of hidden cases in the texts and facts of rows. One query at most."""
    kinds = (models.CharField, models.TextField, models.JSONField)
    cells = [
        (row, field, json.dumps(value, ensure_ascii=False))
        for row in rows
        for field in row._meta.concrete_fields
        if isinstance(field, kinds) and (value := getattr(row, field.attname))
    ]
    concealer = Concealer((text for _, _, text in cells), reader)
    for row, field, text in cells:
        if (concealed := concealer.conceal(text)) != text:
            setattr(row, field.attname, json.loads(concealed))


def _conceal_in_versions(versions: list[Version], reader: User) -> list[Version]:
    """Conceal the numbers of hidden cases in versions of a row. One query at most."""
    texts = [text for one in versions for text in (one.why, *one.changes)]
    conceal = Concealer(texts, reader).conceal
    return [
        replace(one, why=conceal(one.why), changes=[conceal(text) for text in one.changes])
        for one in versions
    ]


def _describe_seat(event: Event) -> str:
    seat = event.by_reviewer_seat
    return "" if seat is None else f"The reviewer, seat {seat}"


def _list_version_changes(older: Any, newer: Any) -> list[str]:
    # The version number differs in every version and says nothing. Keys instead of objects save a
    # query for each changed foreign key.
    delta = newer.diff_against(older, foreign_keys_are_objs=False, excluded_fields=["version"])
    return [
        f"{newer.instance_type._meta.get_field(change.field).verbose_name}: "
        f"{_format_value(change.old)} → {_format_value(change.new)}"
        for change in delta.changes
    ]


def _list_row_differences(older: models.Model, newer: models.Model) -> list[str]:
    """List the fields in which two rows of one model differ, without who wrote them and when."""
    # These differ between any two rows, or are shown beside the changes.
    aside = {"id", "corrects", "recorded_at", "recorded_by", "source"}
    return [
        f"{field.verbose_name}: {_format_value(old)} → {_format_value(new)}"
        for field in newer._meta.concrete_fields
        if field.name not in aside
        and (old := field.value_from_object(older)) != (new := field.value_from_object(newer))
    ]


def _format_value(value: Any) -> str:
    return "–" if value in (None, "", [], {}) else str(value)
