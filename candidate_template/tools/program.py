"""Is the program that submission.toml names among the files? Used by pack.py; nothing is run here."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

FILE = "submission.toml"
LARGEST = 64 * 1024
MOST_DOTS = 200
KINDS = ("command", "callable", "service")
KEYS = {"command": "argv", "service": "argv", "callable": "entry", "notebook": "path", "declaration": "ai_use"}
COMPARE = "Compare it with the file that came with the kit."
PYTHON = re.compile(r"python(3(\.\d+)?)?")
CALLABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
APPLICATION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_][\w.()]*")


class Refused(Exception):
    """What would not be accepted: the reason in a word, what is wrong, and what to do."""

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.reason, self.message, self.hint = reason, message, hint


def check_program(files: dict[str, bytes], kit: dict[str, Any]) -> Iterator[str]:
    """Find the program; yields what to tell about it.

    Args:
        files: What is handed in, by path.
        kit: The section [submission] of kit.toml: how programs are started where submission.toml is silent.

    Raises:
        Refused: submission.toml cannot be used, or what it names is not there.
    """
    said = _read(files[FILE]) if FILE in files else {}
    if FILE not in files:
        yield f"There is no {FILE}; your program is started as the kit does it."
    kind = kit["kind"]
    others = [each for each in KINDS if each != kind and each in said]
    if others:
        raise _wrong(f"has a section [{others[0]}], which this exercise does not ask for", f"Use [{kind}].")
    _find(files, kind, said.get(kind) or kit)
    notebook = said.get("notebook", {}).get("path", kit.get("notebook", "")).removeprefix("./")
    if kind != "notebook" and notebook and notebook not in files:
        yield f"{notebook} is not there: the decision notebook earns no points, the rest is unharmed."
    if not said.get("declaration", {}).get("ai_use", "").strip():
        yield f"[declaration] ai_use in {FILE} is empty: please say which AI tools you used, or that you used none."


def _wrong(what: str, hint: str = COMPARE) -> Refused:
    return Refused("manifest", f"{FILE} {what}.", hint)


def _read(content: bytes) -> dict[str, dict[str, Any]]:
    """Parse submission.toml and check every value that it may hold."""
    if len(content) > LARGEST:
        raise _wrong("is larger than 64 KiB", "Keep to the few lines that the kit's file has.")
    try:
        text = content.decode("utf-8-sig")
        if text.count(".") > MOST_DOTS:
            raise _wrong(f"holds more than {MOST_DOTS} dots", "Keep to the few lines that the kit's file has.")
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or a number too long
        raise _wrong(f"cannot be read: {str(error)[:200]}") from error
    for section, values in said.items():
        _check_section(section, values)
    return said


def _check_section(section: str, values: object) -> None:
    key = KEYS.get(section)
    if key is None:
        raise _wrong(f"has the unknown key {section!r}", f"Known here: {', '.join(KEYS)}.")
    if not isinstance(values, dict):
        raise _wrong(f"gives {section} a value of its own", f"Write it as a section: [{section}].")
    unknown = [each for each in values if each != key]
    if unknown:
        raise _wrong(f"has the unknown key '{section}.{unknown[0]}'", f"Known here: {key}.")
    if key not in values:
        if section in KINDS:
            raise _wrong(f"has a section [{section}] without {key}")
        return
    if not _is_usable(section, values[key]):
        raise _wrong(f"has a value for '{section}.{key}' that cannot be used")


def _is_usable(section: str, value: object) -> bool:
    if section in ("command", "service"):
        return isinstance(value, list) and 1 <= len(value) <= 20 and all(_is_line(each, 200) for each in value)
    if section == "declaration":
        return isinstance(value, str) and len(value) <= 2000
    return _is_line(value, 100) and (section != "callable" or bool(CALLABLE.fullmatch(str(value))))


def _is_line(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and not any(ord(each) < 32 for each in value)


def _find(files: dict[str, bytes], kind: str, said: dict[str, Any]) -> None:
    if kind == "callable":
        _require(files, _module(said["entry"], package="__init__"), said["entry"])
        return
    if kind == "notebook":
        _require(files, (said["path"].removeprefix("./"),), "this exercise")
        return
    argv: list[str] = said["argv"]
    if kind == "service":
        application = next((word for word in argv[1:] if APPLICATION.fullmatch(word)), None)
        if application is not None:
            _require(files, _module(application, package="__init__"), application)
            return
        if not any(word.endswith((".py", ".sh")) for word in argv):
            return
    _find_command(files, argv)


def _find_command(files: dict[str, bytes], argv: list[str]) -> None:
    started = _started(argv)
    if started is None:
        return
    entry, is_module = started
    if entry.startswith("/") or ".." in entry.split("/"):
        raise _wrong(f"starts {entry!r}, which lies outside of this folder")
    if is_module:
        wanted = _module(entry, package="__main__")
        if entry.partition(".")[0] in sys.stdlib_module_names and not any(path in files for path in wanted):
            return
    else:
        wanted = ("__main__.py",) if entry == "." else (entry, f"{entry}/__main__.py")
    _require(files, wanted, " ".join(argv))
    if argv[0].removeprefix("./") in files:
        raise _wrong(f"begins its command with {argv[0]!r}, a file", "Put the program in front: python, or bash.")


def _module(name: str, *, package: str) -> tuple[str, str]:
    path = name.partition(":")[0].replace(".", "/")
    return f"{path}.py", f"{path}/{package}.py"


def _require(files: dict[str, bytes], wanted: tuple[str, ...], needs: str) -> None:
    if not any(path in files for path in wanted):
        name = wanted[0].rpartition("/")[2].lower()
        near = [path for path in files if path.rpartition("/")[2].lower() == name]
        hint = f"There is {near[0]}: move or rename it, or name it in {FILE}." if near else f"Check {FILE}."
        raise Refused("entry_missing", f"{wanted[0]} is not there, but {needs!r} needs it.", hint)


def _started(argv: list[str]) -> tuple[str, bool] | None:
    """Return what a command starts, and whether that is a module; None when it is nothing of this folder."""
    program = argv[0]
    if "/" in program and not program.startswith("/"):
        return program.removeprefix("./"), False
    base = program.rpartition("/")[2]
    if PYTHON.fullmatch(base):
        return _after_python(argv[1:])
    if base in ("sh", "bash", "dash"):
        return _after_shell(argv[1:])
    return (program, False) if re.fullmatch(r"[^/]+\.(py|sh)", program) else None


def _after_shell(words: list[str]) -> tuple[str, bool] | None:
    """Read a shell's own options up to the script; -c and -s start no file, and -o takes a word."""
    while words:
        word, *words = words
        if word in ("--rcfile", "--init-file"):
            words = words[1:]
        elif word in ("-", "--"):
            return (words[0].removeprefix("./"), False) if words else None
        elif word.startswith(("-", "+")):
            letters = "" if word.startswith("--") else word[1:]
            if "c" in letters or "s" in letters:
                return None
            words = words[letters.count("o") + letters.count("O") :]
        else:
            return word.removeprefix("./"), False
    return None


def _after_python(words: list[str]) -> tuple[str, bool] | None:
    """Read python's own options up to the script, or up to -m."""
    while words:
        word, *words = words
        if not word.startswith("-"):
            return word.removeprefix("./").rstrip("/"), False
        if word == "-":
            return None
        if word.startswith("--"):
            words = words[1:]
            continue
        for at, letter in enumerate(word[1:], start=2):
            glued = word[at:]
            if letter == "c":
                return None
            if letter == "m":
                module = glued or (words[0] if words else "")
                return (module, True) if module else None
            if letter in "WX":
                words = words if glued else words[1:]
                break
    return None
