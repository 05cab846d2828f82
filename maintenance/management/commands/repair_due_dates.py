"""``manage.py repair_due_dates``: recalculate the deadlines whose stored dates differ."""

from maintenance.repairing import RepairCommand


class Command(RepairCommand):
    name = "repair_due_dates"
    help = (
        "Recalculate deadlines whose stored dates differ. Lists the rows unless --apply is given."
    )
