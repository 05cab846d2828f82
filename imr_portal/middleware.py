"""Middleware: sessions, access, failures of the disk, the access log, no caching, compression."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import urlsplit

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY, logout
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.db import Error as DatabaseFailure
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.urls import is_valid_path, resolve
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.defaults import bad_request, page_not_found

import accounts.services
from accounts import sign_in_log
from accounts.models import AccessLogEntry, SignInEvent, User
from accounts.storage_failures import AccessNotRecorded, find_storage_failure, stop_waiting
from files.upload_handlers import has_lost_upload

from .audiences import (
    NOBODY,
    OPEN_WITHOUT_SECOND_FACTOR,
    POLLED,
    PUBLIC,
    audience_of,
    is_admitted,
    may_open,
)
from .health import show_liveness, show_readiness
from .subjects import Access, Subject, list_accesses_of, subject_of

logger = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEALTH_CHECKS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {
    "/livez": show_liveness,
    "/readyz": show_readiness,
}
# A stamp for every request would save the session each time.
SECONDS_BETWEEN_STAMPS = 60
# Recovery codes replace one of these when it is lost; they do not count alone.
SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def route_of(request: HttpRequest) -> str:
    """Return the name of the matched route; empty if there is none."""
    match = request.resolver_match
    return match.view_name if match else ""


NOT_OPENED = (
    "This page cannot be opened now: the database is busy, or the disk of the server is full. "
    "Try again in a minute. If it fails again, tell operations."
)
NOT_RECORDED = (
    "This page shows personal information, and the access to it could not be recorded, because the "
    "disk of the server is full or the database does not work. Tell operations, then open the page "
    "again."
)
NOT_SAVED = (
    "Not saved: the database is busy, or the disk of the server is full. What you typed is below. "
    "Tell operations, then select “Save again”, or copy what you need."
)
UPLOAD_NOT_SAVED = (
    "Not saved: the disk of the server has no space for the file. What you typed is below. Tell "
    "operations, then choose the file again on the page of the form."
)
# Fields that the form needs and nobody reads.
_UNSEEN = {"version", "revision", "key", "form_key", "back", "paper", "shown"}


def answer_storage_failure(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer 503 with a sentence and what was typed; ``None`` if the error is another one."""
    if isinstance(error, AccessNotRecorded):
        return render_not_stored(request, NOT_RECORDED)
    if find_storage_failure(error) is None:
        return None
    stop_waiting()
    logger.error("storage_failed", route=route_of(request), error=type(error).__name__)
    return render_not_stored(request, NOT_SAVED if request.method == "POST" else NOT_OPENED)


class NotStoredPage(HttpResponse):
    """The page of a failed request. It shows what was typed and nothing from the database."""


def render_not_stored(request: HttpRequest, sentence: str) -> HttpResponse:
    """Render the page of a failed request. It needs neither the database nor the session."""
    context = {
        "sentence": sentence,
        "typed": list(_list_typed(request)),
        "address": request.get_full_path(),
        "csrf": get_token(request),
    }
    page = NotStoredPage(render_to_string("not_stored.html", context), status=503)
    page["Retry-After"] = "60"
    if request.headers.get("HX-Request") == "true":  # replace the whole page, not a part of it
        page["HX-Retarget"], page["HX-Reswap"] = "body", "innerHTML"
    return page


def show_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form of an earlier sign-in or of another site, and show what was typed.

    :param reason: Django's own reason, for its log; people are not shown it.
    """
    return render(request, "403_csrf.html", {"typed": list(_list_typed(request))}, status=403)


def _list_typed(request: HttpRequest) -> Iterator[dict[str, Any]]:
    """Every field of a sent form: its name, a label, the text, and whether it is shown.

    Nothing of the forms of signing in: passwords and codes are not shown.
    """
    if request.method != "POST" or route_of(request).startswith(("account_", "mfa_")):
        return
    for name, texts in request.POST.lists():
        if name == "csrfmiddlewaretoken" or "password" in name:
            continue
        label = name.replace("_", " ").capitalize()
        for text in texts:
            shown = bool(text) and name not in _UNSEEN
            yield {"name": name, "label": label, "text": text, "shown": shown}


def _guard(process_view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 503 if a ``process_view`` that reads the database fails for want of space or time."""

    @wraps(process_view)
    def guarded(self: Any, request: HttpRequest, *view: Any) -> Any:
        try:
            return process_view(self, request, *view)
        except (DatabaseFailure, OSError) as error:
            if (answer := answer_storage_failure(request, error)) is None:
                raise
            return answer

    return guarded


class HealthMiddleware:
    """Answers the health checks before anything asks the session, which may be out of reach."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        check = HEALTH_CHECKS.get(request.path_info)
        if check is None:
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)  # for the log
        return check(request)


class ReloadedFormMiddleware:
    """Leads to the page above an address that only takes forms, when a person opens it.

    Such an address stands in the address bar after a refused form; a reload, or Enter in the
    address bar, asks for it as a page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        opened = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if answer.status_code == 405 and opened:
            return redirect(_find_page_above(request.path_info))
        return answer


def _find_page_above(path: str) -> str:
    """The nearest address above one that has a page or takes forms; the first page at last."""
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        if is_valid_path(path):
            return path
    return path


class StorageFailureMiddleware:
    """Answers 503 with a sentence if the disk is full or the database is busy.

    ``run_action`` answers most saves with their own form. This answers all other requests, and
    shows what was typed, so that it can be copied or sent again.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    @_guard
    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponseBase | None:
        # Reading a form writes its large files to the disk.
        if request.method == "POST" and request.POST is not None and has_lost_upload(request):
            return render_not_stored(request, UPLOAD_NOT_SAVED)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        return answer_storage_failure(request, error)


class ImpossibleIdMiddleware:
    """Answers 400 if the address or the form of an admin page has an id that no row can have.

    Django's admin passes such ids to the database without a check.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        not_a_number = isinstance(error, ValueError) and "expected a number but got" in str(error)
        if not route_of(request).startswith("admin:"):
            return None
        if not_a_number or isinstance(error, OverflowError | DataError):
            return bad_request(request, error)
        return None


class PatientSessionMiddleware(SessionMiddleware):
    """Django's sessions; pages still open if a session cannot be saved.

    What is lost is a time stamp or a message. A sign-in is refused, because it is the session.
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        try:
            return super().process_response(request, response)
        except (DatabaseFailure, OSError, SessionInterrupted) as error:
            # Django reports some failures as an interrupted session, caused by the failure.
            if find_storage_failure(error) is None:
                raise
            stop_waiting()
            logger.error("session_not_saved", route=route_of(request), error=type(error).__name__)
            if route_of(request).startswith(("account_", "mfa_")):
                return render_not_stored(request, NOT_OPENED)
            return response


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

    @_guard
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
            if isinstance(request.user, User):
                why = "too long without a request" if age <= settings.SESSION_COOKIE_AGE else "age"
                sign_in_log.record_event(
                    request, SignInEvent.Kind.SESSION_ENDED, request.user, detail=why
                )
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
    """Enforces the table of ``imr_portal.audiences`` for every route.

    Pages ask the same table by ``request.may_open``, which links they show.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Reads the user only when a page asks.
        request.may_open = lambda route, *args: may_open(  # type: ignore[attr-defined]
            request.user, route, *args
        )
        return self.get_response(request)

    @_guard
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
        """Return where to go after signing in: this page, or the page of the form that was sent."""
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


class AccessLogMiddleware:
    """Writes the access log: one place for every page that shows data of a worker.

    ``imr_portal.subjects`` says which pages do. The entry is written after the view and its
    transactions, and before the answer leaves. If it cannot be written, the page does not open.
    """

    # A page with a refused form shows the case too, and so does one that could not be saved. The
    # user was not denied access, so the entry must not say so.
    SHOWN = frozenset({*range(200, 300), 409, 422, 503})
    REFUSED = frozenset({403, 404})
    # Pieces of one file, and the state of a letter, are asked for again and again.
    SECONDS_BETWEEN_PIECES = 60

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        subject = subject_of(route_of(request))
        status = response.status_code
        if subject is None or status not in self.SHOWN | self.REFUSED:
            return response
        try:
            if not request.user.is_authenticated:
                return response
            self.write_entries(request, response, subject, granted=status in self.SHOWN)
        except (DatabaseFailure, OSError, AccessNotRecorded) as error:
            logger.error("access_not_recorded", error=type(error).__name__)
            # They show nothing that is stored, and what was typed must not be lost.
            if status in self.REFUSED or isinstance(response, NotStoredPage):
                return response
            page = render_not_stored(request, NOT_RECORDED)
            # Files that the answer has open are closed with this one.
            page._resource_closers.extend(  # type: ignore[attr-defined]
                response._resource_closers  # type: ignore[attr-defined]
            )
            return page
        return response

    def write_entries(
        self, request: HttpRequest, response: HttpResponseBase, subject: Subject, *, granted: bool
    ) -> None:
        """Write the entries of an answer, unless it repeats a piece of the last minute."""
        now = timezone.now()
        user = request.user
        assert isinstance(user, User)  # noqa: S101 - checked by the caller
        is_piece = granted and (response.status_code == 206 or subject.once_a_minute)
        for access in list_accesses_of(subject, request, response, granted=granted):
            if is_piece and self.is_recorded(access, user, page=route_of(request), at=now):
                continue
            accounts.services.write_access_entry(
                by=user,
                subject=access.subject,
                reference=access.reference,
                granted=granted,
                at=now,
                page=route_of(request),
                case_number=access.case_number,
                shown=access.shown,
            )

    def is_recorded(self, access: Access, user: User, *, page: str, at: datetime) -> bool:
        """Whether the last minute has an entry of the same access by the same page."""
        since = at - timedelta(seconds=self.SECONDS_BETWEEN_PIECES)
        return AccessLogEntry.objects.filter(
            user=user,
            subject=access.subject,
            reference=access.reference,
            page=page,
            granted=True,
            accessed_at__gt=since,
        ).exists()


class DemonstrationErrorMiddleware:
    """Shows the portal's own pages for 400 and 404 in a demonstration, not Django's debug pages.

    The demonstration runs with ``DEBUG``, and then Django explains its settings to whoever mistypes
    an address. A failure of the portal, 500, keeps the debug page.
    """

    PAGES: ClassVar[dict[int, Callable[..., HttpResponse]]] = {
        400: bad_request,
        404: page_not_found,
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        page = self.PAGES.get(response.status_code)
        if page is None or not (settings.DEMO and settings.DEBUG):
            return response
        # Every debug page says this. Pages of views with these states stay as they are.
        if not isinstance(response, HttpResponse) or b"DEBUG = True" not in response.content:
            return response
        return page(request, exception=Http404())


class LockOutLogMiddleware:
    """Records that an address sent too many sign-ins, which allauth refuses with 429."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 429:
            response.headers["Retry-After"] = "60"  # limits of an address are for a minute
            sign_in_log.record_lock_out(request, detail="too many requests from this address")
        return response


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


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages and fragments for browsers that take gzip.

    The length of a compressed page could tell a secret in it to someone who makes a browser open it
    with chosen words and sees the lengths (BREACH). So each answer gets a random number of bytes,
    up to ``max_random_bytes``, and Django masks the token of forms differently in each answer.

    Images and PDFs are compressed already, and a streamed answer keeps its length.
    """

    COMPRESSED = ("text/", "application/json")

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        content_type = response.headers.get("Content-Type", "")
        if response.streaming or not content_type.startswith(self.COMPRESSED):
            return response
        return super().process_response(request, response)
