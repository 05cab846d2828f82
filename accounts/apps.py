from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and access"

    def ready(self) -> None:
        from .sign_in_log import SecondFactorLog

        self.second_factor_log = SecondFactorLog()
