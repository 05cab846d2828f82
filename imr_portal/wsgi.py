"""The WSGI application, for a server such as gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from .environment import keep_files_private

keep_files_private()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imr_portal.settings")

application = get_wsgi_application()

# After Django is set up, and while there is space: the file serves when the disk is full.
from accounts.access_reserve import prepare_reserve  # noqa: E402
from accounts.storage_failures import keep_sqlite_open, limit_sqlite_waits  # noqa: E402

prepare_reserve()
limit_sqlite_waits()
keep_sqlite_open()
