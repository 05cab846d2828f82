from django.urls import path

from . import views

app_name = "jobs"

urlpatterns = [
    path("jobs/", views.list_jobs, name="list"),
    path("jobs/<str:job>/run/", views.run_again, name="run_again"),
]
