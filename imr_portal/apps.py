from django.apps import AppConfig


class PortalConfig(AppConfig):
    """An app without models that registers the system checks."""

    name = "imr_portal"
    verbose_name = "IMR Portal"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers the checks
