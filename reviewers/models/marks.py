"""Marks of change, by which what a process keeps is known to be current."""

from django.db import models


class ChangeMark(models.Model):
    """A value that database triggers replace with every change of the rows of a subject.

    A subject has one row, and more after changes at the same time: a trigger takes a row that no
    other transaction has locked, so that writers never wait for each other.
    """

    subject = models.CharField(max_length=20)
    token = models.CharField(max_length=40)  # random, so that no two states ever have the same

    def __str__(self) -> str:
        return f"{self.subject}: {self.token}"
