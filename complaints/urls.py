from django.urls import path

from . import views

app_name = "complaints"

urlpatterns = [
    path("complaints/", views.list_complaints, name="list"),
    path("complaints/record/", views.record_complaint, name="record"),
    path("complaints/<int:complaint_id>/", views.show_complaint, name="complaint"),
    path("complaints/<int:complaint_id>/change/", views.change_complaint, name="change"),
    path("complaints/<int:complaint_id>/answer/", views.answer_complaint, name="answer"),
    path("complaints/<int:complaint_id>/actions/", views.add_action, name="add_action"),
    path(
        "complaints/<int:complaint_id>/actions/<int:action_id>/done/",
        views.complete_action,
        name="complete_action",
    ),
]
