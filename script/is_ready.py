"""Ask the web server on this machine whether it is ready; the exit code is the answer.

For the health check of a container, which has neither curl nor wget. Standard library only.
"""

import os
import sys
import urllib.error
import urllib.request


def choose_host(allowed: str) -> str:
    """A host name that the portal answers. ``.example.org`` allows the name and all below it."""
    first = allowed.split(",")[0].strip()
    if first in {"", "*"}:
        return "localhost"
    return first.lstrip(".")


def main() -> int:
    host = choose_host(os.environ.get("ALLOWED_HOSTS", ""))
    request = urllib.request.Request(  # noqa: S310 - this machine, plain HTTP
        f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz", headers={"Host": host}
    )
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310
            print(answer.read().decode())
            return 0
    except urllib.error.HTTPError as refusal:
        print(refusal.read().decode())
    except OSError as error:
        print(f"No answer: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
