"""``manage.py migrate`` without the checks of pages.

Those load every view and form, which took a quarter of the time of migrating an empty database.
``manage.py check`` runs them, and the web container does so before it starts.
"""

from django.core.checks import Tags
from django.core.management.commands.migrate import Command as MigrateCommand


class Command(MigrateCommand):
    requires_system_checks = [Tags.models, Tags.database, Tags.files, Tags.security]
