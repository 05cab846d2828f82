from django.apps import AppConfig


class CorrespondenceConfig(AppConfig):
    name = "correspondence"
    verbose_name = "Correspondence"

    def ready(self) -> None:
        # Imported here, because this module is loaded before the apps are ready.
        from letters.facts import declare_facts
        from letters.kinds import LetterKind

        from .facts import NOTICE_FACTS
        from .kinds import SPECS

        declare_facts(LetterKind.ASSIGNMENT_NOTICE, NOTICE_FACTS)
        for kind, spec in SPECS.items():
            declare_facts(kind, spec.declared)
