from django.urls import path

from .views import application, batches, corrections, live, supervisor

app_name = "intake"

urlpatterns = [
    path("intake/", application.list_my_intakes, name="my_intakes"),
    path("intake/new/", application.enter_application, name="intake"),
    path("intake/papers/<str:ticket>/", application.show_scan_page, name="intake_paper"),
    path("cases/<str:number>/correct/", corrections.correct_intake, name="correct"),
    path("intake/check/", live.check_intake_form, name="check_intake"),
    path("intake/look-up/", live.look_up_parties, name="look_up"),
    path("intake/diagnoses/", live.look_up_diagnoses, name="look_up_diagnoses"),
    path("intake/diagnoses/read/", live.read_typed_diagnoses, name="read_diagnoses"),
    path("intake/draft/", live.save_draft, name="save_draft"),
    path("intake/drafts/<uuid:draft>/cancel/", live.cancel_draft, name="cancel_draft"),
    path("intake/supervisor/", supervisor.show_intake_desk, name="intake_supervisor"),
    path("intake/batches/", batches.list_batches, name="batches"),
    path("intake/batches/<int:batch>/", batches.show_batch, name="batch"),
    path("intake/batches/<int:batch>/slips/", batches.print_rescan_slips, name="rescan_slips"),
    path("intake/next/", batches.open_next_scan, name="next_scan"),
    path("intake/scans/<int:scan>/", application.enter_application, name="enter_scan"),
    path("intake/scans/<int:scan>/claim/", batches.claim_scan, name="claim_scan"),
    path("intake/scans/<int:scan>/release/", batches.release_scan, name="release_scan"),
    path("intake/scans/<int:scan>/skip/", batches.skip_scan, name="skip_scan"),
    path("intake/scans/<int:scan>/rescanned/", batches.mark_rescanned, name="mark_rescanned"),
    path("intake/scans/<int:scan>/return/", batches.return_scan, name="return_scan"),
]
