"""How gunicorn serves the portal.

``gunicorn --config python:imr_portal.web_server imr_portal.wsgi``

A command line of its own wins over every line here.
"""

from pathlib import Path

from . import environment, logs

bind = f"{environment.text('HOST', '127.0.0.1')}:{environment.text('PORT', '8000')}"
workers = environment.number("WEB_WORKERS", 2)
threads = environment.number("WEB_THREADS", 4)
worker_class = "gthread"
# A worker begins again now and then, so that nothing that leaks can grow for weeks.
max_requests, max_requests_jitter = 2_000, 200
timeout = graceful_timeout = 30
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn makes a private file in it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - a heartbeat must not wait for a disk
control_socket_disable = True  # no one asks this server anything but pages
accesslog = None  # our own middleware writes one line a request, without the query string
logconfig_dict = logs.settings(environment.text("LOG_LEVEL", "INFO"))
