"""Stored files: hash, media type and check result. Other apps record where a file came from."""

from django.db import models


class StoredFile(models.Model):
    """A file as received, identified by its SHA-256. The same bytes are stored once."""

    class State(models.TextChoices):
        QUARANTINED = "QUARANTINED", "Not checked yet"
        CLEAN = "CLEAN", "Checked"
        REFUSED = "REFUSED", "Refused"

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=80)
    # Empty if the portal stored bytes of its own without a number of pages.
    pages = models.PositiveIntegerField(null=True)
    # Pages that cannot be shown, counted from 1: found when the file was received or first opened.
    unreadable_pages = models.JSONField(default=list)
    # The file is damaged, but the libraries could repair it: a part may be missing.
    is_repaired = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State, default=State.QUARANTINED)
    refusal = models.CharField(max_length=300, blank=True)
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stored_file_refused_says_why",
                condition=~models.Q(state="REFUSED") | ~models.Q(refusal=""),
            )
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def warning(self) -> str:
        """What a clerk has to know about a file that was accepted; empty if nothing."""
        pages = [str(page) for page in self.unreadable_pages]
        sentences = []
        if pages:
            shown = ", ".join(pages[:20]) + (" and others" if len(pages) > 20 else "")
            noun = "Page" if len(pages) == 1 else "Pages"
            sentences.append(f"{noun} {shown} cannot be shown. Ask the sender for them again.")
        if self.is_repaired:
            sentences.append(
                "The file is damaged and was repaired to be shown. Compare it with the original, "
                "or ask the sender for it again."
            )
        return " ".join(sentences)

    @property
    def path(self) -> str:
        """The path of the bytes in storage, derived from the hash alone."""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"
