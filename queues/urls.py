from django.urls import path

from .views import bulk, claims, saved_views, undo

app_name = "queues"

urlpatterns = [
    path("work/next/", claims.claim_next_case, name="claim_next"),
    path("work/skipped/", claims.show_skipped_cases, name="skipped"),
    path("work/many/", bulk.run_bulk, name="act_on_many"),
    path("views/", saved_views.show_saved_views, name="saved_views"),
    path("views/<int:view_id>/rename/", saved_views.rename_view, name="rename_view"),
    path("views/<int:view_id>/share/", saved_views.share_view, name="share_view"),
    path("views/<int:view_id>/retire/", saved_views.retire_view, name="retire_view"),
    path("queues/<slug:slug>/save/", saved_views.save_view, name="save_view"),
    path("cases/<str:number>/undo/<int:act_id>/", undo.undo_act, name="undo"),
    path("cases/<str:number>/take/", claims.claim_case, name="claim"),
    path("cases/<str:number>/skip/", claims.skip_case, name="skip"),
    path("cases/<str:number>/give-back/", claims.release_case, name="release"),
]
