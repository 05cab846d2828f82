"""The URLs of the portal. ``imr_portal.audiences`` says who may open which."""

from django.contrib import admin
from django.urls import include, path

from . import health

urlpatterns = [
    # health checks
    path("livez", health.show_liveness, name="livez"),
    path("readyz", health.show_readiness, name="readyz"),
    path("version", health.show_version, name="version"),
    # signing in
    path("people/", include("allauth.account.urls")),
    path("people/second-factor/", include("allauth.mfa.urls")),
    path("people/", include("accounts.urls")),
    # pages of the apps
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
    path("", include("billing.urls")),
    path("", include("complaints.urls")),
    path("", include("jobs.urls")),
    path("", include("maintenance.urls")),
    path("admin/", admin.site.urls),
]
