from django.urls import path

from . import views

app_name = "accounts"

urlpatterns = [
    path("settings/", views.change_settings, name="settings"),
    path("my-sign-ins/", views.show_my_sign_ins, name="my_sign_ins"),
    path("sign-ins/", views.show_sign_ins, name="sign_ins"),
    path("changes/", views.show_account_changes, name="changes"),
    path("changes/reset/", views.ask_factor_reset, name="ask_factor_reset"),
    path("changes/<int:request_id>/", views.decide_change, name="decide_change"),
]
