"""The storage of static files: named by their hash, compressed once, kept by browsers for good."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; also in the demonstration, where ``DEBUG`` is set.

    Django gives files their plain names under ``DEBUG``. Browsers would then ask for each file
    again on each page.
    """

    def url(self, name: str | None, force: bool = False) -> str:
        return super().url(name, force=True)

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Return a compressor that writes gzip alone, whether or not Brotli is installed."""
        return super().create_compressor(**kwargs, use_brotli=False)
