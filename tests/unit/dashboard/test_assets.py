"""Static files and templates: vendored files, the content security policy, CSRF tokens, styles."""

import hashlib
import re
from pathlib import Path

import pytest

from config.files import ROOT
from dashboard.pages.rules.editor import MODULES

STATIC = ROOT / "dashboard" / "static"
STYLE = STATIC / "style"
SHEETS = sorted(STYLE.glob("*.css"))
VENDOR = STATIC / "vendor"
TEMPLATES = ROOT / "dashboard" / "templates"

TEXTS = ("small", "normal", "large", "huge", "field")
SIZES = {
    "font-size": {"inherit", *(f"var(--text-{name})" for name in TEXTS)},
    "line-height": {"inherit", "var(--tight)", "var(--loose)"},
}
BACKGROUNDS = ("page", "surface", "sunken")
TEXTS_ON = {
    **dict.fromkeys(("text", "quiet", "link"), BACKGROUNDS),
    **{tone: (f"{tone}-back",) for tone in ("good", "fair", "poor", "bad", "none")},
    "on-main": ("main",),
}
"""The colours of text, and their backgrounds."""

SPACES = {f"{size}rem" for size in (".125", ".25", ".375", ".5", ".75", "1", "1.5", "2", "2.5")}


def test_every_vendored_file_is_the_released_one() -> None:
    listed = {}
    for line in (VENDOR / "VERSIONS.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and re.fullmatch("[0-9a-f]{64}", cells[4]):
            listed[cells[0]] = cells[4]
    files = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VERSIONS.md"
    }
    assert files == listed
    assert files


def test_no_template_contains_what_the_content_security_policy_forbids() -> None:
    forbidden = re.compile(
        r"<style|\sstyle=|<script(?![^>]*\s(?:src|nonce)=)|\son[a-z]+=|javascript:|https?://"
        r"|hx-on|js:|hx-vals=.js", re.IGNORECASE,
    )  # fmt: skip
    for path in TEMPLATES.rglob("*.html"):
        match = forbidden.search(path.read_text())
        assert match is None, f"{path.name}: {match}"


def test_every_post_form_contains_the_csrf_token() -> None:
    form = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL)
    for path in TEMPLATES.rglob("*.html"):
        for markup in form.findall(path.read_text()):
            assert "csrf()" in markup or "csrf_token()" in markup, f"{path.name}: {markup[:80]}"


def test_what_selects_a_part_of_an_answer_for_itself_does_not_for_the_elements_inside_it() -> None:
    for path in TEMPLATES.rglob("*.html"):
        for tag in re.findall(r"<(?:div|form|section|ul)\b[^>]*?hx-select=[^>]*", path.read_text()):
            assert 'hx-disinherit="hx-select' in tag, f"{path.name}: {tag[:80]}"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_block_of_a_style_sheet_is_closed_before_the_next_section(sheet: Path) -> None:
    for section in sheet.read_text().split("\n/* ")[1:]:
        assert section.count("{") == section.count("}"), section.splitlines()[0]


def test_the_dark_scheme_changes_nothing_but_variables() -> None:
    style = "".join(sheet.read_text() for sheet in SHEETS)
    [block] = re.findall(
        r"@media screen and \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}\s*\}",
        style, re.DOTALL,
    )  # fmt: skip
    assert style.count("prefers-color-scheme") == 1
    declarations = [line.strip() for line in block.split(";") if line.strip()]
    assert declarations
    assert all(declaration.startswith("--") for declaration in declarations)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_charts_have_enough_contrast(scheme: str) -> None:
    colours = _colours(scheme)
    for text, backgrounds in TEXTS_ON.items():
        for background in backgrounds:
            contrast = _contrast(colours[text], colours[background])
            assert contrast >= 4.5, f"{text} on {background}: {contrast:.1f}"
    for fill in (name for name in colours if name.endswith("-fill")):
        contrast = _contrast(colours[fill], colours["surface"])
        assert contrast >= 3, f"{fill} on surface: {contrast:.1f}"


def test_placeholders_and_small_charts_have_colours_with_enough_contrast() -> None:
    style = "".join(sheet.read_text() for sheet in SHEETS)
    assert "::placeholder { color: var(--quiet); opacity: 1; }" in style
    fills = re.findall(
        r"^\.(?:chart|sparkline)[^{]*\{[^}]*\bfill: var\(--([a-z-]+)\)", style, re.MULTILINE
    )
    assert len(fills) > 8
    assert all(fill.endswith("-fill") or fill in ("quiet", "sunken") for fill in fills), fills


def _colours(scheme: str) -> dict[str, str]:
    """Return the colours of a scheme by name; the dark one has those of the light one, too."""
    light, dark = (STYLE / "base.css").read_text().split("prefers-color-scheme: dark", 1)
    blocks = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sizes_of_text_lines_and_space_come_from_the_scales(sheet: Path) -> None:
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    for name, value in re.findall(r"(?<=[\s{;])([a-z-]+): *([^;{}]+)[;}]", css):
        if name in ("font-size", "line-height"):
            assert value in SIZES[name], f"{name}: {value}"
        elif name == "font":
            assert value == "inherit"
        elif re.fullmatch(r"(margin|padding|(row-|column-)?gap)(-[a-z-]+)?", name):
            lengths = re.findall(r"(?<![\w.])-?(\d*\.?\d+r?em)\b", value)
            assert set(lengths) <= SPACES, f"{name}: {value}"


def test_the_sizes_of_text_are_12_14_20_and_28_pixels() -> None:
    css = (STYLE / "base.css").read_text()
    sizes = dict(re.findall(r"--text-(small|normal|large|huge): (\.?[\d.]+)rem;", css))
    pixels = {name: float(size) * 16 for name, size in sizes.items()}
    assert pixels == {"small": 12, "normal": 14, "large": 20, "huge": 28}


def test_every_module_of_the_editor_is_vendored_with_what_it_imports() -> None:
    for file in MODULES.values():
        text = (VENDOR / file).read_text()
        imported = re.findall(
            r"""^(?:import|export)\b[^;'"]*?from ['"]([^'"]+)['"]""", text, re.MULTILINE
        )
        assert set(imported) <= MODULES.keys(), file
