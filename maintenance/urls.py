from django.urls import path

from . import views

app_name = "maintenance"

urlpatterns = [
    path("nightly/", views.list_findings, name="findings"),
]
