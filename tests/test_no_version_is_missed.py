"""The whole journey once, by services and pages: no tracked row changed without its version."""

from django.apps import apps
from django.db import models

from tests.every_row import our_models, tracked_models


def everything_stored():
    """Every row of every table of ours and of its versions, to compare before and after."""
    found = {}
    for model in apps.get_models():
        if model._meta.app_label in {own._meta.app_label for own in our_models()}:
            rows = model._base_manager.order_by("pk").values_list()
            found[model._meta.label] = [tuple(map(str, row)) for row in rows]
    return found


def rows_of(model: type[models.Model]):
    return model._base_manager.order_by("pk")


assert tracked_models
