"""``manage.py repair_derived_fields``: store derived values again where they differ."""

from maintenance.repairing import RepairCommand


class Command(RepairCommand):
    name = "repair_derived_fields"
    help = "Store derived values again where they differ. Lists the rows unless --apply is given."
