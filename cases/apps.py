from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        from letters.facts import declare

        from .facts import ASSIGNMENT_NOTICE, NOTICE_FACTS

        declare(ASSIGNMENT_NOTICE, NOTICE_FACTS)
