from django.urls import path

from . import views

app_name = "desk"

urlpatterns = [
    path("", views.show_my_day, name="my_day"),
    path("jump/", views.show_search, name="jump"),
    # a person or organization on cases
    path("parties/people/<int:person_id>/", views.show_person, name="person"),
    path(
        "parties/organizations/<int:organization_id>/",
        views.show_organization,
        name="organization",
    ),
    # notices to the reader
    path("notices/", views.show_notices, name="notices"),
    path("notices/read/", views.read_notices, name="read_notices"),
    path("notices/<int:notice_id>/open/", views.open_notice, name="open_notice"),
    # lists
    path("queues/counts/", views.show_side_counts, name="side_counts"),
    path("queues/<slug:slug>/", views.show_queue, name="queue"),
    path("queues/<slug:slug>/next/", views.show_next_case, name="work_next"),
    # the access log of all cases
    path("access-log/", views.show_all_accesses, name="accesses"),
    path("access-log/rows.csv", views.export_accesses, name="export_accesses"),
    # lists as files
    path("exports/", views.list_exports, name="exports"),
    path("exports/<int:export_id>/file.csv", views.download_export, name="download_export"),
    path("exports/<slug:name>/", views.export_list, name="export_list"),
    path("exports/<slug:name>/request/", views.request_export, name="request_export"),
    # one case
    path("cases/<str:number>/", views.show_case, name="case"),
    path("cases/<str:number>/peek/", views.show_peek, name="peek"),
    path("cases/<str:number>/timeline/", views.show_timeline, name="timeline"),
    path("cases/<str:number>/access-log/", views.show_access_log, name="access_log"),
    path("cases/<str:number>/explain/", views.show_explanation, name="explain"),
    path("cases/<str:number>/letters/", views.show_letters, name="letters"),
]
