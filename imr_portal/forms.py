"""How forms are drawn: label, hint, input, then the error beside the field."""

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.template import loader


class PortalFormRenderer(DjangoTemplates):
    """Draws forms and fields with our templates; widgets stay those of Django and its admin."""

    form_template_name = "_form.html"
    field_template_name = "_field.html"

    def get_template(self, template_name: str) -> Any:
        if template_name in {self.form_template_name, self.field_template_name}:
            return loader.get_template(template_name)
        # The library's own engine, because the admin's widgets include Django's by name.
        return super().get_template(template_name)
