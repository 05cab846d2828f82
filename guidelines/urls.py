from django.urls import path

from . import views

app_name = "guidelines"

urlpatterns = [path("guidelines/pick", views.search_guidelines, name="pick")]
