"""The admin site, for tables that change rarely. It is not used for case work."""

from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import Http404, HttpRequest, HttpResponse
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

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Complete the fields that a form of the site completes; Django offers every table.

        The tables of cases have no such form, and what was typed is not in the access log.
        """
        model = _find_model(request)
        offered = self._registry[model].autocomplete_fields if model in self._registry else ()
        if request.GET.get("field_name") not in offered:
            raise Http404("There is no such field.")
        return super().autocomplete_view(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        # Django's own sign-in form would skip the second factor and the limit on attempts.
        query = urlencode({"next": request.get_full_path()})
        return redirect(f"{reverse('account_login')}?{query}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        # Models are not loaded yet when this module is. The adapter records the sign-out.
        from allauth.account.adapter import get_adapter

        get_adapter().logout(request)
        return redirect("account_login")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")


def _find_model(request: HttpRequest) -> Any:
    """Find the model that the address of a completion names; ``None`` if there is none."""
    try:
        return apps.get_model(request.GET["app_label"], request.GET["model_name"])
    except (LookupError, ValueError):
        return None
