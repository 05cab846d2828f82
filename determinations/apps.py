from django.apps import AppConfig


class DeterminationsConfig(AppConfig):
    name = "determinations"
    verbose_name = "Determinations"

    def ready(self) -> None:
        # Imported here, because this module is loaded before the apps are ready.
        from letters.facts import declare_facts
        from letters.kinds import LetterKind

        from .facts import DETERMINATION_FACTS

        declare_facts(LetterKind.DETERMINATION, DETERMINATION_FACTS)
