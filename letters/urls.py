from django.urls import path

from . import views

app_name = "letters"

urlpatterns = [
    path("letters/failed/", views.failed, name="failed"),
    path("letters/wording/", views.wording, name="wording"),
    path("letters/wording/<int:pk>/", views.wording_detail, name="wording_detail"),
    path("letters/wording/<int:pk>/publish/", views.publish_wording, name="publish_wording"),
    path("letters/<uuid:pk>/", views.download, name="download"),
    path("letters/<uuid:pk>/status/", views.status, name="status"),
    path("letters/<uuid:pk>/release/", views.release, name="release"),
]
