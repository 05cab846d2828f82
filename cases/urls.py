from django.urls import path

from . import views

app_name = "cases"

urlpatterns = [
    path("intake/", views.my_intakes, name="my_intakes"),
    path("intake/new/", views.intake, name="intake"),
    path("intake/papers/<str:ticket>/", views.intake_paper, name="intake_paper"),
    # one case
    path("cases/<str:number>/eligibility/", views.eligibility, name="eligibility"),
    path("cases/<str:number>/screen-again/", views.screen_again, name="screen_again"),
    path(
        "cases/<str:number>/items/<int:position>/citations/",
        views.administrator_citations,
        name="administrator_citations",
    ),
    path("cases/<str:number>/notices/", views.notices, name="notices"),
    path("cases/<str:number>/notices/make/", views.make_notices, name="make_notices"),
    path("cases/<str:number>/notices/sent/", views.mark_notices_sent, name="mark_notices_sent"),
    path("cases/<str:number>/note/", views.note, name="note"),
    path("cases/<str:number>/withdraw/", views.withdraw, name="withdraw"),
    path("cases/<str:number>/terminate/", views.terminate, name="terminate"),
    path("cases/<str:number>/close/", views.close, name="close"),
]
