from django.urls import path

from .views import case_letters, information, notices

app_name = "correspondence"

urlpatterns = [
    path("drafts/", case_letters.list_drafts, name="drafts"),
    path("letters-to-send/", case_letters.list_letters_to_send, name="to_send"),
    path("cases/<str:number>/information/", information.ask_for_information, name="information"),
    path(
        "cases/<str:number>/information/<int:request_id>/answer/",
        information.answer_information,
        name="answer_information",
    ),
    path("cases/<str:number>/notices/", notices.show_notices, name="notices"),
    path("cases/<str:number>/notices/make/", notices.make_notices, name="make_notices"),
    path("cases/<str:number>/notices/sent/", notices.mark_notices_sent, name="mark_notices_sent"),
    path("cases/<str:number>/letters/draft/", case_letters.draft_letter, name="draft_letter"),
    path("cases/<str:number>/letters/<int:letter_id>/", case_letters.show_letter, name="letter"),
    path(
        "cases/<str:number>/letters/<int:letter_id>/preview/",
        case_letters.preview_letter,
        name="preview_letter",
    ),
    path(
        "cases/<str:number>/letters/<int:letter_id>/approve/",
        case_letters.approve_letter,
        name="approve_letter",
    ),
    path(
        "cases/<str:number>/letters/<int:letter_id>/discard/",
        case_letters.discard_letter,
        name="discard_letter",
    ),
    path(
        "cases/<str:number>/letters/<int:letter_id>/sent/",
        case_letters.mark_letter_sent,
        name="mark_letter_sent",
    ),
    path(
        "cases/<str:number>/letters/<int:letter_id>/pages/<int:page>/",
        case_letters.show_preview_page,
        name="letter_page",
    ),
]
