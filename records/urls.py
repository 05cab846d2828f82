from django.urls import path

from . import views

app_name = "records"

urlpatterns = [
    path("records/outstanding/", views.chase, name="chase"),
    # the records of a case
    path("cases/<str:number>/records/", views.records, name="list"),
    path("cases/<str:number>/records/add/", views.add, name="add"),
    path("cases/<str:number>/records/take-in/", views.take_in, name="take_in"),
    path("cases/<str:number>/records/outstanding/", views.contact, name="contact"),
    path("cases/<str:number>/records/complete/", views.complete, name="complete"),
    path("cases/<str:number>/records/reopen/", views.reopen, name="reopen"),
    path("cases/<str:number>/records/dispatch/", views.dispatch, name="dispatch"),
    path("cases/<str:number>/records/read/", views.read, name="read"),
    # one document
    path("records/<int:document_id>/", views.document, name="document"),
    path("records/<int:document_id>/mark/", views.mark, name="mark"),
    path("records/<int:document_id>/pages/<int:page>/", views.page, name="page"),
    path("records/<int:document_id>/pages/<int:page>/text/", views.page_text, name="page_text"),
    path("records/<int:document_id>/pages/<int:page>.png", views.page_png, name="page_png"),
]
