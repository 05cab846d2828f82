from django.urls import path

from .views import (
    batches,
    claims,
    endings,
    intake,
    intake_answers,
    intake_office,
    item_changes,
    notices,
    organisations,
    parties,
    screening,
)

app_name = "cases"

urlpatterns = [
    path("intake/", intake.my_intakes, name="my_intakes"),
    path("intake/new/", intake.intake, name="intake"),
    path("intake/papers/<str:ticket>/", intake.intake_paper, name="intake_paper"),
    path("item-changes/", item_changes.item_changes, name="item_changes"),
    path("intake/check/", intake_answers.check, name="check_intake"),
    path("intake/look-up/", intake_answers.look_up, name="look_up"),
    path("intake/draft/", intake_answers.save_draft, name="save_draft"),
    path("intake/drafts/<uuid:draft>/cancel/", intake_answers.cancel_draft, name="cancel_draft"),
    path("dates/", intake_answers.say_date, name="say_date"),
    path("intake/supervisor/", intake_office.supervisor, name="intake_supervisor"),
    path("intake/batches/", batches.batches, name="batches"),
    path("intake/batches/<int:batch>/", batches.batch, name="batch"),
    path("intake/next/", batches.next_sheet, name="next_sheet"),
    path("intake/sheets/<int:sheet>/", intake.intake, name="enter_sheet"),
    path("intake/sheets/<int:sheet>/claim/", batches.claim_sheet, name="claim_sheet"),
    path("intake/sheets/<int:sheet>/lay-down/", batches.release_sheet, name="release_sheet"),
    path("intake/sheets/<int:sheet>/set-aside/", batches.park_sheet, name="park_sheet"),
    path("intake/sheets/<int:sheet>/put-back/", batches.unpark_sheet, name="unpark_sheet"),
    # organisations
    path("organisations/", organisations.organisations, name="organisations"),
    path("organisations/<int:pk>/", organisations.organisation, name="organisation"),
    path(
        "organisations/<int:pk>/<str:kind>/",
        organisations.add_organisation_fact,
        name="add_organisation_fact",
    ),
    path(
        "organisations/<int:pk>/<str:kind>/<int:fact_id>/withdraw/",
        organisations.withdraw_organisation_fact,
        name="withdraw_organisation_fact",
    ),
    # taking cases out of the lists
    path("work/next/", claims.claim_next, name="claim_next"),
    path("cases/<str:number>/take/", claims.claim, name="claim"),
    path("cases/<str:number>/give-back/", claims.release, name="release"),
    # one case
    path("cases/<str:number>/eligibility/", screening.eligibility, name="eligibility"),
    path("cases/<str:number>/screen-again/", screening.screen_again, name="screen_again"),
    path(
        "cases/<str:number>/items/<int:position>/citations/",
        screening.administrator_citations,
        name="administrator_citations",
    ),
    path("cases/<str:number>/notices/", notices.notices, name="notices"),
    path("cases/<str:number>/notices/make/", notices.make_notices, name="make_notices"),
    path("cases/<str:number>/notices/sent/", notices.mark_notices_sent, name="mark_notices_sent"),
    path("cases/<str:number>/items/add/", item_changes.propose_item, name="propose_item"),
    path(
        "cases/<str:number>/items/<int:position>/change/",
        item_changes.propose_item_change,
        name="propose_item_change",
    ),
    path(
        "cases/<str:number>/items/<int:position>/withdraw/",
        item_changes.propose_item_withdrawal,
        name="propose_item_withdrawal",
    ),
    path(
        "cases/<str:number>/item-changes/<int:change_id>/",
        item_changes.item_change,
        name="item_change",
    ),
    path("cases/<str:number>/parties/", parties.parties, name="parties"),
    path("cases/<str:number>/parties/add/", parties.add_party, name="add_party"),
    path(
        "cases/<str:number>/parties/<int:party_id>/change/",
        parties.change_party,
        name="change_party",
    ),
    path("cases/<str:number>/parties/<int:party_id>/end/", parties.end_party, name="end_party"),
    path("cases/<str:number>/note/", endings.note, name="note"),
    path(
        "cases/<str:number>/notes/<int:event_id>/correct/",
        endings.correct_note,
        name="correct_note",
    ),
    path("cases/<str:number>/withdraw/", endings.withdraw, name="withdraw"),
    path("cases/<str:number>/terminate/", endings.terminate, name="terminate"),
    path("cases/<str:number>/close/", endings.close, name="close"),
]
