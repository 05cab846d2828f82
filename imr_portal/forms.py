"""Render forms: label, hint, input, and the error beside the field."""

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.template import loader


class PortalFormRenderer(DjangoTemplates):
    """Renders forms and fields with our templates, and widgets with those of Django."""

    form_template_name = "_form.html"
    field_template_name = "_field.html"

    def get_template(self, template_name: str) -> Any:
        if template_name in {self.form_template_name, self.field_template_name}:
            return loader.get_template(template_name)
        # Use Django's own engine, because widgets of the admin site include Django's by name.
        return super().get_template(template_name)
