"""People before a real web server, without a browser: sessions, forms, and what came back."""

import http.client
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client

PATIENCE = 60  # seconds; longer than any answer, so that a test measures and the client never does


@dataclass(frozen=True)
class Answer:
    """What a server said, and how long it took."""

    status: int
    text: str
    location: str
    seconds: float


class Visitor:
    """Someone with a session on a real server. Redirects are not followed."""

    def __init__(self, site, user):
        client, session = Client(), settings.SESSION_COOKIE_NAME
        client.force_login(user, backend="accounts.backends.SignInBackend")
        self._token = secrets.token_hex(CSRF_SECRET_LENGTH // 2)
        self._host = urlsplit(site.url).netloc
        self._headers = {
            "Cookie": f"{session}={client.cookies[session].value}; "
            f"{settings.CSRF_COOKIE_NAME}={self._token}"
        }

    def get(self, path):
        """Fetch a page."""
        return self._read(self._send("GET", path, None))

    def post(self, path, **fields):
        """Send a form as its page sends it."""
        return self._read(self.begin_post(path, **fields))

    def begin_post(self, path, **fields):
        """Send a form and do not wait for the answer; close what this returns."""
        body = urlencode({"csrfmiddlewaretoken": self._token} | fields, doseq=True)
        return self._send("POST", path, body)

    def _send(self, method, path, body):
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        connection.began = time.monotonic()
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=body, headers=headers)
        return connection

    def _read(self, connection):
        with connection.getresponse() as response:
            text = response.read().decode(errors="replace")
            seconds = time.monotonic() - connection.began
            location = response.headers.get("Location", "")
        connection.close()
        return Answer(response.status, text, location, seconds)
