from django.urls import path

from . import views

app_name = "billing"

urlpatterns = [
    path("fees/", views.list_fees, name="fees"),
]
