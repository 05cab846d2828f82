"""The production settings, with what only a test needs changed: see each line."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="imr-test-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
# Each process of a parallel run works in a folder of its own. Programs that a test starts inherit
# the name of the process and the folder, which must not be lengthened a second time.
_process = os.environ.get("PYTEST_XDIST_WORKER", "")
if _process and Path(os.environ["VAR_DIR"]).name != _process:
    os.environ["VAR_DIR"] = str(Path(os.environ["VAR_DIR"]) / _process)
    Path(os.environ["VAR_DIR"]).mkdir(parents=True, exist_ok=True)
_room = os.environ["VAR_DIR"]
os.environ.setdefault("DEBUG", "0")
os.environ.setdefault("SECRET_KEY", "a-key-for-tests-that-guards-nothing-0123456789-abcdefghij")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
os.environ.setdefault("SECURE_SSL_REDIRECT", "0")  # tests speak plain HTTP to this machine
os.environ.setdefault("SECOND_FACTOR_REQUIRED", "0")  # its own tests switch it on
os.environ.setdefault("LETTER_LEASE_SECONDS", "6")  # a killed worker's letter comes back soon
os.environ.setdefault("CELERY_VISIBILITY_TIMEOUT", "6")
os.environ.setdefault("ALLOW_SAMPLE_WORDING", "1")  # tests write letters on the shipped wording
os.environ.setdefault("CACHE_IN_REDIS", "0")
os.environ.setdefault("LOG_LEVEL", "WARNING")

from imr_portal.settings import *  # noqa: E402, F403

# Argon2 is slow on purpose; tests make hundreds of users.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A browser keeps Secure and __Host- cookies only over TLS, which the test server does not speak.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"
SECURE_HSTS_SECONDS = 0

# The manifest needs collectstatic first; its own test runs that.
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True

# SQLite's test database is a file, so that other processes can open it; see conftest.committed_db.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_room) / "test.sqlite3")}  # noqa: F405
