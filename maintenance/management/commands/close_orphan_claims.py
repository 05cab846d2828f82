"""``manage.py close_orphan_claims``: release claims of work on closed cases."""

from maintenance.repairing import RepairCommand


class Command(RepairCommand):
    name = "close_orphan_claims"
    help = "Release claims of work on closed cases. Lists the rows unless --apply is given."
