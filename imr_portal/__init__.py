"""IMR Portal: settings, addresses, processes. Names every app; no app imports it."""

__version__ = "0.1.0"
