"""The admin site, for tables that change rarely. It is not used for case work."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


class PortalAdminConfig(AdminConfig):
    """Installs ``PortalAdminSite`` in place of Django's site."""

    default_site = "imr_portal.admin_site.PortalAdminSite"


class PortalAdminSite(AdminSite):
    """The admin site, which uses the sign-in page of the portal."""

    site_header = site_title = "IMR Portal"
    index_title = "Tables"
    enable_nav_sidebar = False  # there are few tables, and their lists need the width

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and getattr(request.user, "is_staff", False)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # Django's own sign-in form would skip the second factor and the limit on attempts.
        query = urlencode({"next": request.get_full_path()})
        return redirect(f"{reverse('account_login')}?{query}")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")
