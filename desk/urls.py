from django.urls import path

from . import views

app_name = "desk"

urlpatterns = [
    path("", views.my_day, name="my_day"),
    path("jump/", views.jump, name="jump"),
    # lists
    path("queues/counts/", views.side_counts, name="side_counts"),
    path("queues/<slug:slug>/", views.queue, name="queue"),
    path("queues/<slug:slug>/next/", views.work_next, name="work_next"),
    # one case
    path("cases/<str:number>/", views.case, name="case"),
    path("cases/<str:number>/peek/", views.peek, name="peek"),
    path("cases/<str:number>/timeline/", views.case_timeline, name="timeline"),
    path("cases/<str:number>/looks/", views.case_looks, name="looks"),
    path("cases/<str:number>/letters/", views.case_letters, name="letters"),
]
