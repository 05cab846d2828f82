from django.urls import path

from . import views, views_matching

app_name = "reviewers"

urlpatterns = [
    # one case
    path("cases/<str:number>/assign/", views.assign, name="assign"),
    path("cases/<str:number>/assign/settle/<int:result_id>/", views.settle, name="settle"),
    path(
        "cases/<str:number>/assign/take-back/<int:assignment_id>/",
        views.take_back,
        name="take_back",
    ),
    path("cases/<str:number>/assign/seats/", views.approve_seats, name="approve_seats"),
    path("cases/<str:number>/assign/one-seat/", views.end_seats, name="end_seats"),
    # a reviewer's own
    path("reviews/<int:assignment_id>/attest/", views.attest, name="attest"),
    path("reviews/<int:assignment_id>/decline/", views.decline, name="decline"),
    # the panel
    path("reviewers/worklist/", views.credentialing_worklist, name="worklist"),
    path("reviewers/reports/<int:report_id>/", views.settle_report, name="settle_report"),
    path("reviews/report/", views.report_change, name="report_change"),
    path("reviewers/conflict-limits/", views.limits, name="limits"),
    path("reviewers/plan/", views_matching.plan, name="plan"),
    path("reviewers/matching-rules/", views_matching.rules, name="rules"),
    path("reviewers/", views.roster, name="panel"),
    path("reviewers/new/", views.add_reviewer, name="add"),
    path("reviewers/<str:code>/", views.reviewer, name="reviewer"),
    path("reviewers/<str:code>/change/", views.change_reviewer, name="change"),
    path("reviewers/<str:code>/receives/", views_matching.receives, name="receives"),
    path("reviewers/<str:code>/status/", views.change_status, name="status"),
    path("reviewers/<str:code>/sign-in/", views.link_sign_in, name="sign_in"),
    path("reviewers/<str:code>/facts/<str:kind>/", views.add_fact, name="add_fact"),
    path(
        "reviewers/<str:code>/facts/<str:kind>/<int:fact_id>/correct/",
        views.correct_fact,
        name="correct_fact",
    ),
]
