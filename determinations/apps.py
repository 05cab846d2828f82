from django.apps import AppConfig


class DeterminationsConfig(AppConfig):
    name = "determinations"
    verbose_name = "Determinations"

    def ready(self) -> None:
        from letters.facts import declare

        from .facts import DETERMINATION, DETERMINATION_FACTS

        declare(DETERMINATION, DETERMINATION_FACTS)
