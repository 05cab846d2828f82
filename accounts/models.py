"""Users, events about them, and the access log."""

from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from .roles import ADMIN_PERMISSIONS, PERMISSIONS, Role, permissions_of

# Shown in place of a reviewer's name to readers who may not know the reviewer.
HIDDEN_NAME = "The reviewer"
LONGEST_REASON = 200  # of the reset of a second factor


class UserManager(BaseUserManager["User"]):
    """Creates users. There are no superusers: administrator is a role like the others."""

    def create_user(self, *, email: str, name: str, password: str | None = None) -> "User":
        """Create a user who can sign in, without roles."""
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        # People write their address in upper or lower case.
        return self.get(email__iexact=username)

    def get_with_roles(self, user_id: int) -> "User | None":
        """Return a user whose roles are loaded already, or ``None``. One query."""
        # A row for each role, and one row without a role if there is none.
        rows = list(self.filter(pk=user_id).annotate(role_name=F("groups__name")))
        if not rows:
            return None
        names = {row.role_name for row in rows}
        rows[0].roles = frozenset(Role(name) for name in names if name in Role.values)
        return rows[0]


class Theme(models.TextChoices):
    AUTO = "AUTO", "Same as device"
    LIGHT = "LIGHT", "Light"
    DARK = "DARK", "Dark"


class Density(models.TextChoices):
    COMFORTABLE = "COMFORTABLE", "Comfortable"
    COSY = "COSY", "Cozy"
    COMPACT = "COMPACT", "Compact"


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. Never deleted, because the history names them."""

    last_login = None  # a sign-in does not change the row
    is_superuser = False  # everyone is subject to the table of roles
    user_permissions = None  # type: ignore[assignment]  # permissions come from roles alone

    email = models.EmailField("email address", unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField("may sign in", default=True)
    # Never reset: the name of a former reviewer is part of the history of decided cases.
    ever_reviewer = models.BooleanField("is or was a reviewer", default=False, editable=False)
    is_demo = models.BooleanField("demonstration user", default=False)
    theme = models.CharField(max_length=12, choices=Theme, default=Theme.AUTO)
    density = models.CharField(max_length=12, choices=Density, default=Density.COSY)
    single_keys = models.BooleanField(
        "single-key shortcuts",
        default=True,
        help_text="Turn off if you use dictation, which types letters.",
    )
    mail_on_mentions = models.BooleanField("mentions and other notices", default=True)
    mail_on_reviews = models.BooleanField("offered, returned and due reviews", default=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        """Return the name.

        For a reviewer only "The reviewer", because the text may reach anyone.
        """
        return HIDDEN_NAME if self.ever_reviewer else self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save the row, and a version of it if a column changes that says who may sign in."""
        fields = options.get("update_fields")
        with transaction.atomic(savepoint=False):
            super().save(*args, **options)
            if fields is None or not AccountVersion.COLUMNS.isdisjoint(fields):
                AccountVersion.objects.create(user=self, **AccountVersion.describe(self.pk))

    def delete(self, *args: Any, **options: Any) -> Any:
        raise RuntimeError("Users are never deleted. Deactivate the user instead.")

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles of the user. Queried once and cached."""
        names = self.groups.values_list("name", flat=True)
        return frozenset(Role(name) for name in names if name in Role.values)

    def may(self, permission: str) -> bool:
        """Return whether one of this person's roles has a permission of ``accounts.roles``."""
        return self.is_active and bool(PERMISSIONS[permission] & self.roles)

    @property
    def is_staff(self) -> bool:
        """Whether this person may open the admin site."""
        keepers = set().union(*ADMIN_PERMISSIONS.values())
        return self.is_active and bool(keepers & self.roles)

    @property
    def all_permissions(self) -> set[str]:
        """Every permission of this person's roles."""
        return permissions_of(set(self.roles))

    def name_for(self, reader: "User") -> str:
        """Return the name as a reader may see it.

        Reviewers are confidential (Labor Code 4610.6(f)).
        """
        return HIDDEN_NAME if self.is_hidden_from(reader) else self.name

    def is_hidden_from(self, reader: "User") -> bool:
        """Return whether this person is or was a reviewer whom the reader may not know."""
        return self.ever_reviewer and self != reader and not reader.may("reviewers.view_identity")

    def get_short_name(self) -> str:
        """Return an initial and the last name, as shown in the top bar."""
        first, _, last = self.name.rpartition(" ")
        return f"{first[0]}. {last}" if first else self.name


class AccountVersion(models.Model):
    """Who could sign in to an account after each save, and how. Append-only.

    ``verify_history`` compares the row of the user with the last version.
    """

    COLUMNS = frozenset({"email", "ever_reviewer", "password"})

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="versions")
    email = models.EmailField()
    ever_reviewer = models.BooleanField()
    # SHA-256 of the stored hash, so that no old hash of a password is kept.
    password_digest = models.CharField(max_length=64)
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["user", "id"], name="account_version_of_user")]

    def __str__(self) -> str:
        return f"Version of account {self.user_id}"

    @classmethod
    def describe(cls, user_id: int) -> dict[str, Any]:
        """What the stored row of a user says now, by the names of the fields of a version."""
        return cls.describe_row(User.objects.values(*cls.COLUMNS).get(pk=user_id))

    @staticmethod
    def describe_row(row: dict[str, Any]) -> dict[str, Any]:
        """What a row of a user says, by the names of the fields of a version."""
        return {
            "email": row["email"],
            "ever_reviewer": row["ever_reviewer"],
            "password_digest": sha256(row["password"].encode()).hexdigest(),
        }


class AccountEvent(models.Model):
    """An event about a user: created, role granted or removed, deactivated. Append-only."""

    EVENT_OWNER: ClassVar[str] = "user_id"

    class Kind(models.TextChoices):
        CREATED = "CREATED", "User created"
        ROLE_GRANTED = "ROLE_GRANTED", "Role granted"
        ROLE_REVOKED = "ROLE_REVOKED", "Role removed"
        DEACTIVATED = "DEACTIVATED", "Deactivated"
        REACTIVATED = "REACTIVATED", "Reactivated"
        CHANGED = "CHANGED", "Details changed"
        REQUESTED = "REQUESTED", "Change requested"
        CONFIRMED = "CONFIRMED", "Change confirmed by a second person"
        DECLINED = "DECLINED", "Change declined"
        ALONE = "ALONE", "Changed by the only administrator alone"
        FACTOR_RESET = "FACTOR_RESET", "Second factor reset"

    kind = models.CharField(max_length=20, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="account_events")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "happened_at"], name="account_event_of_user")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user}"


class FormKey(models.Model):
    """The key of a form that was saved, with what was typed: the form sent again adds nothing.

    A browser or proxy sends a form again if the answer was lost. The row is stored in the
    transaction of the action. ``accounts.form_keys`` deletes it after a week, at the
    latest in the nightly run.
    """

    key = models.UUIDField(unique=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=300)  # of the page to which the form was sent
    content = models.JSONField()  # field name -> the typed values, in order
    result = models.JSONField(null=True)  # what the action returned; see ``accounts.form_keys``
    # By the database, because the form is saved outside of any service with a moment.
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["user", "saved_at"], name="form_key_of_user")]

    def __str__(self) -> str:
        return f"Form sent to {self.address}"


class HistoryCount(models.Model):
    """How many rows of a table of versions or events had certain numbers. Append-only.

    The nightly run counts them. A row that is inserted or removed later makes the count wrong.
    """

    table = models.CharField(max_length=80)
    after_id = models.BigIntegerField()  # the numbers that were counted, from the one after this …
    to_id = models.BigIntegerField()  # … to this one
    rows = models.BigIntegerField()
    last_id = models.BigIntegerField()  # the last number given out; the next run counts up to it
    counted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["table", "counted_at"], name="history_count_of_table")]

    def __str__(self) -> str:
        return f"{self.table}, rows {self.after_id + 1} to {self.to_id}"


class AccessLogEntry(models.Model):
    """An entry of the access log: someone opened medical information, or was refused. Append-only.

    Written before the bytes are sent (45 CFR 164.312(b)).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_log_entries")
    accessed_at = models.DateTimeField()
    subject = models.CharField(max_length=40)  # "case", "document", "page", "letter", "list", …
    reference = models.CharField(max_length=80)  # a case number or an opaque id, never a name
    granted = models.BooleanField()
    page = models.CharField(max_length=80, blank=True)  # the name of the route
    case_number = models.CharField(max_length=20, blank=True)  # empty if it concerns no single case
    # The numbers of the other cases on the page, such as those of a list, separated by spaces.
    shown = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "access log entries"
        indexes = [
            models.Index(fields=["subject", "reference", "accessed_at"], name="access_of_subject"),
            models.Index(fields=["case_number", "accessed_at"], name="access_of_case"),
            models.Index(fields=["user", "case_number", "accessed_at"], name="access_of_visit"),
            models.Index(fields=["user", "accessed_at"], name="access_of_user"),
        ]

    def __str__(self) -> str:
        verb = "opened" if self.granted else "was refused"
        return f"{self.user} {verb} {self.subject} {self.reference}"


class SignInEvent(models.Model):
    """An event of signing in: a success, a failure, a changed credential. Append-only.

    ``user`` is empty if the account does not exist; what was typed is kept, so that guessing can be
    seen. Nobody but auditors reads it.
    """

    class Kind(models.TextChoices):
        SIGNED_IN = "SIGNED_IN", "Signed in"
        FAILED = "FAILED", "Wrong password"
        UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT", "Unknown account"
        INACTIVE = "INACTIVE", "Refused: account deactivated"
        LOCKED_OUT = "LOCKED_OUT", "Locked out: too many attempts"
        SIGNED_OUT = "SIGNED_OUT", "Signed out"
        SESSION_ENDED = "SESSION_ENDED", "Session ended"
        CONFIRMED = "CONFIRMED", "Confirmed who they are"
        RESET_REQUESTED = "RESET_REQUESTED", "Password reset requested"
        PASSWORD_CHANGED = "PASSWORD_CHANGED", "Password changed"  # noqa: S105
        PASSWORD_RESET = "PASSWORD_RESET", "Password reset"  # noqa: S105
        PASSWORD_SET = "PASSWORD_SET", "Password set by an administrator"  # noqa: S105
        FACTOR_ADDED = "FACTOR_ADDED", "Second factor added"
        FACTOR_REMOVED = "FACTOR_REMOVED", "Second factor removed"
        FACTOR_USED = "FACTOR_USED", "Second factor used"
        FACTOR_FAILED = "FACTOR_FAILED", "Wrong second factor"
        FACTOR_RESET = "FACTOR_RESET", "Second factor reset by two people"
        CODES_MADE = "CODES_MADE", "Recovery codes created"
        CODE_USED = "CODE_USED", "Recovery code used"

    # What an auditor looks at first.
    FAILURES = (
        Kind.FAILED,
        Kind.UNKNOWN_ACCOUNT,
        Kind.INACTIVE,
        Kind.LOCKED_OUT,
        Kind.FACTOR_FAILED,
    )

    kind = models.CharField(max_length=20, choices=Kind)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="sign_in_events"
    )
    account = models.CharField(max_length=254, blank=True)  # the address as typed
    happened_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=300, blank=True)  # as the browser sent it
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "happened_at"], name="sign_in_event_of_user"),
            models.Index(fields=["kind", "happened_at"], name="sign_in_event_of_kind"),
            models.Index(fields=["happened_at"], name="sign_in_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user or 'unknown account'}"

    @property
    def is_failure(self) -> bool:
        return self.kind in self.FAILURES


class AccountRequest(models.Model):
    """A change of an account that needs a second person. Decided once, each step with an event."""

    class Kind(models.TextChoices):
        GRANT_ROLE = "GRANT_ROLE", "Grant a role"
        REVOKE_ROLE = "REVOKE_ROLE", "Remove a role"
        DEACTIVATE = "DEACTIVATE", "Deactivate the account"
        REACTIVATE = "REACTIVATE", "Reactivate the account"
        SET_PASSWORD = "SET_PASSWORD", "Set a password"  # noqa: S105
        CHANGE_EMAIL = "CHANGE_EMAIL", "Change the email address"
        RESET_FACTOR = "RESET_FACTOR", "Reset the second factor"

    class State(models.TextChoices):
        OPEN = "OPEN", "Waits for a second person"
        CONFIRMED = "CONFIRMED", "Confirmed"
        DECLINED = "DECLINED", "Declined"

    kind = models.CharField(max_length=20, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="account_requests")
    role = models.CharField(max_length=20, blank=True)
    # The hash of the new password, emptied by the decision. The password itself is never stored.
    password_hash = models.CharField(max_length=128, blank=True)
    email = models.EmailField("new email address", blank=True)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)  # how the person was known
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "user", "role"],
                condition=models.Q(state="OPEN"),
                name="one_open_account_request",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by=None) | ~models.Q(decided_by=models.F("asked_by")),
                name="account_request_needs_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user}"

    @property
    def subject(self) -> str:
        """What would change, in words, without a name."""
        if self.kind == self.Kind.GRANT_ROLE:
            return f"Grant the role {Role(self.role).label}"
        if self.kind == self.Kind.REVOKE_ROLE:
            return f"Remove the role {Role(self.role).label}"
        return str(self.get_kind_display())
