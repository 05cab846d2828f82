from django.urls import path

from .views import issuing, my_reviews, quality, workspace

app_name = "determinations"

urlpatterns = [
    path("reviews/", my_reviews.show_my_reviews, name="my_reviews"),
    path("reviewers/<str:code>/record/", my_reviews.show_reviewer_record, name="reviewer_record"),
    # the reviewer's workspace
    path("reviews/<int:assignment_id>/", workspace.show_workspace, name="workspace"),
    path("reviews/<int:assignment_id>/draft/<str:part>/", workspace.autosave_part, name="draft"),
    path("reviews/<int:assignment_id>/leave/<str:part>/", workspace.leave_part, name="leave"),
    path("reviews/<int:assignment_id>/checks/", workspace.show_checks, name="checks"),
    path(
        "reviews/<int:assignment_id>/items/<int:item_id>/cite/", workspace.cite_source, name="cite"
    ),
    path(
        "reviews/<int:assignment_id>/citations/<int:citation_id>/remove/",
        workspace.uncite_source,
        name="uncite",
    ),
    path("reviews/<int:assignment_id>/open/", workspace.open_case_file, name="open_review"),
    path(
        "reviews/<int:assignment_id>/preview.pdf", workspace.preview_review, name="review_preview"
    ),
    path("reviews/<int:assignment_id>/submit/", workspace.sign_and_submit, name="submit"),
    # one case
    path("cases/<str:number>/quality/", quality.show_quality_review, name="quality"),
    path("cases/<str:number>/quality/return/", quality.return_for_changes, name="return"),
    path("cases/<str:number>/quality/approve/", quality.approve_case, name="approve"),
    path("cases/<str:number>/determination/", issuing.show_versions, name="versions"),
    path("cases/<str:number>/issue/", issuing.issue_case, name="issue"),
    path("cases/<str:number>/issue/preview.pdf", issuing.preview_case_letter, name="preview"),
    path("cases/<str:number>/issue/back/", issuing.return_to_quality, name="send_back"),
    path("cases/<str:number>/send/", issuing.send_determination, name="send"),
]
