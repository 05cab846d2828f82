import pytest


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    """Each test has a folder of its own for stored bytes."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }
