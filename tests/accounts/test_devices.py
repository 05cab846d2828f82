"""The sign-ins name the browser and the system, and show what the browser sent."""

import pytest

from accounts.devices import describe_device

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{MAC} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0", "Edge on macOS"),
        (f"{MAC} Version/17.2 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
         "Firefox on Linux"),
        (f"{IPHONE} (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1",
         "Safari on iPhone"),
        (f"{IPHONE} (KHTML, like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
         "Chrome on iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/120.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/120.0.0.0",
         "Chrome on ChromeOS"),
        (f"{WINDOWS} OPR/106.0.0.0", "Opera on Windows"),
        ("Windows-Update-Agent", "Unknown browser on Windows"),
        ("curl/8.4.0", "Not a known browser"),
        ("<script>alert(1)</script>", "Not a known browser"),
        ("", "Not stated"),
    ],
)  # fmt: skip
def test_a_device_is_named_by_its_browser_and_system(agent, name):
    assert describe_device(agent) == name
