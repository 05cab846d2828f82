from django.urls import path

from . import views

app_name = "records"

urlpatterns = [
    path("records/outstanding/", views.show_outstanding, name="outstanding"),
    # the records of a case
    path("cases/<str:number>/records/", views.show_records, name="list"),
    path("cases/<str:number>/records/add/", views.add_document_to_case, name="add"),
    path("cases/<str:number>/records/take-in/", views.take_in_application, name="take_in"),
    path("cases/<str:number>/records/outstanding/", views.log_reminder, name="remind"),
    path("cases/<str:number>/records/complete/", views.complete_records, name="complete"),
    path("cases/<str:number>/records/reopen/", views.ask_for_records_again, name="reopen"),
    path("cases/<str:number>/records/dispatch/", views.send_case_file, name="dispatch"),
    path("cases/<str:number>/records/read/", views.read_record, name="read"),
    path(
        "cases/<str:number>/records/received/<int:received_id>/",
        views.move_received_document,
        name="move",
    ),
    # one document
    path("records/<int:document_id>/", views.show_document, name="document"),
    path("records/<int:document_id>/remove/", views.remove_document, name="remove"),
    path("records/<int:document_id>/mark/", views.mark_read, name="mark"),
    path("records/<int:document_id>/pages/<int:page>/", views.show_page, name="page"),
    path(
        "records/<int:document_id>/pages/<int:page>/text/", views.show_page_text, name="page_text"
    ),
    path("records/<int:document_id>/pages/<int:page>.png", views.serve_page_png, name="page_png"),
]
