"""How forms are drawn: label, hint, input, then the error beside the field."""

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.template import loader


class PortalFormRenderer(DjangoTemplates):
    """Draws forms and fields with our templates; widgets stay Django's own."""

    form_template_name = "_form.html"
    field_template_name = "_field.html"

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("django/"):
            return super().get_template(template_name)
        return loader.get_template(template_name)
