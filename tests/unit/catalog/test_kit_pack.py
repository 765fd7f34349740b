"""tools/pack.py of a kit refuses what intake refuses, for the same reason, and packs what intake receives.

It is written without grader on purpose, since candidates have none; these tests hold the two together.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.catalog.kit_files import SKELETON
from grader.errors import SubmissionRejected
from grader.intake.limits import IntakeLimits
from grader.intake.manifest import read_manifest
from grader.intake.paths import LEFT_OUT
from grader.intake.receive import receive
from grader.model.exercise import CallablePart, CommandPart, NotebookKindPart, ServicePart
from tests.archives import Tree, write_folder, zipped

LIMITS = IntakeLimits()
COMMAND = CommandPart(kind="command", argv=("python", "clean.py"), entry="clean.py")
CALLABLE = CallablePart(kind="callable", entry="drift:DriftDetector")
SERVICE = ServicePart(kind="service", argv=("uvicorn", "app:app", "--port", "$PORT"), entry="app.py")
NOTEBOOK = NotebookKindPart(kind="notebook", path="summary.ipynb")
Part = CommandPart | CallablePart | ServicePart | NotebookKindPart
PROGRAM = {"clean.py": b"print(1)\n"}


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """pack.py, loaded as a candidate's Python loads it: with its own folder on the path."""
    folder = str(SKELETON / "tools")
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location("pack", SKELETON / "tools" / "pack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(folder)
    sys.modules.pop("program")


def kit_toml(part: Part, limits: IntakeLimits) -> bytes:
    started: dict[str, Any] = {"kind": part.kind}
    if isinstance(part, NotebookKindPart):
        started |= {"path": part.path}
    else:
        started |= {"entry": part.entry} if isinstance(part, CallablePart) else {"argv": list(part.argv)}
    pack = {"left_out": ["kit.toml", "raw", "README.md"], "made_by_tools": list(LEFT_OUT)}
    sections = {"submission": started, "pack": pack, "limits": asdict(limits)}
    lines = [
        [f"[{name}]", *(f"{key} = {json.dumps(each)}" for key, each in values.items())]
        for name, values in sections.items()
    ]
    return "\n".join(line for section in lines for line in section).encode()


Fate = str | dict[str, bytes]


def packed(tool: ModuleType, kit: Path) -> Fate:
    """Pack; gives the reason of a refusal, or what intake then receives."""
    try:
        list(tool.pack(kit))
    except tool.Refused as refusal:
        assert not (kit / "submission.zip").exists()
        return str(refusal.reason)
    return {file.path: file.content for file in receive(kit / "submission.zip").files}


def test_a_notebook_is_found_where_intake_finds_it(tool: ModuleType, tmp_path: Path) -> None:
    said = {"submission.toml": b'[notebook]\npath = "./decision.ipynb"\n'}
    files = PROGRAM | said | {"decision.ipynb": b"{}", "kit.toml": kit_toml(COMMAND, LIMITS)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    told = [str(each) for each in tool.pack(tmp_path)]
    assert told
    assert not any("decision.ipynb is not there" in each for each in told), told


def judged(folder: Path, part: Part, limits: IntakeLimits) -> Fate:
    """What intake makes of the same files, as a folder and as an archive that some other program made."""
    try:
        submission = receive(folder, limits)
        read_manifest(submission, part)
        archive = folder.with_name("other.zip")
        archive.write_bytes(zipped({file.path: file.content for file in submission.files}))
        receive(archive, limits)
    except SubmissionRejected as rejection:
        return rejection.reason.value
    return {file.path: file.content for file in submission.files}


def fates(
    tool: ModuleType,
    tree: Tree,
    part: Part = COMMAND,
    limits: IntakeLimits = LIMITS,
    then: Callable[[Path], object] = lambda _: None,
) -> tuple[Fate, Fate]:
    """Lay out one tree twice, do the same to both, and ask both."""
    with tempfile.TemporaryDirectory() as folder:
        kit = write_folder(Path(folder) / "kit", {**tree, "raw/a.bin": b"1", "README.md": b"kit"})
        mine = write_folder(Path(folder) / "mine", tree)
        for place in (kit, mine):
            then(place)
        (kit / "kit.toml").write_bytes(kit_toml(part, limits))
        return packed(tool, kit), judged(mine, part, limits)


NAMES = st.one_of(
    st.sampled_from(["clean.py", "lib", "Lib", "LIB", "a", "A", ".git", "venv", "x.pyc", ".hidden", "__pycache__"]),
    st.sampled_from(["a b", "a.", "a ", "b\\c", "c:", "C:x", "ﬁ", "fi", "é", "e\u0301", "\u200b", "tab\t", "-", "..."]),
    st.sampled_from(["n" * 100, "n" * 101, "submission.toml", "drift.py", "app.py", "conftest.py", "x.PY", "Clean.py"]),
    st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,6}[A-Za-z0-9_-]", fullmatch=True),
)


def _can_exist(paths: list[str]) -> bool:
    """A file system has no file and folder of one name."""
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.binary(max_size=40), min_size=1, max_size=6
).filter(lambda tree: _can_exist([*tree, "clean.py", "kit.toml", "raw", "README.md"]))


@settings(deadline=None, max_examples=150)
@given(tree=TREES, whole=st.booleans())
@example(tree={"deep/er/clean.py": b""}, whole=False)
def test_a_tree_is_packed_just_when_it_is_received(tool: ModuleType, tree: dict[str, bytes], whole: bool) -> None:
    mine, intakes = fates(tool, {**tree, **PROGRAM} if whole else tree)
    # which of several faults is named first may differ
    assert mine == intakes or (isinstance(mine, str) and isinstance(intakes, str))


@settings(deadline=None, max_examples=150)
@given(path=st.lists(NAMES, min_size=1, max_size=4).map("/".join).filter(lambda path: _can_exist([path, *PROGRAM])))
@example(path="/".join("abcdefghij"))
@example(path="/".join("abcdefghijk"))
def test_one_odd_path_is_refused_for_the_same_reason(tool: ModuleType, path: str) -> None:
    mine, intakes = fates(tool, {path: b"", **PROGRAM})
    assert mine == intakes


@pytest.mark.parametrize("part", [COMMAND, CALLABLE, SERVICE, NOTEBOOK], ids=lambda part: part.kind)
@pytest.mark.parametrize(
    "entry", ["clean.py", "drift.py", "app.py", "drift/__init__.py", "lib/app.py", "App.py", "summary.ipynb"]
)
def test_the_entry_must_be_there_for_every_kind(tool: ModuleType, part: Part, entry: str) -> None:
    mine, intakes = fates(tool, {entry: b"", "notes.md": b""}, part)
    assert mine == intakes


@pytest.mark.parametrize(
    ("limits", "tree", "reason"),
    [
        ({"files": 3}, {"1": b"", "2": b"", "3": b""}, "count"),
        ({"files": 4}, {"1": b"", "2": b"", "3": b""}, ""),
        ({"unpacked": 20}, {"big.bin": b"." * 12}, "too_large"),
        ({"archive": 500}, {"big.bin": os.urandom(600)}, "too_large"),
        ({"ratio_floor": 100_000}, {"zeros.bin": bytes(300_000)}, "bomb"),
        ({"ratio_floor": 300_100}, {"zeros.bin": bytes(300_000)}, ""),
        ({"depth": 3}, {"a/b/c/d.py": b""}, "name"),
        ({"depth": 4}, {"a/b/c/d.py": b""}, ""),
        ({"name": 9}, {"lib/0123456789": b""}, "name"),
        ({"seen": 4}, {"a/1": b"", "b/2": b""}, "count"),
    ],
)
def test_limits_are_intakes(tool: ModuleType, limits: Mapping[str, int], tree: Tree, reason: str) -> None:

    mine, intakes = fates(tool, {**tree, **PROGRAM}, limits=IntakeLimits(**limits))
    assert mine == intakes
    assert not reason or mine == reason


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (lambda folder: (folder / "link.py").symlink_to("clean.py"), "link"),
        (lambda folder: (folder / "away").symlink_to("/etc"), "link"),
        (lambda folder: (folder / "lost").symlink_to("nowhere"), "link"),
        (lambda folder: (folder / "venv").symlink_to("/usr"), ""),
        (lambda folder: os.mkfifo(folder / "pipe"), "special"),
        (lambda folder: [(folder / name).mkdir() for name in ("Data", "data")], "duplicate"),
        (lambda folder: [(folder / name).write_bytes(b"") for name in ("CLEAN.py",)], "duplicate"),
        (lambda folder: (folder / "x" / "y").mkdir(parents=True), ""),
        (lambda folder: Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).mkdir(), "name"),
    ],
)
def test_what_only_a_file_system_can_hold(tool: ModuleType, then: Callable[[Path], object], reason: str) -> None:
    mine, intakes = fates(tool, PROGRAM, then=then)
    assert mine == intakes
    assert mine == reason or (not reason and isinstance(mine, dict))


MANIFESTS = [
    b"", b"[command]\n", b'[command]\nargv = ["python", "clean.py"]\n', b'[command]\nargv = "python clean.py"\n',
    b"[command]\nargv = []\n", b'[command]\nargv = ["python", 3]\n', b'[command]\nargs = ["x"]\n', b"command = 1\n",
    b'[callable]\nentry = "drift:DriftDetector"\n', b'[callable]\nentry = "drift"\n', b"[callable]\n",
    b'[callable]\nentry = "lib.drift:Other"\n', b'[callable]\nentry = "drift.DriftDetector"\n',
    b'[service]\nargv = ["uvicorn", "app:app", "--port", "$PORT"]\n', b'[service]\nargv = ["python", "app.py"]\n',
    b'[service]\nargv = ["gunicorn", "lib.app:make()"]\n', b'[service]\nargv = ["python", "-m", "lib.app"]\n',
    b'[service]\nargv = ["nginx"]\n', b"[service]\nworkers = 2\n",
    b'[notebook]\npath = "decision.ipynb"\n', b'[notebook]\npath = "./summary.ipynb"\n',
    b"[notebook]\npath = 1\n", b"[notebook]\n", b"[declaration]\n",
    b'[declaration]\nai_use = "none"\n', b'[declaration]\nai_use = "' + b"x" * 2001 + b'"\n',
    b"[declaration]\nai = 1\n", b"\xef\xbb\xbf[command]\n",
    b'[declaration]\nai_use = """two\nlines"""\n', b'title = "mine"\n', b"[command\n", b"\xff\xfe",
    b"#" * 70_000, b"# " + b"." * 201, b"x = " + b"9" * 5000, b"a = " + b"[" * 3000 + b"]" * 3000,
    b'[command]\nargv = ["' + b"x" * 201 + b'"]\n', b"[command]\nargv = [" + b'"x",' * 21 + b"]\n",
    b'[command]\nargv = ["python\\u0007", "clean.py"]\n',
]  # fmt: skip


@pytest.mark.parametrize("part", [COMMAND, CALLABLE, SERVICE, NOTEBOOK], ids=lambda part: part.kind)
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_submission_toml_has_one_fate(tool: ModuleType, manifest: bytes, part: Part) -> None:
    programs = dict.fromkeys(("clean.py", "drift.py", "app.py", "lib/app.py", "summary.ipynb"), b"")
    tree = {**programs, "submission.toml": manifest}
    mine, intakes = fates(tool, tree, part)
    assert mine == intakes


WORDS = st.sampled_from(
    ["python", "python3.13", "/usr/bin/python3", "./clean.py", "clean.py", "lib/run.py", "pkg", "pkg.run", "bash", "sh",
     "run.sh", "./run.sh", "-m", "-c", "-mpkg", "-X", "-Xdev", "-W", "-u", "-um", "-", "--", "--check-hash-based-pycs",
     "-euo", "pipefail", "+o", "-s", "--rcfile",
     "always", ".", "./", "..", "../up.py", "/abs.py", "json.tool", "json", "", "duckdb", "nothing.py", "-ec", "pkg/"]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@example(argv=["bash", "-euo", "pipefail", "run.sh"], part=COMMAND)
@example(argv=["bash", "--check-hash-based-pycs", "run.sh"], part=COMMAND)
@given(argv=st.lists(WORDS, min_size=1, max_size=5), part=st.sampled_from([COMMAND, SERVICE]))
def test_every_command_line_starts_the_same_program(tool: ModuleType, argv: list[str], part: Part) -> None:
    manifest = f"[{part.kind}]\nargv = {json.dumps(argv)}\n".encode()
    files = ("clean.py", "lib/run.py", "run.sh", "pkg/__main__.py", "pkg/run.py", "pkg/__init__.py")
    mine, intakes = fates(tool, {**dict.fromkeys(files, b""), "submission.toml": manifest}, part)
    assert mine == intakes


def test_data_and_the_kits_own_files_are_left_out(tool: ModuleType, tmp_path: Path) -> None:
    kit = write_folder(tmp_path, {**PROGRAM, "raw/a.bin": b"1", "src/raw/b.bin": b"2", ".venv/lib/x.py": b""})
    (kit / "kit.toml").write_bytes(kit_toml(COMMAND, LIMITS))
    said = list(tool.pack(kit))
    with zipfile.ZipFile(kit / "submission.zip") as archive:
        assert archive.namelist() == ["clean.py", "src/raw/b.bin"]
    assert "Left out: .venv, kit.toml, raw." in said


def test_packing_again_gives_the_same_archive(tool: ModuleType, tmp_path: Path) -> None:
    kit = write_folder(tmp_path, PROGRAM)
    (kit / "kit.toml").write_bytes(kit_toml(COMMAND, LIMITS))
    list(tool.pack(kit))
    first = (kit / "submission.zip").read_bytes()
    os.utime(kit / "clean.py", (0, 0))
    list(tool.pack(kit))
    assert (kit / "submission.zip").read_bytes() == first


def test_an_earlier_archive_stays_when_the_next_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    kit = write_folder(tmp_path, {**PROGRAM, "submission.zip": b"earlier", "a b.py": b""})
    (kit / "kit.toml").write_bytes(kit_toml(COMMAND, LIMITS))
    with pytest.raises(tool.Refused):
        list(tool.pack(kit))
    assert sorted(path.name for path in kit.iterdir()) == ["a b.py", "clean.py", "kit.toml", "submission.zip"]
    assert (kit / "submission.zip").read_bytes() == b"earlier"


def test_what_is_missing_but_harmless_is_said(tool: ModuleType) -> None:
    said = list(tool.check_program(PROGRAM, {"kind": "command", "argv": ["python", "clean.py"], "notebook": "d.ipynb"}))
    assert len(said) == 3
    assert "submission.toml" in said[0]
    assert "d.ipynb" in said[1]
    assert "ai_use" in said[2]
