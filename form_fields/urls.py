from django.urls import path

from . import views

app_name = "form_fields"

urlpatterns = [
    path("dates/", views.interpret_typed_date, name="say_date"),
]
