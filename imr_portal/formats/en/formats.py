"""Date formats of the admin site, the same as on the other pages: ``Nov 29, 2026, 2:05 PM``."""

DATE_FORMAT = "M j, Y"
TIME_FORMAT = "g:i A"
DATETIME_FORMAT = "M j, Y, g:i A"
# The first is how the admin site fills its fields.
DATE_INPUT_FORMATS = ["%m/%d/%Y", "%Y-%m-%d"]
