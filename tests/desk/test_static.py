"""What browsers load: small, ours or named in the lock, and nothing that the policy forbids."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

STATIC = Path(settings.BASE_DIR, "static")
PAGES = Path(settings.BASE_DIR, "templates")
TEMPLATES = sorted(PAGES.rglob("*.html"))
LOCK = json.loads((STATIC / "vendor/vendor.lock.json").read_text())
OWN_CSS, OWN_JS = 15 * 1024, 10 * 1024  # bytes, compressed


def _compressed(files):
    return len(gzip.compress(b"".join(path.read_bytes() for path in sorted(files)), 9))


def test_our_own_style_and_scripts_stay_small():
    assert _compressed((STATIC / "css").glob("*.css")) <= OWN_CSS
    assert _compressed((STATIC / "js").glob("*.js")) <= OWN_JS


def test_vendored_files_are_those_of_the_lock():
    named = {name: digest for entry in LOCK for name, digest in entry["files"].items()}
    found = {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in named}
    assert found == named
    assert all(entry["version"] and entry["license"] and entry["source"] for entry in LOCK)


def test_nothing_vendored_is_missing_from_the_lock():
    named = {name for entry in LOCK for name in entry["files"]}
    others = {
        str(path.relative_to(STATIC))
        for folder in ("vendor", "fonts", "img")
        for path in (STATIC / folder).iterdir()
        if path.suffix in {".js", ".woff2"} or path.name == "icons.svg"
    }
    assert others == named


def test_every_font_has_its_license_beside_it():
    for font in (STATIC / "fonts").glob("*.woff2"):
        family = font.name.partition("-latin")[0]
        assert "SIL OPEN FONT LICENSE" in (STATIC / f"fonts/OFL-{family}.txt").read_text()


def test_htmx_is_the_second():
    script = Path(finders.find("django_htmx/htmx-2.min.js")).read_text()
    assert re.search(r'version:"2\.0\.\d+"', script)


def test_the_sprite_holds_few_icons_and_every_one_that_a_page_asks_for():
    sprite = (STATIC / "img/icons.svg").read_text()
    icons = re.findall(r'<symbol id="([a-z0-9-]+)"', sprite)
    asked = {
        name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)"', path.read_text())
    }
    assert len(icons) <= 28
    assert asked <= set(icons)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PAGES)))
def test_a_page_has_nothing_that_the_content_policy_forbids(path):
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"<[^>]+\sstyle=", text), "inline style"
    assert not re.search(r"<[^>]+\son[a-z]+=", text), "inline handler"
    assert not re.search(r"\shx-(on|vars)\b|\bjs:", text), "evaluated attribute"
    assert "<style" not in text
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, script
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text), "another site"


def test_scripts_neither_evaluate_text_nor_ask_by_window():
    for path in (STATIC / "js").glob("*.js"):
        text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)
        assert not re.search(r"\beval\(|new Function|setAttribute\(\"style\"", text), path.name
        assert not re.search(r"window\.(confirm|alert|prompt)|\b(confirm|alert|prompt)\(", text)
