from django.apps import AppConfig


class FormFieldsConfig(AppConfig):
    name = "form_fields"
    verbose_name = "Form fields"
