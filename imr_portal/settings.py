"""Settings of the portal. What differs by machine comes from environment variables."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(environment.read_text("VAR_DIR", str(BASE_DIR / "var")))

# --- What kind of run this is ------------------------------------------------------------------
DEBUG = environment.read_flag("DEBUG", False)
DEMO = environment.read_flag(
    "DEMO", False
)  # sign-ins shown on the sign-in page; never in production

SAMPLE_SECRET_KEY = "sample-secret-key-for-development-only-not-for-production-use"  # noqa: S105
SECRET_KEY = environment.read_text("SECRET_KEY", SAMPLE_SECRET_KEY if DEBUG else None)
if not DEBUG and SECRET_KEY == SAMPLE_SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is the sample one. Set SECRET_KEY to at least 50 random characters, "
        "or set DEBUG=1 for a machine that only you can reach."
    )

ALLOWED_HOSTS = environment.read_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = environment.read_list("CSRF_TRUSTED_ORIGINS")

# --- The organization that runs the portal, as named in letters ------------------------------
IMRO_NAME = environment.read_text("IMRO_NAME", "Golden State Medical Review")
IMRO_SHORT_NAME = environment.read_text("IMRO_SHORT_NAME", "GSMR")
IMRO_ADDRESS = environment.read_text(
    "IMRO_ADDRESS", "Golden State Medical Review\nP.O. Box 0000\nSacramento, CA 95800"
)
DETERMINATION_LAYOUT = environment.read_text("DETERMINATION_LAYOUT", "determination-today")
IMRO_PHONE = environment.read_text("IMRO_PHONE", "(800) 555-0100")

# --- Apps, lowest first (tests/test_architecture.py checks the order) -------------------------
INSTALLED_APPS = [
    "imr_portal.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",  # allauth formats dates with it
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "simple_history",
    "import_export",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "imr_portal",
    "accounts",
    "jobs",
    "notices",
    "files",
    "guidelines",
    "letters",
    "form_fields",
    "deadlines",
    "directory",
    "cases",
    "eligibility",
    "intake",
    "correspondence",
    "reviewers",
    "records",
    "determinations",
    "queues",
    "billing",
    "complaints",
    "maintenance",
    "desk",
]

MIDDLEWARE = [
    # First, so that it also logs what the others refuse.
    "imr_portal.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # Before the session, because static files need neither a session nor a user.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Outside of all that write into a page; static files are compressed when they are collected.
    "imr_portal.middleware.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "imr_portal.middleware.NoStoreMiddleware",
    "imr_portal.middleware.DemonstrationErrorMiddleware",
    "imr_portal.middleware.HealthMiddleware",
    "imr_portal.middleware.ReloadedFormMiddleware",
    "imr_portal.middleware.PlainAddressMiddleware",
    "imr_portal.middleware.PatientSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Before the check of the form's token, which reads the form and writes its files to the disk.
    "imr_portal.middleware.StorageFailureMiddleware",
    "imr_portal.middleware.ImpossibleIdMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Outside of all that may refuse a page, so that it also records refusals.
    "imr_portal.middleware.AccessLogMiddleware",
    # Sessions that are too old end before the audience of the page is checked.
    "imr_portal.middleware.SessionLimitsMiddleware",
    "imr_portal.middleware.AudienceMiddleware",
    # A second guard, if the table of audiences had a mistake.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "imr_portal.middleware.LockOutLogMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "imr_portal.urls"
WSGI_APPLICATION = "imr_portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "desk.context_processors.add_shell",
                "imr_portal.context_processors.add_demo_sign_ins",
            ],
            "builtins": ["desk.templatetags.page_tags"],
        },
    }
]
FORM_RENDERER = "imr_portal.forms.PortalFormRenderer"

# --- Database --------------------------------------------------------------------------------
DATABASES = {
    "default": environment.database_settings(
        "DATABASE_URL", default_file=VAR_DIR / "portal.sqlite3"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    # The first one answers permissions, the second one is the sign-in of allauth.
    "accounts.backends.RoleBackend",
    "accounts.backends.SignInBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.ClosedSignUpAdapter"
ACCOUNT_FORMS = {
    "change_password": "accounts.forms.ChangePassword",
    "reset_password_from_key": "accounts.forms.ResetPassword",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Administrators enter the addresses; nobody signs up.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# No answer tells whether an address belongs to a user.
ACCOUNT_PREVENT_ENUMERATION = True
# The number of our proxies that append to X-Forwarded-For; sign-in limits use the address before.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if environment.read_flag("BEHIND_TLS_PROXY", False) else 0
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "IMR Portal"
# Every user sees medical records, so a second factor is required, except in the demo.
SECOND_FACTOR_REQUIRED = environment.read_flag("SECOND_FACTOR_REQUIRED", not DEBUG)

# By address: an office shares one, and many of its people may sign in within a minute.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    # The key is the account and the address, see ``accounts.adapter``.
    "login_failed": "30/m/ip,5/300s/key",
}

# Mail resets passwords and tells of notices. Without a server an administrator sets a new password,
# and notices are shown in the portal only.
EMAIL_HOST = environment.read_text("EMAIL_HOST", "")
EMAIL_PORT = environment.read_number("EMAIL_PORT", 25)
EMAIL_HOST_USER = environment.read_text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = environment.read_text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment.read_flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 5  # seconds; the page waits for it
# The demonstration writes its mail into files.
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend"
    if DEMO and not EMAIL_HOST
    else "django.core.mail.backends.smtp.EmailBackend"
)
MAIL_IS_CONFIGURED = DEMO or bool(EMAIL_HOST)
# The address of the portal, for links in mails that no request sends.
PORTAL_URL = (
    environment.read_text("PORTAL_URL", "")
    or next(iter(CSRF_TRUSTED_ORIGINS), f"https://{next(iter(ALLOWED_HOSTS), 'localhost')}")
).rstrip("/")
DEFAULT_FROM_EMAIL = environment.read_text("DEFAULT_FROM_EMAIL", "imr-portal@localhost")

SESSION_COOKIE_AGE = 12 * 60 * 60  # absolute; imr_portal.middleware enforces both limits
SESSION_IDLE_SECONDS = environment.read_number("SESSION_IDLE_SECONDS", 60 * 60)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "imr_portal.middleware.show_csrf_failure"
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # Browsers accept this prefix only over HTTPS, and only from the host itself.
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = environment.read_flag("SECURE_SSL_REDIRECT", True)
    # Two years.
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if environment.read_flag("BEHIND_TLS_PROXY", False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        ALLAUTH_TRUSTED_PROXY_COUNT = 1  # whose X-Forwarded-For tells clients apart for limits
# Health checks come from inside the network, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
# Addresses contain case numbers, which other sites must not learn.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Only files of the portal itself, and nothing inline. There are no exceptions.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Time and language: legal days are days in Los Angeles ---------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "America/Los_Angeles"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["imr_portal.formats"]

# --- Static files ---------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(environment.read_text("STATIC_ROOT", str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# As in production also in the demonstration; ``script/server`` runs ``collectstatic``.
STATIC_IS_COLLECTED = DEMO or not DEBUG
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = not STATIC_IS_COLLECTED
FILES_DIR = environment.read_text("FILES_DIR", str(VAR_DIR / "files"))
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": FILES_DIR},
    },
    "staticfiles": {
        "BACKEND": "imr_portal.static_files.HashedStorage"
        if STATIC_IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
        # Public, unlike the files above; in the image they belong to another account.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
# Medical records are readable only by the account that runs the portal.
FILE_UPLOAD_PERMISSIONS = 0o600
# On the disk of the files and not in /tmp, which may be memory; leftovers of killed uploads are
# found there.
FILE_UPLOAD_TEMP_DIR = environment.make_private_folder(Path(FILES_DIR) / "incoming")
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "files.upload_handlers.DiskHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3_000  # a form may have 200 disputed items
MAX_UPLOAD_BYTES = environment.read_number("MAX_UPLOAD_BYTES", 512 * 1024 * 1024)
# A complaint is answered within so many days of its receipt; a person may set an earlier day.
COMPLAINT_ANSWER_DAYS = environment.read_number("COMPLAINT_ANSWER_DAYS", 30)
CLAMD_SOCKET = environment.read_text("CLAMD_SOCKET", "")

# --- Broker, cache and worker ---------------------------------------------------------------------
REDIS_URL = environment.read_text("REDIS_URL", "")
CACHES = {
    "default": {
        "BACKEND": "imr_portal.cache.RedisOrMemory",
        "LOCATION": REDIS_URL,
        # A page that meets a silent Redis waits this long, once; then nobody asks until it is back.
        "OPTIONS": {
            "socket_timeout": 0.15,
            "socket_connect_timeout": 0.15,
            "retry": Retry(NoBackoff(), 0),
        },
    }
    if REDIS_URL and environment.read_flag("CACHE_IN_REDIS", True)
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
LETTER_LEASE_SECONDS = environment.read_number("LETTER_LEASE_SECONDS", 40)
LETTER_MAX_ATTEMPTS = 3
# Allow letters in the sample wording; in production the organization publishes its own.
ALLOW_SAMPLE_WORDING = environment.read_flag("ALLOW_SAMPLE_WORDING", DEBUG or DEMO)
CELERY_VISIBILITY_TIMEOUT = environment.read_number("CELERY_VISIBILITY_TIMEOUT", 120)

# --- Logs: JSON lines without personal data ---------------------------------------------------
LOG_LEVEL = environment.read_text("LOG_LEVEL", "INFO")
LOGGING = logs.logging_settings(LOG_LEVEL)

SILENCED_SYSTEM_CHECKS: list[str] = []
