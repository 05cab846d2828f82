from django.urls import path

from . import views

app_name = "determinations"

urlpatterns = [
    # the reviewer's workspace
    path("reviews/<int:assignment_id>/", views.workspace, name="workspace"),
    path("reviews/<int:assignment_id>/draft/<str:part>/", views.draft, name="draft"),
    path("reviews/<int:assignment_id>/leave/<str:part>/", views.leave, name="leave"),
    path("reviews/<int:assignment_id>/checks/", views.checks_list, name="checks"),
    path("reviews/<int:assignment_id>/items/<int:item_id>/cite/", views.cite, name="cite"),
    path(
        "reviews/<int:assignment_id>/citations/<int:citation_id>/remove/",
        views.uncite,
        name="uncite",
    ),
    path("reviews/<int:assignment_id>/preview.pdf", views.review_preview, name="review_preview"),
    path("reviews/<int:assignment_id>/submit/", views.submit, name="submit"),
    # one case
    path("cases/<str:number>/quality/", views.quality, name="quality"),
    path("cases/<str:number>/quality/return/", views.return_for_changes, name="return"),
    path("cases/<str:number>/quality/approve/", views.approve, name="approve"),
    path("cases/<str:number>/determination/", views.versions, name="versions"),
    path("cases/<str:number>/issue/", views.issue, name="issue"),
    path("cases/<str:number>/issue/preview.pdf", views.preview, name="preview"),
    path("cases/<str:number>/issue/back/", views.send_back, name="send_back"),
    path("cases/<str:number>/send/", views.send, name="send"),
]
