"""Authentication backends: sign-in, and permissions from roles."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import ModelBackend

from .models import User
from .roles import ADMIN_PERMISSIONS, PERMISSIONS


class _LoadsRoles(ModelBackend):
    """Loads the user of a session together with the roles, in one query for every page."""

    def get_user(self, user_id: Any) -> Any:
        user = User.objects.get_with_roles(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


class RoleBackend(_LoadsRoles):
    """Signs in by email and password; takes permissions only from the table of roles."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self.get_all_permissions(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        # Roles give no permissions on single objects; the services decide about those.
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set(user_obj.all_permissions)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        # Permissions of the portal are named one by one; those of the admin site go by app.
        if perm in PERMISSIONS:
            return bool(PERMISSIONS[perm] & user_obj.roles)
        return bool(ADMIN_PERMISSIONS.get(perm.partition(".")[0], set()) & user_obj.roles)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        return bool(ADMIN_PERMISSIONS.get(app_label, set()) & user_obj.roles)


class SignInBackend(_LoadsRoles, AuthenticationBackend):
    """The sign-in backend of allauth, without permissions of its own."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()

    get_user_permissions = get_group_permissions = get_all_permissions

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return False
