from django.urls import path

from . import views

app_name = "directory"

urlpatterns = [
    path("organisations/", views.organisations, name="organisations"),
    path("organisations/<int:pk>/", views.organisation, name="organisation"),
    path(
        "organisations/<int:pk>/<str:kind>/",
        views.add_organisation_fact,
        name="add_organisation_fact",
    ),
    path(
        "organisations/<int:pk>/<str:kind>/<int:fact_id>/withdraw/",
        views.withdraw_organisation_fact,
        name="withdraw_organisation_fact",
    ),
]
