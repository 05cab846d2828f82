"""Settings of gunicorn.

``gunicorn --config python:imr_portal.web_server imr_portal.wsgi``

Options on the command line override these settings.
"""

import gc
from importlib import import_module
from pathlib import Path
from typing import Any

from . import environment, logs

bind = f"{environment.read_text('HOST', '127.0.0.1')}:{environment.read_text('PORT', '8000')}"
workers = environment.read_number("WEB_WORKERS", 2)
threads = environment.read_number("WEB_THREADS", 4)
# Threads, because requests wait for the database most of the time.
worker_class = "gthread"
# Workers are restarted now and then, so that memory leaks cannot grow for weeks.
max_requests, max_requests_jitter = 2_000, 200
timeout = graceful_timeout = 30
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn makes a private file in it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat must not wait for a disk
control_socket_disable = True  # not used
accesslog = None  # our middleware logs each request, without the query string
logconfig_dict = logs.logging_settings(environment.read_text("LOG_LEVEL", "INFO"))


def when_ready(server: Any) -> None:
    """Load models and views before the workers are forked, if ``WEB_SHARE_MEMORY`` is set.

    The workers then share that memory. gunicorn's own ``preload_app`` would also load
    ``imr_portal.wsgi``, which opens SQLite, and a connection to SQLite must not outlive a fork.
    """
    if not environment.read_flag("WEB_SHARE_MEMORY", False):
        return
    import django
    from django.conf import settings

    environment.keep_files_private()
    django.setup()
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    # The collector would write to each object, which copies the page that holds it.
    gc.freeze()
