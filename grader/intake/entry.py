"""Which file of a submission its command starts.

Only names are looked at: whether the program is valid is found out inside the box.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence

from grader.errors import SubmissionRejected
from grader.intake.limits import counted
from grader.intake.paths import shown
from grader.model.reasons import Rejection
from grader.model.submission import Submission

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_SHELLS = ("sh", "bash", "dash")
_SHELL_WITH_VALUE = ("--rcfile", "--init-file")
_WITH_VALUE = "WX"  # options of python that take the next argument, unless theirs is glued on
_SCRIPT = re.compile(r"[^/]+\.(py|sh)")


def entry_file(submission: Submission, argv: Sequence[str]) -> tuple[str, bool] | None:
    """Return the file that a command starts, and whether it is started as a module; None when there is none."""
    named = _named(argv)
    if named is None:
        return None
    files = _module_files(named[0]) if named[1] else _script_files(named[0])
    return next(((path, named[1]) for path in files if path in submission.paths), None)


def _named(argv: Sequence[str]) -> tuple[str, bool] | None:
    """Return what is started, and whether it is a module."""
    program = argv[0]
    if "/" in program and not program.startswith("/"):
        return program.removeprefix("./"), False
    base = program.rpartition("/")[2]
    if _PYTHON.fullmatch(base):
        return _after_python(list(argv[1:]))
    if base in _SHELLS:
        return _after_shell(list(argv[1:]))
    return (program, False) if _SCRIPT.fullmatch(program) else None


def _after_shell(arguments: list[str]) -> tuple[str, bool] | None:
    """As bash(1) and dash(1) read their options; `-c` and `-s` start no file."""
    while arguments:
        word = arguments.pop(0)
        if word in _SHELL_WITH_VALUE:
            arguments[:1] = []
        elif word in ("-", "--"):
            return (arguments[0].removeprefix("./"), False) if arguments else None
        elif word.startswith(("-", "+")):
            letters = "" if word.startswith("--") else word[1:]
            if "c" in letters or "s" in letters:
                return None
            del arguments[: letters.count("o") + letters.count("O")]  # each takes the name of a setting
        else:
            return word.removeprefix("./"), False
    return None


def _after_python(arguments: list[str]) -> tuple[str, bool] | None:
    while arguments:
        word = arguments.pop(0)
        if not word.startswith("-"):
            return word.removeprefix("./").rstrip("/"), False
        if word == "-":
            return None
        if word.startswith("--"):  # --check-hash-based-pycs takes a value, the others end the program
            arguments[:1] = []
            continue
        for number, letter in enumerate(word[1:], start=2):
            glued = word[number:]
            if letter == "c":
                return None
            if letter == "m":
                module = glued or (arguments[0] if arguments else "")
                return (module, True) if module else None
            if letter in _WITH_VALUE:
                if not glued:
                    arguments[:1] = []
                break
    return None


def check_entry(submission: Submission, argv: Sequence[str], example: Sequence[str]) -> None:
    """Make sure that the program which the command starts was handed in.

    Args:
        submission: What was handed in.
        argv: The command.
        example: A command that would be right, for hints.

    Raises:
        SubmissionRejected: `manifest` when it can never be right, `entry_missing` otherwise.
    """
    named = _named(argv)
    if named is None:
        return
    entry, is_module = named
    if entry.startswith("/") or ".." in entry.split("/"):
        raise SubmissionRejected(
            Rejection.MANIFEST,
            f"The command in submission.toml starts {shown(entry)}, which lies outside the submission.",
            hint=f"Give the path from inside the submission, such as argv = {json.dumps(list(example))}.",
        )
    files = _module_files(entry) if is_module else _script_files(entry)
    present = set(submission.paths)
    if not present.isdisjoint(files):
        _check_started(argv[0], present)
        return
    if is_module and entry.partition(".")[0] in sys.stdlib_module_names:
        return
    raise SubmissionRejected(
        Rejection.ENTRY_MISSING,
        f"{' or '.join(map(shown, files if is_module else files[:1]))} is not in the submission, "
        f"but {shown(' '.join(argv))} needs it.",
        hint=f"{_nearest(files[0], submission.paths)}The submission holds {_listing(submission.paths)}.",
    )


def _script_files(entry: str) -> tuple[str, ...]:
    return ("__main__.py",) if entry == "." else (entry, f"{entry}/__main__.py")


def _module_files(module: str) -> tuple[str, ...]:
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__main__.py"


def _check_started(program: str, present: set[str]) -> None:
    """A file of the submission cannot be the program itself: boxes execute nothing that was handed in."""
    file = program.removeprefix("./")
    if file in present:
        starter = "bash" if program.endswith(".sh") else "python"
        raise SubmissionRejected(
            Rejection.MANIFEST,
            f"The command in submission.toml begins with the file {shown(program)}, not with a program.",
            hint=f'Put the program in front: argv = ["{starter}", "{file}"].',
        )


def _nearest(wanted: str, paths: Sequence[str]) -> str:
    same = [path for path in paths if path.lower() == wanted.lower()]
    if same:
        return f"There is {shown(same[0])}: capitals count in names. "
    name = wanted.rpartition("/")[2]
    elsewhere = [path for path in paths if path.rpartition("/")[2].lower() == name.lower()]
    if elsewhere:
        return f"There is {shown(elsewhere[0])}: move it, or name that path in submission.toml. "
    near = difflib.get_close_matches(wanted, paths, n=1)
    return f"Did you mean {shown(near[0])}? Rename it, or name it in submission.toml. " if near else ""


def _listing(paths: Sequence[str]) -> str:
    top: Counter[str] = Counter()
    for path in paths:
        first, slash, _ = path.partition("/")
        top[first + slash] += 1
    names = [f"{name} ({counted(count, 'file')})" if name.endswith("/") else name for name, count in top.items()]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
