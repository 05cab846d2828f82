from django.urls import path

from . import views

app_name = "directory"

urlpatterns = [
    path("organizations/", views.search_organizations, name="organizations"),
    path("organizations/<int:pk>/", views.show_organization, name="organization"),
    path(
        "organizations/<int:pk>/<str:kind>/",
        views.add_organization_fact,
        name="add_organization_fact",
    ),
    path(
        "organizations/<int:pk>/<str:kind>/<int:fact_id>/withdraw/",
        views.withdraw_organization_fact,
        name="withdraw_organization_fact",
    ),
]
