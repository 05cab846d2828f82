"""Append-only tables, and frozen columns of letters, wording sets and services."""

from django.db import migrations

from accounts.append_only import GuardTables
from letters.frozen import FreezeColumns


class Migration(migrations.Migration):
    dependencies = [("letters", "0001_initial")]

    operations = [
        GuardTables(
            [
                "letters_historicalservice",
                "letters_historicalwordingsentence",
                "letters_historicalwordingset",
                "letters_letterfact",
                "letters_letterstep",
                "letters_renderedpreview",
                "letters_serviceevent",
                "letters_wordingsentence",
            ]
        ),
        FreezeColumns(
            "letters_wordingset",
            ["id", "kind", "layout", "language", "number", "title", "is_sample", "content_sha256"],
        ),
        FreezeColumns(
            "letters_letter",
            [
                "id",
                "kind",
                "reference",
                "variant",
                "version",
                "layout",
                "language",
                "wording_set_id",
                "title",
                "dated_on",
                "facts",
                "words",
                "words_sha256",
                "file_name",
                "created_at",
                "created_by_id",
            ],
            final_when="OLD.\"state\" = 'FILED'",
        ),
        FreezeColumns(
            "letters_service",
            [
                "id",
                "letter_id",
                "recipient_id",
                "recipient_role",
                "recipient_name",
                "method",
                "address",
                "planned_on",
            ],
        ),
    ]
