"""The name of a device, from what its browser says it is. Pure."""

# In this order: the later words are in the names of the earlier browsers too.
_BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("Version/", "Safari"),
]
_SYSTEMS = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
]


def describe_device(agent: str) -> str:
    """Return “Chrome on Windows” for what a browser sends as ``User-Agent``.

    A browser may send anything, so the name only helps to read a list. What it sent is shown too.
    """
    if not agent:
        return "Not stated"
    browser = _find_name(agent, _BROWSERS)
    system = _find_name(agent, _SYSTEMS)
    if browser and system:
        return f"{browser} on {system}"
    # The system may be cut off, or be one that few people use.
    if browser or system:
        return browser or f"Unknown browser on {system}"
    return "Not a known browser"


def _find_name(agent: str, names: list[tuple[str, str]]) -> str:
    return next((name for word, name in names if word in agent), "")
