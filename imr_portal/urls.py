"""Every address of the portal. Who may open which stands in ``imr_portal.audiences``."""

from django.contrib import admin
from django.urls import include, path

from . import health

urlpatterns = [
    # for the machine
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("version", health.version, name="version"),
    # signing in
    path("people/", include("allauth.account.urls")),
    path("people/second-factor/", include("allauth.mfa.urls")),
    # the office
    path("", include("desk.urls")),
    path("", include("cases.urls")),
    path("", include("intake.urls")),
    path("", include("eligibility.urls")),
    path("", include("correspondence.urls")),
    path("", include("queues.urls")),
    path("", include("directory.urls")),
    path("", include("form_fields.urls")),
    path("", include("reviewers.urls")),
    path("", include("records.urls")),
    path("", include("determinations.urls")),
    path("", include("guidelines.urls")),
    path("", include("letters.urls")),
    path("admin/", admin.site.urls),
]
