from django.urls import path

from . import views

app_name = "letters"

urlpatterns = [
    path("letters/failed/", views.list_failed_letters, name="failed"),
    path("letters/wording/", views.list_wording_sets, name="wording"),
    path("letters/wording/<int:pk>/", views.show_wording_set, name="wording_detail"),
    path("letters/wording/<int:pk>/publish/", views.publish_wording, name="publish_wording"),
    path("letters/<uuid:pk>/", views.download_letter, name="download"),
    path("letters/<uuid:pk>/status/", views.show_letter_status, name="status"),
    path("letters/<uuid:pk>/retry/", views.retry_letter, name="retry"),
]
