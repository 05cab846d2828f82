"""Settings of gunicorn.

``gunicorn --config python:imr_portal.web_server imr_portal.wsgi``

Options on the command line override these settings.
"""

from pathlib import Path

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
