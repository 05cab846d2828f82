"""``manage.py requeue_letter``: queue letters again that no worker took."""

from maintenance.repairing import RepairCommand


class Command(RepairCommand):
    name = "requeue_letter"
    help = "Queue letters again that no worker took. Lists the rows unless --apply is given."
