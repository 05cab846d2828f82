"""Build ``static/joined``: one file for each kind of page, and fonts in two pieces.

Run it after a change in ``static/css``, ``static/js``, ``static/vendor`` or ``static/fonts`` and
commit what it writes; a test compares. ``script/join_static.py --check`` writes nothing and names
the files that differ. It needs the packages of requirements-dev.txt.
"""

import io
import re
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
JOINED = STATIC / "joined"

# Every page loads the two files of the portal; the others are for one kind of page each. The admin
# site has its own style sheet, and takes colors and fonts from us.
STYLES = {
    "portal.css": ["tokens", "app", "print"],
    "admin.css": ["tokens", "admin"],
    "workspace.css": ["workspace"],
}
SCRIPTS = {
    "portal.js": ["focus", "confirm", "once", "poll", "keys", "palette", "session", "dates"],
    "workspace.js": ["autosave", "splitter", "opened"],
    "intake.js": ["items", "intake", "scan", "autosave"],
    "eligibility.js": ["scan", "screening"],
    "correct.js": ["items"],
}
FONTS = {
    "sans": "public-sans-latin-wght-normal",
    "serif": "source-serif-4-latin-wght-normal",
    "mono": "atkinson-hyperlegible-mono-latin-wght-normal",
}
# As tokens.css names them.
FAMILIES = {
    "sans": "Public Sans Variable",
    "serif": "Source Serif 4 Variable",
    "mono": "Atkinson Hyperlegible Mono Variable",
}
# Written as in CSS. English pages need this piece alone.
BASIC = "U+20-7E, U+A0, U+A7, U+B7, U+D7, U+2013-2014, U+2018-2019, U+201C-201D, U+2026"
WEIGHTS = (400, 700)  # what the style sheets use


def join_style(names: list[str]) -> str:
    """Return style sheets as one, without comments; that of printing applies to print alone."""
    parts = []
    for name in names:
        text = (STATIC / f"css/{name}.css").read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        text = "\n".join(line for line in map(str.strip, text.splitlines()) if line)
        parts.append(f"@media print {{\n{text}\n}}" if name == "print" else text)
    return "\n".join(parts) + "\n"


def join_scripts(names: list[str]) -> str:
    """Return modules as one strict script, each in a function of its own, without comments."""
    parts = []
    for name in names:
        text = (STATIC / f"js/{name}.js").read_text()
        if re.search(r"^\s*(import|export)\b", text, flags=re.MULTILINE):
            raise SystemExit(f"js/{name}.js imports or exports, which a joined script cannot.")
        text = re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)
        parts.append(f"(() => {{\n{text.strip()}\n}})();")
    return '"use strict";\n' + "\n".join(parts) + "\n"


def join_libraries() -> str:
    """Return htmx and idiomorph as one script. It is not strict, because theirs are not."""
    django_htmx = find_spec("django_htmx")
    if not django_htmx or not django_htmx.origin:
        raise SystemExit("The package django-htmx is missing. Install requirements.txt.")
    htmx = Path(django_htmx.origin).with_name("static") / "django_htmx/htmx-2.min.js"
    files = [htmx, STATIC / "vendor/idiomorph-ext.min.js"]
    return "".join(f"{path.read_text().strip()}\n" for path in files)


def list_codepoints(ranges: str) -> set[int]:
    """Return the code points of a ``unicode-range`` of CSS."""
    found: set[int] = set()
    for part in ranges.split(","):
        first, _, last = part.strip().removeprefix("U+").partition("-")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def write_ranges(codes: set[int]) -> str:
    """Return code points as a ``unicode-range`` of CSS."""
    ordered = sorted(codes)
    starts = [code for code in ordered if code - 1 not in codes]
    ends = [code for code in ordered if code + 1 not in codes]
    return ", ".join(
        f"U+{first:X}" if first == last else f"U+{first:X}-{last:X}"
        for first, last in zip(starts, ends, strict=True)
    )


def split_characters(path: Path) -> dict[str, set[int]]:
    """Return the characters of a font by the piece that holds them: basic, or more."""
    from fontTools.ttLib import TTFont

    drawn = {code for code in TTFont(path).getBestCmap() if code >= 0x20}  # no control codes
    basic = drawn & list_codepoints(BASIC)
    return {"basic": basic, "more": drawn - basic}


def write_faces() -> str:
    """Return the rules of the fonts.

    The second piece loads only where one of its characters is: the range names exactly those.
    ``optional``: text never moves because a font came late.
    """
    return "".join(
        f"@font-face {{\n"
        f'font-family: "{FAMILIES[face]}"; font-weight: {WEIGHTS[0]} {WEIGHTS[1]};\n'
        f"font-display: optional;\n"
        f'src: url("{face}-{part}.woff2") format("woff2");\n'
        f"unicode-range: {write_ranges(codes)};\n}}\n"
        for face, name in FONTS.items()
        for part, codes in split_characters(STATIC / f"fonts/{name}.woff2").items()
    )


def cut_font(path: Path, codes: set[int]) -> bytes:
    """Return the part of a font that draws some characters, as WOFF2.

    Weights that no page uses are left out. The pieces do not carry the name “Source”, which the
    license of Source Serif reserves for the unchanged font.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(path, recalcTimestamp=False)
    instancer.instantiateVariableFont(font, {"wght": WEIGHTS}, inplace=True)
    for record in font["name"].names:
        if record.nameID in {1, 3, 4, 6, 16, 25}:
            record.string = str(record).replace("Source", "Portal")
    # Written and read once more: instancing leaves out glyphs that do not vary, which the subsetter
    # looks up.
    font.flavor, whole = None, io.BytesIO()
    font.save(whole)
    font = TTFont(whole, recalcTimestamp=False)
    options = subset.Options(layout_features=["*"], name_IDs=["*"], notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff2"
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def build_texts() -> dict[str, bytes]:
    """Return the joined style sheets and scripts by their names."""
    texts = {name: join_style(parts) for name, parts in STYLES.items()}
    texts |= {name: join_scripts(parts) for name, parts in SCRIPTS.items()}
    for name in ("portal.css", "admin.css"):
        texts[name] = write_faces() + texts[name]
    texts["portal.js"] = join_libraries() + f"(() => {{\n{texts['portal.js']}}})();\n"
    return {name: text.encode() for name, text in texts.items()}


def build_fonts() -> dict[str, bytes]:
    """Return the pieces of the fonts by their names."""
    pieces = {}
    for face, name in FONTS.items():
        path = STATIC / f"fonts/{name}.woff2"
        for part, codes in split_characters(path).items():
            pieces[f"{face}-{part}.woff2"] = cut_font(path, codes)
    return pieces


def main() -> int:
    files = build_texts() | build_fonts()
    have = {path.name: path.read_bytes() for path in JOINED.iterdir()} if JOINED.exists() else {}
    differing = sorted(name for name in files | have if files.get(name) != have.get(name))
    if "--check" in sys.argv[1:]:
        for name in differing:
            print(f"static/joined/{name} differs. Run script/join_static.py and commit.")
        return int(bool(differing))
    JOINED.mkdir(exist_ok=True)
    for name in differing:
        if name in files:
            (JOINED / name).write_bytes(files[name])
        else:
            (JOINED / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
