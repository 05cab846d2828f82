"""The admin pages of users, and base classes for versioned and read-only tables."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from . import services
from .actions import try_action
from .models import AccessLogEntry, AccountEvent, AccountRequest, SignInEvent, User
from .policies import why_not_lose_administrator
from .requests import NO_VERSION
from .roles import ROLE_NOTES, Role
from .versions import Stale, Versioned
from .visibility import list_hidden_references

admin.site.unregister(Group)  # roles are granted to users by a service, not edited as groups


def signed_in_user(request: HttpRequest) -> User:
    """Return the signed-in user; every admin page requires one."""
    return cast(User, request.user)


def confirm_each(
    request: HttpRequest, rows: models.QuerySet[Any], confirm: Callable[..., object], *, noun: str
) -> None:
    """Confirm the chosen rows in the name of the user, each in a transaction of its own.

    A refused row does not undo the others; its refusal is shown.

    :param confirm: called with a row, and ``on``, ``by`` and ``at`` for the service.
    :param noun: what a row is called, in the singular.
    """
    now = timezone.now()
    signed = {"on": timezone.localdate(now), "by": signed_in_user(request), "at": now}
    attempts = [try_action(partial(confirm, row, **signed)) for row in rows]
    for attempt in attempts:
        if attempt.refusal:
            messages.warning(request, str(attempt.refusal))
    if done := sum(attempt.done for attempt in attempts):
        messages.success(
            request, f"{done} {noun}{'' if done == 1 else 's'} confirmed in your name."
        )


class VersionedForm(forms.ModelForm):
    """A form that carries the version of the row that it shows."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.fields["seen_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk is None:
            return cleaned
        try:
            # A missing or malformed version counts as stale.
            self.instance.refuse_if_stale(self.cleaned_data.get("seen_version") or NO_VERSION)
        except Stale as stale:
            sent = cast(QueryDict, self.data).copy()
            sent[self.add_prefix("seen_version")] = str(self.instance.version)
            self.data = sent  # the page is shown again with the current version
            raise ValidationError(str(stale), code="stale") from stale
        return cleaned


class VersionedInline(admin.TabularInline):
    """Rows edited together with their parent, each with its version. They cannot be deleted."""

    extra = 0
    can_delete = False
    show_change_link = True


class VersionedAdmin(SimpleHistoryAdmin):
    """A table whose rows keep their versions: saved through ``store``, never deleted."""

    form = VersionedForm
    object_history_list_template = "admin/_versions.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = list(super().get_fields(request, obj))
        return fields if "seen_version" in fields else [*fields, "seen_version"]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        page: HttpResponse = super().render_change_form(request, context, *args, **options)
        if context["adminform"].form.has_error(NON_FIELD_ERRORS, code="stale"):
            page.status_code = Stale.status
        return page

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # A version without a change would only clutter the history.
        if change and not form.changed_data:
            return
        self._store(request, obj, form)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if not issubclass(formset.model, Versioned):
            super().save_formset(request, form, formset, change)
            return
        saved = formset.save(commit=False)
        for row, changed in formset.changed_objects:
            self._store(request, row, None, changed)
        for row in formset.new_objects:
            self._store(request, row, None)
        assert len(saved) == len(formset.changed_objects) + len(formset.new_objects)  # noqa: S101
        formset.save_m2m()

    def _store(
        self, request: HttpRequest, row: Versioned, form: Any, changed: list[str] | None = None
    ) -> None:
        named = changed if changed is not None else (form.changed_data if form else [])
        versioned_fields = [row._meta.get_field(name) for name in named if name != "seen_version"]
        labels = [str(getattr(field, "verbose_name", field.name)) for field in versioned_fields]
        is_new = row._state.adding
        why = "Added" if is_new else f"Changed: {', '.join(labels) or 'nothing'}"
        row.store(by=signed_in_user(request), at=timezone.now(), why=why)

    # The history is read-only. To go back to an old version, a person enters it as a change.

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)


class ReadOnlyAdmin(admin.ModelAdmin):
    """An append-only table, shown read-only."""

    actions = None
    # Every search would otherwise count the whole table, which only grows.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PersonForm(forms.ModelForm):
    """The form of a user."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, f"{role.label}: {ROLE_NOTES[role]}") for role in Role],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    new_password = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 15 characters. Give it to the person, who should change it.",
    )

    class Meta:
        model = User
        fields = ("email", "name", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Read before the roles change, because clean() and save_model() compare with it.
        self.held: frozenset[Role] = self.instance.roles if self.instance.pk else frozenset()
        self.fields["roles"].initial = sorted(self.held)
        self.fields["new_password"].required = not self.instance.pk

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"{email} already belongs to a user. Choose another address.")
        return email

    def clean_new_password(self) -> str:
        password = str(self.cleaned_data["new_password"])
        if password:
            validate_password(password, self.instance)
        return password

    def clean_roles(self) -> list[Role]:
        return [Role(value) for value in self.cleaned_data["roles"]]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.instance.pk:
            return cleaned
        loses = Role.ADMINISTRATOR in self.held and (
            Role.ADMINISTRATOR not in self.cleaned_data.get("roles", [])
            or not self.cleaned_data.get("is_active")
        )
        # The service checks this again under a lock; here the sentence appears on the form.
        if loses and (reason := why_not_lose_administrator(self.instance)):
            raise ValidationError(reason)
        return cleaned


class RoleFilter(admin.SimpleListFilter):
    """Filters users by role, under the names that the portal shows."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, role.label) for role in Role]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[User]) -> Any:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class PersonAdmin(admin.ModelAdmin):
    """Users: created, given roles and deactivated by services, which record events."""

    form = PersonForm
    list_display = (
        "name", "email", "roles_held", "has_second_factor", "last_sign_in", "is_active",
    )  # fmt: skip
    list_filter = ("is_active", RoleFilter)
    search_fields = ("name", "email")
    ordering = ("name", "pk")
    fields = ("email", "name", "is_active", "roles", "new_password")
    actions = None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        # roles_held() reads the groups of each row.
        users = super().get_queryset(request).prefetch_related("groups")
        signed_in = SignInEvent.objects.filter(
            user=models.OuterRef("pk"), kind=SignInEvent.Kind.SIGNED_IN
        )
        return users.annotate(
            factor_added=models.Exists(
                Authenticator.objects.filter(user=models.OuterRef("pk")).exclude(
                    type=Authenticator.Type.RECOVERY_CODES
                )
            ),
            signed_in_at=models.Subquery(
                signed_in.order_by("-happened_at", "-pk").values("happened_at")[:1]
            ),
        )

    @admin.display(description="Second factor", boolean=True, ordering="factor_added")
    def has_second_factor(self, person: Any) -> bool:
        return bool(person.factor_added)

    @admin.display(description="Last sign-in", ordering="signed_in_at", empty_value="never")
    def last_sign_in(self, person: Any) -> datetime | None:
        when: datetime | None = person.signed_in_at
        return when

    @admin.display(description="Roles")
    def roles_held(self, person: User) -> str:
        names = {group.name for group in person.groups.all()}
        return ", ".join(role.label for role in Role if role.value in names) or "none"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance  # the services save, not the form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, at, entered = signed_in_user(request), timezone.now(), form.cleaned_data
        if not change:
            created = services.create_user(
                email=entered["email"],
                name=entered["name"],
                password=entered["new_password"],
                roles=entered["roles"],
                by=by,
                at=at,
            )
            # The admin site needs the id for its message and its redirect.
            obj.pk = created.pk
            self.tell_what_waits(request, created, by=by, at=at)
            if not entered["is_active"]:
                services.set_active(user_id=created.pk, active=False, by=by, at=at)
            return
        before = _read_account(obj.pk)
        services.change_person(
            user_id=obj.pk,
            email=entered["email"],
            name=entered["name"],
            password=entered["new_password"],
            by=by,
            at=at,
        )
        for role in entered["roles"]:
            services.grant_role(user_id=obj.pk, role=role, by=by, at=at)
        for role in form.held - set(entered["roles"]):
            services.revoke_role(user_id=obj.pk, role=role, by=by, at=at)
        services.set_active(user_id=obj.pk, active=entered["is_active"], by=by, at=at)
        waits = self.tell_what_waits(request, obj, by=by, at=at)
        obj.only_waits = waits and _read_account(obj.pk) == before

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Leave out “was changed successfully” if the whole change waits for a second person."""
        if obj.only_waits:
            return redirect("admin:accounts_user_changelist")
        response: HttpResponse = super().response_change(request, obj)
        return response

    def tell_what_waits(
        self, request: HttpRequest, person: User, *, by: User, at: datetime
    ) -> bool:
        """Say that a change waits for a second person, and return whether one does."""
        waiting = person.account_requests.filter(
            asked_by=by, asked_at=at, state=AccountRequest.State.OPEN
        )
        if not waiting.exists():
            return False
        messages.warning(
            request,
            "Waits for a second administrator or the medical director, on the page "
            f"“Account changes”: {', '.join(one.subject for one in waiting)}.",
        )
        return True

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: the services have already saved the roles."""


def _read_account(user_id: int) -> tuple[Any, ...]:
    """Read what the form of a person can change."""
    columns = ("email", "name", "is_active", "password")
    values = User.objects.values_list(*columns).get(pk=user_id)
    roles = User.objects.filter(pk=user_id).order_by("groups").values_list("groups", flat=True)
    return (*values, tuple(roles))


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    """What was done to whom, and by whom."""

    fields = ("happened_at", "kind", "whom", "detail", "by")
    list_display = fields
    list_filter = ("kind",)
    list_select_related = ("user", "by")
    search_fields = ("user__name", "user__email")
    ordering = ("-happened_at", "-pk")

    @admin.display(description="user", ordering="user")
    def whom(self, event: AccountEvent) -> str:
        """Return the name of the person, which the administrator of accounts may read."""
        return event.user.name


@admin.register(AccessLogEntry)
class AccessLogEntryAdmin(ReadOnlyAdmin):
    """Who opened what. Reviewers' names are shown to those alone who may know them."""

    list_filter = ("subject", "granted")
    search_fields = ("reference",)  # not the name: a search would reveal the reviewer
    ordering = ("-accessed_at", "-pk")
    list_display_links = None  # the page of one row would show the reviewer's name

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and signed_in_user(request).may("accounts.view_access_log")

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow only the listed filters: an address that names a user would reveal the reviewer."""
        return lookup.split("__")[0] in self.list_filter

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[AccessLogEntry]:
        rows = super().get_queryset(request).select_related("user")
        # The entries of a restricted case are for cleared people; file names begin with its number.
        for reference in list_hidden_references(signed_in_user(request)):
            rows = rows.exclude(reference=reference).exclude(reference__startswith=f"{reference}-")
            rows = rows.exclude(case_number=reference)  # the table has no column of lists
        return rows

    def get_list_display(self, request: HttpRequest) -> Any:
        reader = signed_in_user(request)

        @admin.display(description="Who")
        def who(entry: AccessLogEntry) -> str:
            return entry.user.name_for(reader)

        return ("accessed_at", who, "subject", "reference", "granted")
