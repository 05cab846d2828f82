"""Users, events about them, and the access log."""

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models

from .roles import ADMIN_PERMISSIONS, PERMISSIONS, Role, permissions_of

# Shown in place of a reviewer's name to readers who may not know the reviewer.
HIDDEN_NAME = "The reviewer"


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

    email = models.EmailField("e-mail address", unique=True)
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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        """The name; for a reviewer only "The reviewer", because the text may reach anyone."""
        return HIDDEN_NAME if self.ever_reviewer else self.name

    def delete(self, *args: Any, **options: Any) -> Any:
        raise RuntimeError("Users are never deleted. Deactivate the user instead.")

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles of the user. Queried once and cached."""
        names = self.groups.values_list("name", flat=True)
        return frozenset(Role(name) for name in names if name in Role.values)

    def may(self, permission: str) -> bool:
        """Whether one of this person's roles has a permission of ``accounts.roles``."""
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
        """The name as a reader may see it; reviewers are confidential (Labor Code 4610.6(f))."""
        return HIDDEN_NAME if self.is_hidden_from(reader) else self.name

    def is_hidden_from(self, reader: "User") -> bool:
        """Whether this person is or was a reviewer whom the reader may not know."""
        return self.ever_reviewer and self != reader and not reader.may("reviewers.see_identity")

    def get_short_name(self) -> str:
        """An initial and the last name, as shown in the top bar."""
        first, _, last = self.name.rpartition(" ")
        return f"{first[0]}. {last}" if first else self.name


class AccountEvent(models.Model):
    """An event about a user: created, role granted or removed, deactivated. Append-only."""

    class Kind(models.TextChoices):
        CREATED = "CREATED", "User created"
        ROLE_GRANTED = "ROLE_GRANTED", "Role granted"
        ROLE_REVOKED = "ROLE_REVOKED", "Role removed"
        DEACTIVATED = "DEACTIVATED", "Deactivated"
        REACTIVATED = "REACTIVATED", "Reactivated"
        CHANGED = "CHANGED", "Details changed"

    kind = models.CharField(max_length=20, choices=Kind)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="account_events")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "happened_at"], name="account_event_of_user")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user}"


class Look(models.Model):
    """An entry of the access log: someone opened medical information, or was refused. Append-only.

    Written before the bytes are sent (45 CFR 164.312(b)).
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="looks")
    looked_at = models.DateTimeField()
    subject = models.CharField(max_length=40)  # "case", "document", "page", "letter", …
    reference = models.CharField(max_length=80)  # a case number or an opaque id, never a name
    granted = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "reference", "looked_at"], name="look_at_subject"),
            models.Index(fields=["user", "looked_at"], name="look_of_user"),
        ]

    def __str__(self) -> str:
        verb = "opened" if self.granted else "was refused"
        return f"{self.user} {verb} {self.subject} {self.reference}"
