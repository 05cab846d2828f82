"""Middleware: session limits, access to pages, and no caching."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from .audiences import NOBODY, OPEN_WITHOUT_SECOND_FACTOR, POLLED, PUBLIC, audience_of, is_admitted

logger = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# A stamp for every request would save the session each time.
SECONDS_BETWEEN_STAMPS = 60
# Recovery codes replace one of these when it is lost; they do not count alone.
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def route_of(request: HttpRequest) -> str:
    """The name of the matched route; empty if there is none."""
    match = request.resolver_match
    return match.view_name if match else ""


class SessionLimitsMiddleware:
    """Ends a session that was idle too long or is too old, regardless of its cookie.

    Django's own expiry is renewed whenever the session is saved, so it can express only one of the
    two limits. Both moments are stored in the session (NIST SP 800-63B, AAL2: at most 1
    hour idle and 24 hours in all).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> None:
        session = request.session
        if SESSION_KEY not in session:
            return
        now = int(timezone.now().timestamp())
        began = session.setdefault("began_at", now)
        seen = session.setdefault("seen_at", now)
        idle, age = now - seen, now - began
        if idle > settings.SESSION_IDLE_SECONDS or age > settings.SESSION_COOKIE_AGE:
            logger.info("session_ended", idle_seconds=idle, age_seconds=age)
            logout(request)
        elif idle >= SECONDS_BETWEEN_STAMPS and route_of(request) not in POLLED:
            session["seen_at"] = now


class PlainAddressMiddleware:
    """Refuses an address with a NUL character, which PostgreSQL cannot store."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address contains a NUL character.")
        return self.get_response(request)


class AudienceMiddleware:
    """Enforces the table of ``imr_portal.audiences`` for every route."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        route = route_of(request)
        audience = audience_of(route)
        if audience is None:
            logger.error("route_without_audience", route=route)
            raise Http404("This page has no audience.")
        if audience is NOBODY:
            raise Http404("This page is not used.")
        if audience is PUBLIC:
            return None
        user = request.user
        if not user.is_authenticated:
            return self.ask_to_sign_in(request)
        # Before the audience is checked: without a second factor, only its setup is open.
        if (
            settings.SECOND_FACTOR_REQUIRED
            and route not in OPEN_WITHOUT_SECOND_FACTOR
            and not is_mfa_enabled(user, SECOND_FACTORS)
        ):
            return self.ask_for_second_factor(request)
        if not is_admitted(audience, user):
            logger.warning("page_refused", route=route)
            raise PermissionDenied
        return None

    def ask_to_sign_in(self, request: HttpRequest) -> HttpResponseBase:
        """Redirect a page to the sign-in page; answer 401 to a fragment, so its page stays."""
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(
                "You were signed out. Sign in again in another tab, then repeat this.",
                status=401,
                content_type="text/plain; charset=utf-8",
                headers={"HX-Trigger": "session-ended"},
            )
        return redirect_to_login(
            self.page_to_return_to(request), resolve_url(settings.LOGIN_URL), REDIRECT_FIELD_NAME
        )

    def ask_for_second_factor(self, request: HttpRequest) -> HttpResponseBase:
        """Redirect to the page where the user sets up a second factor."""
        if request.headers.get("HX-Request") == "true":
            # htmx then loads the whole page instead of putting it into a fragment.
            return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("mfa_index")})
        return redirect("mfa_index")

    def page_to_return_to(self, request: HttpRequest) -> str:
        """Where to go after signing in: this page, or the page of the form that was sent."""
        if request.method in {"GET", "HEAD"}:
            return request.get_full_path()
        # The address of a sent form may not open by GET, so return to the page that showed it.
        origin = request.headers.get("Referer", "")
        # The header comes from the browser and could lead to another site.
        if url_has_allowed_host_and_scheme(
            origin, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            parts = urlsplit(origin)
            return f"{parts.path}?{parts.query}" if parts.query else parts.path
        return resolve_url(settings.LOGIN_REDIRECT_URL)


class NoStoreMiddleware:
    """Forbids browsers and proxies to store any answer of the application.

    Static files are served before this runs. ``never_cache`` is not enough, because it does not
    overwrite headers that a view has set.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers["Cache-Control"] = "no-store"
        # Some addresses answer htmx with a fragment and others with a page.
        patch_vary_headers(response, ["HX-Request"])
        # On a shared computer, nothing may be left for the next person.
        if request.method == "POST" and route_of(request) == "account_logout":
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response
