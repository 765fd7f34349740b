"""Does a kit give anything away? The second look, by other means than those that built it.

What is searched for: names, words and lines of hidden files; the seed of the sample; canaries; facts about this
machine; a history; what tools leave behind. A finding says where and what, never the hidden text itself.

Not found: hidden knowledge in other words, in pictures, or in the numbers of the sample.
"""

from __future__ import annotations

import base64
import getpass
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.catalog.kit_files import SKELETON
from grader.catalog.ladder import SOLUTIONS, RungKind, load_ladder
from grader.catalog.marks import without_mark
from grader.catalog.repository import EMAIL, NAME, git
from grader.errors import ExerciseDefect, InfrastructureFault
from grader.model.exercise import CheckDeclaration, Exercise

LONG_LINE = 40
_LONG_TITLE = 16
# Of a hidden file, this share of long lines in one file of the kit is no accident; nor are this many.
_SHARE, _AT_LEAST = 0.5, 4
_HIDDEN = ("checks", "solutions", "data", "NOTES.md", "CHANGELOG.md")
# Rungs that work. Others are made from the stub, and may look like it.
_WORKING = (RungKind.REFERENCE, RungKind.ALTERNATE, RungKind.PLAIN)
_PROGRAMS = (".py", ".sql", ".ipynb")
_CANARY = re.compile(rb"canary[-_ ][0-9A-Za-z-]{8,}")
_MADE_BY_TOOLS = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints", ".DS_Store"}
_COMMON_USERS = {"root", "user", "admin", "ubuntu", "debian", "runner", "candidate", "grader", "nobody"}
_HOME = re.compile(r"(?<![\w.])/(?:home|Users|root)/[\w-]+|[A-Za-z]:\\Users\\\w+")
_DAY = 86400
_INDEX = re.compile(rb'"index_columns": \[(.*?)\]')
_NO_INDEX = re.compile(rb'(\{"kind": "range", "name": null, "start": 0, "stop": \d+, "step": 1\})?')
_ARROW = re.compile(rb"ARROW:schema.{1,8}?([A-Za-z0-9+/=]{40,})", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Something that should not be in a kit.

    Attributes:
        file: Where, inside the kit.
        what: What, for the exercise's author.
    """

    file: str
    what: str


def find_leaks(kit: Path, exercise: Exercise, source: Path, public_data: Path) -> tuple[Leak, ...]:
    """Look through a kit that was just built.

    Args:
        kit: Its folder.
        exercise: The exercise.
        source: The exercise's folder.
        public_data: What the kit's data were copied from.

    Returns:
        What should not be there, by file; nothing when all is well.
    """
    files = {path.relative_to(kit).as_posix(): path.read_bytes() for path in sorted(kit.rglob("*")) if path.is_file()}
    theirs = {name: content for name, content in files.items() if not name.startswith(".git/")}
    public = _texts(source / "template") | _texts(public_data) | _texts(SKELETON)
    public["brief.md"] = (source / "brief.md").read_text(encoding="utf-8")
    published = "\n".join(public.values())
    known = _long_lines(published)
    hidden = {name: (text, _long_lines(text)) for part in _HIDDEN for name, text in _texts(source / part, part).items()}
    judged = {name for name in hidden if name.startswith("checks/")} | _answers(source)
    found = [*_left_behind(kit), *_history(kit)]
    for name, content in theirs.items():
        text = _text(content)
        found += [Leak(name, what) for what in _bytes(content, exercise, source)]
        if text is not None:
            found += [Leak(name, what) for what in _words(text, exercise.checks, published)]
            found += [Leak(name, what) for what in _lines(name, without_mark(text), hidden, known, judged, exercise)]
    marks = canaries(source)
    machine = _machine(source, kit)
    for name, content in files.items():
        found += [Leak(name, "holds a canary") for canary in marks if canary in content]
        found += [Leak(name, f"tells {what} of this machine") for word, what in machine.items() if word in content]
    return tuple(sorted(set(found)))


def _texts(folder: Path, name: str = "") -> dict[str, str]:
    """Return the readable text of a file, or of every file below a folder."""
    paths = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    found = {}
    for path in paths:
        text = _text(path.read_bytes()) if "__pycache__" not in path.parts else None
        if text is not None:
            below = path.relative_to(folder).as_posix()
            found["/".join(part for part in (name, below) if part not in ("", "."))] = text
    return found


def _text(content: bytes) -> str | None:
    try:
        return None if b"\0" in content else content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _left_behind(kit: Path) -> Iterator[Leak]:
    """What tools make, links, and times that tell when we worked."""
    for path in sorted(kit.rglob("*")):
        name = path.relative_to(kit).as_posix()
        if _MADE_BY_TOOLS & {path.name} or path.suffix in (".pyc", ".pyo"):
            yield Leak(name, "was made by a tool")
        if path.is_symlink():
            yield Leak(name, "is a link")
        if path.lstat().st_mtime % _DAY:
            yield Leak(name, "has a time of day")


def _history(kit: Path) -> Iterator[Leak]:
    """One commit of nobody at midnight, and no object that it does not need."""
    try:
        # Before anything that looks at the work tree: that would write to the index.
        index = git(kit, "ls-files", "--debug")
        commits = git(kit, "log", "--all", "--reflog", "--format=%an <%ae> %ai\n%cn <%ce> %ci").splitlines()
        unneeded = git(kit, "fsck", "--unreachable", "--no-reflogs", "--no-progress")
        changed = git(kit, "status", "--porcelain")
        settings = git(kit, "config", "--local", "--name-only", "--list").splitlines()
    except InfrastructureFault:
        yield Leak(".git", "is no repository that git can read")
        return
    if len(commits) != 2:
        yield Leak(".git", f"has {len(commits) // 2} commits in place of one")
    who = re.compile(rf"{re.escape(f'{NAME} <{EMAIL}>')} \d{{4}}-\d\d-\d\d 00:00:00 \+0000")
    if not all(who.fullmatch(line) for line in commits):
        yield Leak(".git", "says who committed, or at what hour")
    if changed:
        yield Leak(".git", "holds other content than the files beside it")
    if unneeded.strip():
        yield Leak(".git", "holds objects that its commit does not need")
    if re.search(r"\b(?:ino|uid|gid|dev): [1-9]", index):
        yield Leak(".git/index", "holds inodes or owners of this machine")
    if not all(setting.startswith("core.") for setting in settings):
        yield Leak(".git/config", "holds settings of this machine")


def _bytes(content: bytes, exercise: Exercise, source: Path) -> Iterator[str]:
    """What may stand in any file, readable or not."""
    seed = str(exercise.manifest.public_seed).encode()
    if len(seed) >= 5 and re.search(rb"(?<!\d)" + seed + rb"(?!\d)", content):
        yield "holds the seed of the sample"
    if content.startswith(b"PAR1"):
        yield from _footer(content)


def _footer(content: bytes) -> Iterator[str]:
    """The metadata at the end of a Parquet file: texts in it are plain bytes, whatever is around them."""
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") : -8]
    texts = [footer, *(_decoded(found[1]) for found in _ARROW.finditer(footer))]
    if any(not _NO_INDEX.fullmatch(found[1]) for text in texts for found in _INDEX.finditer(text)):
        yield "has an index of pandas in its metadata, which tells of rows before they were cut or shuffled"
    if any(re.search(rb"(?i)(?<![a-z])seed(?![a-z])", text) for text in texts):
        yield "has metadata that speak of a seed"


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def _words(text: str, checks: tuple[CheckDeclaration, ...], published: str) -> Iterator[str]:
    """Titles, questions, functions and file names of hidden checks, where the author did not publish them."""
    if _HOME.search(text):
        yield "names somebody's home folder"
    for check in checks:
        for kind, words in (("title", check.title), ("question", check.question), ("feedback", check.feedback)):
            if len(words) >= _LONG_TITLE and words in text:
                yield f"holds the {kind} of the hidden check {check.id}"
        file = check.file.rpartition("/")[2]
        for kind, word in (("function", check.function), ("file", file)):
            if word and _holds(text, word) and not _holds(published, word):
                yield f"names the {kind} of the hidden check {check.id}"


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _lines(
    name: str,
    text: str,
    hidden: Mapping[str, tuple[str, set[str]]],
    known: set[str],
    judged: Collection[str],
    exercise: Exercise,
) -> Iterator[str]:
    """Lines of hidden files, and files of which too much is here."""
    here = _long_lines(text)
    entry = exercise.manifest.part.entry_path
    for path, (content, lines) in hidden.items():
        if lines & here - known:
            yield f"holds a line of {path}"
        same = len(lines & here)
        # A solution may be built on a module of the kit as it is; only never on a stub that is the answer.
        given = text == content and name != entry and path.endswith(f"/{name}")
        if path in judged and not given and same >= _AT_LEAST and same > _SHARE * len(lines):
            yield f"holds most of {path}"


def _answers(source: Path) -> set[str]:
    """The programs of rungs that work, whatever their folders are called; of all where nobody can tell."""
    folder = source / SOLUTIONS
    try:
        names = {rung.name for rung in load_ladder(source) if rung.expected.rung in _WORKING}
    except ExerciseDefect:
        names = {path.name for path in folder.glob("*")}
    programs = (path for name in names for path in (folder / name).rglob("*") if path.suffix in _PROGRAMS)
    return {path.relative_to(source).as_posix() for path in programs}


def _long_lines(text: str) -> set[str]:
    """Lines that are no accident; one that was made a comment is still the same."""
    lines = (line.strip().lstrip("# ") for line in text.splitlines())
    return {line for line in lines if len(line) >= LONG_LINE}


def canaries(source: Path) -> set[bytes]:
    """Words that an author put into hidden files so that they can be found elsewhere."""
    paths = [path for part in _HIDDEN for path in (source / part, *(source / part).rglob("*")) if path.is_file()]
    return {found[0] for path in paths for found in _CANARY.finditer(path.read_bytes())}


def _machine(source: Path, kit: Path) -> dict[bytes, str]:
    """Facts about this machine, as the bytes to look for, and what each is."""
    user, host = getpass.getuser(), socket.gethostname()
    facts = {str(source.resolve()): "a folder", str(kit.parent.resolve()): "a folder", ".kit-": "a folder"}
    home = str(Path.home())
    if len(home) > 6:
        facts[home] = "the home folder"
    if len(user) >= 5 and user not in _COMMON_USERS:
        facts[user] = "a user"
    if re.search(r"[\d.-]", host):  # others may be ordinary words
        facts[host] = "the name"
    return {text.encode(): what for text, what in facts.items() if len(text) >= 5}
