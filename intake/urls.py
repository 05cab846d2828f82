from django.urls import path

from .views import application, batches, corrections, live, supervisor

app_name = "intake"

urlpatterns = [
    path("intake/", application.my_intakes, name="my_intakes"),
    path("intake/new/", application.intake, name="intake"),
    path("intake/papers/<str:ticket>/", application.intake_paper, name="intake_paper"),
    path("cases/<str:number>/correct/", corrections.correct, name="correct"),
    path("intake/check/", live.check, name="check_intake"),
    path("intake/look-up/", live.look_up, name="look_up"),
    path("intake/draft/", live.save_draft, name="save_draft"),
    path("intake/drafts/<uuid:draft>/cancel/", live.cancel_draft, name="cancel_draft"),
    path("intake/supervisor/", supervisor.supervisor, name="intake_supervisor"),
    path("intake/batches/", batches.batches, name="batches"),
    path("intake/batches/<int:batch>/", batches.batch, name="batch"),
    path("intake/next/", batches.next_scan, name="next_scan"),
    path("intake/scans/<int:scan>/", application.intake, name="enter_scan"),
    path("intake/scans/<int:scan>/claim/", batches.claim_scan, name="claim_scan"),
    path("intake/scans/<int:scan>/release/", batches.release_scan, name="release_scan"),
    path("intake/scans/<int:scan>/skip/", batches.skip_scan, name="skip_scan"),
    path("intake/scans/<int:scan>/return/", batches.return_scan, name="return_scan"),
]
