from django.urls import path

from .views import assignment_audit, choosing, files, matching, own, panel, planning, wordings

app_name = "reviewers"

urlpatterns = [
    # one case
    path("cases/<str:number>/assign/", choosing.choose_reviewer, name="assign"),
    path("cases/<str:number>/assign/rank/", choosing.rank_reviewers, name="rank"),
    path(
        "cases/<str:number>/assign/resolve/<int:result_id>/",
        choosing.answer_conflict,
        name="resolve",
    ),
    path(
        "cases/<str:number>/assign/remove/<int:assignment_id>/",
        choosing.remove_reviewer,
        name="remove_reviewer",
    ),
    path("cases/<str:number>/assign/seats/", choosing.approve_seats, name="approve_seats"),
    path("cases/<str:number>/assign/one-seat/", choosing.end_seat_approval, name="end_seats"),
    # pages of a reviewer
    path("reviews/<int:assignment_id>/attest/", own.attest_independence, name="attest"),
    path("reviews/<int:assignment_id>/decline/", own.decline_case, name="decline"),
    # the panel
    path("reviewers/worklist/", panel.show_worklist, name="worklist"),
    path("reviewers/reports/<int:report_id>/", panel.answer_report, name="resolve_report"),
    path("reviews/report/", own.report_change, name="report_change"),
    path("reviewers/conflict-limits/", panel.edit_conflict_limits, name="limits"),
    path("reviewers/batch-assignment/", planning.batch_assign, name="plan"),
    path("reviewers/matching-rules/", matching.edit_matching_rules, name="rules"),
    path("reviewers/attestation/", wordings.edit_attestation_wording, name="attestation"),
    path("reviewers/assignment-audit/", assignment_audit.show_bias_tests, name="payer_bias"),
    path(
        "reviewers/assignment-audit/<int:test_id>/",
        assignment_audit.show_bias_test,
        name="payer_bias_test",
    ),
    path("reviewers/", panel.show_roster, name="panel"),
    path("reviewers/new/", files.add_reviewer, name="add"),
    path("reviewers/<str:code>/", files.show_reviewer, name="reviewer"),
    path("reviewers/<str:code>/change/", files.change_reviewer, name="change"),
    path("reviewers/<str:code>/move/", planning.move_open_work, name="move"),
    path("reviewers/<str:code>/receives/", matching.edit_offer_limits, name="receives"),
    path("reviewers/<str:code>/status/", files.change_status, name="status"),
    path("reviewers/<str:code>/sign-in/", files.link_sign_in, name="sign_in"),
    path("reviewers/<str:code>/facts/<str:kind>/", files.add_fact, name="add_fact"),
    path(
        "reviewers/<str:code>/facts/<str:kind>/<int:fact_id>/correct/",
        files.correct_fact,
        name="correct_fact",
    ),
]
