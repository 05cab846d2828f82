from django.apps import AppConfig


class CorrespondenceConfig(AppConfig):
    name = "correspondence"
    verbose_name = "Correspondence"

    def ready(self) -> None:
        from letters.facts import declare

        from .facts import ASSIGNMENT_NOTICE, CASE_LETTER_FACTS, NOTICE_FACTS

        declare(ASSIGNMENT_NOTICE, NOTICE_FACTS)
        for kind, names in CASE_LETTER_FACTS.items():
            declare(kind, names)
