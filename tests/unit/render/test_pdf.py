"""A sheet on paper: whole, torn at the right places, and made without asking anybody for anything."""

from __future__ import annotations

import base64
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from grader.cli.main import cli
from grader.errors import UsageError
from grader.model.result import Evidence
from grader.model.sheet import Audience, ScoreSheet
from grader.render.files import export_pdf, export_sheet
from grader.render.pdf import from_page
from tests.factories import make_check_line, make_checks, make_rejected_sheet, make_sheet
from tests.pango import ensure_pango

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ACCENT = b"0.113725 0.360784 0.521569 rg"
"""Colour of the bars, as a PDF says it."""


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    ensure_pango()


@pytest.fixture(scope="module")
def sheet() -> ScoreSheet:
    """Two groups of checks, one with a picture; each with so much evidence that pages want to end within them."""
    more = tuple(Evidence(label=f"fact {number}", value=f"{number} of 9") for number in range(1, 10))
    checks = [check for check in make_checks(plots=True) if check.group in "AB"]
    return make_sheet(checks=tuple(each.model_copy(update={"evidence": each.evidence + more}) for each in checks))


@pytest.fixture(scope="module")
def printed(sheet: ScoreSheet) -> PdfReader:
    """What a recruiter prints."""
    return PdfReader(io.BytesIO(export_pdf(sheet)))


@pytest.fixture(scope="module")
def pages(printed: PdfReader) -> list[str]:
    """The text of each page."""
    return texts(printed)


def texts(reader: PdfReader) -> list[str]:
    """The text of each page, without line ends."""
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def page_of(pages: Sequence[str], text: str) -> int:
    return next(number for number, page in enumerate(pages) if text in page)


def test_pages_are_numbered_and_say_whose_they_are(printed: PdfReader, pages: list[str]) -> None:
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
        assert "Ada Lindqvist" in page
    assert printed.metadata is not None
    assert "Ada Lindqvist" in str(printed.metadata.title)


def test_no_check_is_torn_apart(sheet: ScoreSheet, pages: list[str]) -> None:
    start = page_of(pages, "Checks and evidence")
    # Questions name checks as well, and stand above.
    pages = [pages[start].partition("Checks and evidence")[2], *pages[start + 1 :]]
    assert len(pages) > 2
    for check in sheet.checks:
        page = pages[page_of(pages, f"{check.id} {check.title}")]
        assert " ".join(check.because.split()) in page
        own = page.partition(f"{check.id} {check.title}")[2]
        assert all(f"{fact.label} {fact.value}" in own for fact in check.evidence)
        assert all(plot.caption in page for plot in check.plots)


def test_bars_have_their_colours(printed: PdfReader) -> None:
    content = printed.pages[0].get_contents()
    assert content is not None
    assert ACCENT in content.get_data()


def test_long_words_are_broken_without_a_try_at_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's answer of 800 letters took 8 s, one of 400 took 2; it may have 2048, and a check shows forty."""
    tried: list[object] = []

    def split(*arguments: object, **more: object) -> object:
        tried.append(arguments)
        return text_of_weasyprint(*arguments, **more)

    from weasyprint.layout import preferred

    text_of_weasyprint = preferred.split_first_line
    monkeypatch.setattr(preferred, "split_first_line", split)

    def printed(letters: int) -> tuple[str, int]:
        tried.clear()
        evidence = (Evidence(label="answer", value="W" * letters),)
        page = export_pdf(make_sheet(checks=(make_check_line(plots=(), evidence=evidence),)))
        return "\n".join(each.extract_text() for each in PdfReader(io.BytesIO(page)).pages), len(tried)

    (short, few), (long, many) = printed(20), printed(400)
    assert many - few < 100  # one for each line, and not for each letter
    assert long.count("W") - short.count("W") == 380
    assert 20 < max(len(line) for line in long.splitlines() if "WW" in line) < 60


def test_candidates_see_what_is_theirs(sheet: ScoreSheet, pages: list[str]) -> None:
    small = sheet.model_copy(update={"checks": tuple(check for check in sheet.checks if check.id == "B3")})
    shown = " ".join(texts(PdfReader(io.BytesIO(export_pdf(small, Audience.CANDIDATE)))))
    assert "0 of 927" in " ".join(pages)
    assert "0 of 927" not in shown
    assert "Thank you for the work" in shown


def test_equal_pages_give_equal_bytes() -> None:
    assert from_page("<title>a</title><p>b") == from_page("<title>a</title><p>b") != from_page("<title>a</title><p>c")


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server, and what it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_nothing_is_fetched(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = asked
    (tmp_path / "pixel.png").write_bytes(PIXEL)
    data = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    places = (f"{address}/image.png", (tmp_path / "pixel.png").as_uri(), str(tmp_path / "pixel.png"))
    links = f'<link rel="stylesheet" href="{address}/a.css"><link rel="attachment" href="{places[1]}">'
    style = f"<style>@import url({address}/b.css); @font-face {{ font-family: x; src: url({address}/c.woff) }}</style>"

    def images(*sources: str) -> int:
        drawn = "".join(f'<img src="{each}"><svg><image href="{each}" width="9" height="9"/></svg>' for each in sources)
        page = f"<!doctype html>{links}{style}<p style='font-family: x; background: url({sources[0]})'>text{drawn}"
        reader = PdfReader(io.BytesIO(from_page(page)))
        assert not reader.attachments
        return len(reader.pages[0].images)

    assert images(*places) == 0
    assert images(data) > 0
    assert paths == []


class Broken(MetaPathFinder):
    """An installation without Pango."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "weasyprint":
            sys.stdout.write("advice of its own")
            raise OSError("cannot load library 'libpango-1.0-0': libpango-1.0-0: No such file.  Additionally, more")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)  # as if it were not installed
    with pytest.raises(UsageError, match="needs the package weasyprint") as caught:
        from_page("<p>")
    assert "grader[pdf]" in caught.value.hint
    monkeypatch.delitem(sys.modules, "weasyprint")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(UsageError, match="library that is not installed: cannot load library 'libpango") as caught:
        from_page("<p>")
    assert "apt-get install libpango-1.0-0" in caught.value.hint
    assert capsys.readouterr().out == ""


def test_the_command_writes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "sheet.json").write_text(export_sheet(make_rejected_sheet(), "json"))
    words = ["sheet", "export", str(tmp_path / "sheet.json"), "--format", "pdf", "--output", str(tmp_path / "a.pdf")]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert len(PdfReader(tmp_path / "a.pdf").pages) >= 1
    again = CliRunner().invoke(cli, words).exception
    assert isinstance(again, UsageError)
    assert "already exists" in again.message
    (tmp_path / "sheet.json").write_text("{}")
    assert isinstance(CliRunner().invoke(cli, words).exception, UsageError)
