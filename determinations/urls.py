from django.urls import path

from .views import issuing, my_reviews, quality, workspace

app_name = "determinations"

urlpatterns = [
    path("reviews/", my_reviews.my_reviews, name="my_reviews"),
    path("reviewers/<str:code>/record/", my_reviews.reviewer_record, name="reviewer_record"),
    # the reviewer's workspace
    path("reviews/<int:assignment_id>/", workspace.workspace, name="workspace"),
    path("reviews/<int:assignment_id>/draft/<str:part>/", workspace.draft, name="draft"),
    path("reviews/<int:assignment_id>/leave/<str:part>/", workspace.leave, name="leave"),
    path("reviews/<int:assignment_id>/checks/", workspace.checks_list, name="checks"),
    path("reviews/<int:assignment_id>/items/<int:item_id>/cite/", workspace.cite, name="cite"),
    path(
        "reviews/<int:assignment_id>/citations/<int:citation_id>/remove/",
        workspace.uncite,
        name="uncite",
    ),
    path("reviews/<int:assignment_id>/open/", workspace.open_review, name="open_review"),
    path(
        "reviews/<int:assignment_id>/preview.pdf", workspace.review_preview, name="review_preview"
    ),
    path("reviews/<int:assignment_id>/submit/", workspace.submit, name="submit"),
    # one case
    path("cases/<str:number>/quality/", quality.quality, name="quality"),
    path("cases/<str:number>/quality/return/", quality.return_for_changes, name="return"),
    path("cases/<str:number>/quality/approve/", quality.approve, name="approve"),
    path("cases/<str:number>/determination/", issuing.versions, name="versions"),
    path("cases/<str:number>/issue/", issuing.issue, name="issue"),
    path("cases/<str:number>/issue/preview.pdf", issuing.preview, name="preview"),
    path("cases/<str:number>/issue/back/", issuing.send_back, name="send_back"),
    path("cases/<str:number>/send/", issuing.send, name="send"),
]
