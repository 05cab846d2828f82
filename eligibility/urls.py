from django.urls import path

from .views import bulk, liability, screening, splitting, ur_decision

app_name = "eligibility"

urlpatterns = [
    path("queues/eligibility/clear/", bulk.accept_clear_cases, name="clear_cases"),
    path("cases/<str:number>/eligibility/", screening.decide_eligibility, name="eligibility"),
    path("cases/<str:number>/ur-decision/", ur_decision.read_ur_decision, name="ur_decision"),
    path(
        "cases/<str:number>/ur-decision/differences/",
        ur_decision.answer_differences,
        name="answer_differences",
    ),
    path(
        "cases/<str:number>/liability-resolved/",
        liability.resolve_liability,
        name="resolve_liability",
    ),
    path("cases/<str:number>/split/", splitting.split_case, name="split"),
    path("cases/<str:number>/merge-back/", splitting.merge_split_case, name="merge_back"),
    path("cases/<str:number>/screen-again/", screening.screen_again, name="screen_again"),
    path(
        "cases/<str:number>/items/<int:position>/citations/",
        screening.record_citations,
        name="administrator_citations",
    ),
]
