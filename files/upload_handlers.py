"""Upload handler of the forms: a full disk loses the file and not the text beside it.

Django reads the fields of a form in the order in which they were sent. If writing a file fails,
this handler skips the file and continues, so that the typed text can be shown again.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

_MARK = "lost_upload"


def has_lost_upload(request: HttpRequest) -> bool:
    """Whether a file of the form was lost because the disk is full."""
    return bool(getattr(request, _MARK, False))


class DiskHandler(TemporaryFileUploadHandler):
    """Writes large files to the folder of incoming files."""

    def new_file(self, *args: Any, **options: Any) -> None:
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
        try:
            super().new_file(*args, **options)
        except OSError:
            self._give_up()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        try:
            self.file.write(raw_data)
        except OSError:
            self._close()
            self._give_up()
        return None

    def file_complete(self, file_size: int) -> Any:
        try:
            # A file object keeps the last part in memory until it is flushed.
            self.file.flush()
        except OSError:
            self._close()
            setattr(self.request, _MARK, True)
            return None
        return super().file_complete(file_size)

    def _close(self) -> None:
        # Closing writes what is left in memory and fails again; the file is removed all the same.
        with suppress(OSError):
            self.file.close()
        del self.file  # Django would close it once more

    def _give_up(self) -> None:
        setattr(self.request, _MARK, True)
        raise SkipFile
