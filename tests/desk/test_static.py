"""What browsers load: small, ours or named in the lock, and nothing that the policy forbids."""

import gzip
import hashlib
import importlib.util
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from fontTools.ttLib import TTFont

from imr_portal.static_files import HashedStorage

STATIC = Path(settings.BASE_DIR, "static")
PAGES = Path(settings.BASE_DIR, "templates")
TEMPLATES = sorted(PAGES.rglob("*.html"))
LOCK = json.loads((STATIC / "vendor/vendor.lock.json").read_text())
spec = importlib.util.spec_from_file_location(
    "join_static", Path(settings.BASE_DIR, "script/join_static.py")
)
join_static = importlib.util.module_from_spec(spec)
spec.loader.exec_module(join_static)
STYLE_SHEETS = [name for names in join_static.STYLES.values() for name in names]
OWN_CSS, OWN_JS = 15 * 1024, 10 * 1024  # bytes, compressed


def test_our_own_style_and_scripts_stay_small():
    """As browsers load them: without comments."""
    css = join_static.join_style([*STYLE_SHEETS, "admin"])
    js = join_static.join_scripts(sorted(path.stem for path in (STATIC / "js").glob("*.js")))
    assert len(gzip.compress(css.encode(), 9)) <= OWN_CSS
    assert len(gzip.compress(js.encode(), 9)) <= OWN_JS


def test_the_joined_files_are_what_the_script_builds_from_the_sources():
    built = join_static.build_texts()
    kept = {path.name: path.read_bytes() for path in (STATIC / "joined").iterdir()}
    pieces = {f"{face}-{part}.woff2" for face in join_static.FONTS for part in ("basic", "more")}
    assert set(kept) == set(built) | pieces
    differing = [name for name in built if kept[name] != built[name]]
    assert not differing, "Run script/join_static.py and commit what it writes."


@pytest.mark.long
def test_the_pieces_of_the_fonts_are_what_the_script_cuts_from_the_sources():
    cut = join_static.build_fonts()
    assert [
        name for name, font in cut.items() if (STATIC / "joined" / name).read_bytes() != font
    ] == []


def test_pages_load_joined_files_alone():
    """A file of its own costs a request; Django's and allauth's own pages are not ours to join."""
    loaded = {
        name
        for path in TEMPLATES
        for name in re.findall(r"{% static '([^']+\.(?:css|js|woff2))' %}", path.read_text())
    }
    others = {name for name in loaded if not name.startswith("joined/")}
    assert others == {"mfa/js/recovery_codes.js", "account/js/onload.js"}
    assert all((STATIC / name).is_file() for name in loaded - others)
    css = {name for name in loaded if name.endswith(".css")}
    assert css - others == {f"joined/{name}" for name in join_static.STYLES}
    assert loaded >= {f"joined/{name}" for name in join_static.SCRIPTS}


@pytest.mark.parametrize("face", join_static.FONTS)
def test_the_two_pieces_of_a_font_hold_every_character_of_it(face):
    """And the style sheet asks each piece for exactly the characters that it holds."""
    whole = TTFont(STATIC / f"fonts/{join_static.FONTS[face]}.woff2")
    sheet = (STATIC / "joined/portal.css").read_text()
    found = set()
    for part in ("basic", "more"):
        piece = TTFont(STATIC / f"joined/{face}-{part}.woff2")
        rule = sheet.partition(f'"{face}-{part}.woff2"')[2].partition("}")[0]
        asked = join_static.list_codepoints(re.search(r"unicode-range: ([^;]+);", rule)[1])
        has = set(piece.getBestCmap())
        assert has == asked  # a range with more would load the piece for nothing
        assert not found & asked
        found |= has
    assert found == {code for code in whole.getBestCmap() if code >= 0x20}  # no control codes


def test_no_page_asks_for_a_weight_that_the_fonts_lack():
    sheet = (STATIC / "joined/portal.css").read_text() + (
        STATIC / "joined/workspace.css"
    ).read_text()
    sheet = re.sub(r"@font-face {.*?}", "", sheet, flags=re.DOTALL)
    asked = {int(weight) for weight in re.findall(r"font(?:-weight)?: ([1-9]00)\b", sheet)}
    least, most = join_static.WEIGHTS
    assert {400, 600} <= asked <= set(range(least, most + 1))


def test_files_are_named_by_their_hash_in_the_demonstration_too(settings, tmp_path):
    settings.DEBUG = True
    storage = HashedStorage(location=tmp_path)
    storage.save("one.css", ContentFile("a { color: red }"))
    list(storage.post_process({"one.css": (storage, "one.css")}))
    assert re.fullmatch(r"/static/one\.[0-9a-f]{12}\.css", storage.url("one.css"))


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


def test_the_sprite_has_few_icons_and_every_one_that_pages_use():
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
