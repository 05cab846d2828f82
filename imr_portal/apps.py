from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Holds no rows; brings the system checks."""

    name = "imr_portal"
    verbose_name = "IMR Portal"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers them
