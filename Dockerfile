# The portal as one image; compose.yaml runs it as web, relay, worker and scheduler.
# Built where an engine is; nothing in CI builds it, but tests/test_compose.py runs every command.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    VAR_DIR=/var/lib/imr-portal \
    STATIC_ROOT=/srv/static
RUN groupadd --gid 10001 portal \
    && useradd --uid 10001 --gid portal --no-create-home --shell /usr/sbin/nologin portal \
    && install -d -o portal -g portal -m 0700 /var/lib/imr-portal \
        /var/lib/imr-portal/files /var/lib/imr-portal/files/incoming
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/portal
COPY . .
# Files with their hash in the name, compressed once. The key serves this step alone.
RUN SECRET_KEY=only-for-collecting-static-files-while-building-the-image \
    python manage.py collectstatic --no-input
USER portal
VOLUME /var/lib/imr-portal
EXPOSE 8000
CMD ["gunicorn", "--config", "python:imr_portal.web_server", "imr_portal.wsgi"]
