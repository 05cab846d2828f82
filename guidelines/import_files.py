"""Files of guidelines that are imported on the admin pages: how they are read and refused."""

from typing import Any

from import_export.formats.base_formats import CSV


class UnreadableFile(ValueError):
    """The file is not CSV as it is read here; the message says how to save it."""


_SAVE_AS = "In Excel, save it as “CSV UTF-8 (Comma delimited)” and import that file."


class CommaSeparatedFile(CSV):
    """A CSV file in UTF-8 with commas. Others are refused, because guessing could garble names."""

    # As bytes, because the text of a file in another encoding could not even be read.
    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **options: Any) -> Any:
        """Read the file.

        :raises UnreadableFile: it is in another encoding, or has another separator.
        """
        if in_stream.startswith(b"PK"):
            raise UnreadableFile(f"This is an Excel workbook. {_SAVE_AS}")
        try:
            text = in_stream.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"The encoding of this file is not UTF-8. {_SAVE_AS}") from error
        if "\0" in text:  # as in UTF-16 without its mark
            raise UnreadableFile(f"The encoding of this file is not UTF-8. {_SAVE_AS}")
        headings = text.partition("\n")[0]
        for separator, name in ((";", "semicolons"), ("\t", "tabs")):
            if separator in headings and "," not in headings:
                raise UnreadableFile(
                    f"The columns of this file are separated by {name}, not by commas. {_SAVE_AS}"
                )
        return super().create_dataset(text, **options)
