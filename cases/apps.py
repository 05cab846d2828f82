from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        from accounts.visibility import register_hidden_references

        from .models.restrictions import hidden_numbers

        register_hidden_references(hidden_numbers)
