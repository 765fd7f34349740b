"""The first process of a checker box: generates variants, runs checks.

First the host asks (files, generation); when it asks for the checks to be run, the roles turn and this
side asks the host until the checks have ended.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.agent.files import FileStore, checked_path
from grader.agent.processes import protect_this_process
from grader.agent.stream import Answer, Refused, Stream, serve

TERMINAL = "GRADER_TERMINAL"
FONT_LIST = Path("/opt/matplotlib")


class Checker:
    """The operations of a checker box.

    Args:
        work: Folder that files are put into.
        stream: The line to the host.
    """

    def __init__(self, work: Path, stream: Stream) -> None:
        """Nothing is put yet."""
        self.work = work
        self.stream = stream
        self.files = FileStore(work)

    def generate(self, header: dict[str, Any], body: bytes) -> Answer:
        """Run the exercise's generator for a seed and a split."""
        source = self.work / "data"
        destination = checked_path(self.work, header["destination"])
        destination.mkdir(parents=True)
        sys.path.insert(0, str(source))
        try:
            specification = importlib.util.spec_from_file_location("generate", source / "generate.py")
            if specification is None or specification.loader is None:
                raise Refused("defect", "data/generate.py cannot be loaded")
            module = importlib.util.module_from_spec(specification)
            sys.modules["generate"] = module
            specification.loader.exec_module(module)
            module.generate(int(header["seed"]), str(header["split"]), destination)
        except Refused:
            raise
        except (Exception, SystemExit) as error:  # whatever an author's generator raises is the author's fault
            traceback.print_exc()
            raise Refused("defect", author_error(error, source)) from error
        return {}, b""

    def compare(self, header: dict[str, Any], body: bytes) -> Answer:
        """Tell where two folders first differ; nothing when they are the same."""
        from grader.checker.comparing import first_difference

        found = first_difference(checked_path(self.work, header["first"]), checked_path(self.work, header["again"]))
        return {"difference": asdict(found) if found else None}, b""

    def guess_labels(self, header: dict[str, Any], body: bytes) -> Answer:
        """Try to guess the labels of a sample from its metadata alone."""
        from grader.checker.metadata import guess_labels

        try:
            found = guess_labels(checked_path(self.work, header["folder"]), header["files"], header["column"])
        except (ValueError, OSError, SyntaxError) as error:
            raise Refused("defect", str(error)[:500]) from error
        return {**asdict(found), "leaks": found.leaks}, b""

    def run_public_checks(self, header: dict[str, Any], body: bytes) -> Answer:
        """Run a kit's own checks on a solution."""
        from grader.checker.public_checks import run_public_checks

        try:
            found = run_public_checks(checked_path(self.work, header["folder"]), float(header["seconds"]))
        except ValueError as error:
            raise Refused("defect", str(error)) from error
        return asdict(found), b""

    def run_checks(self, header: dict[str, Any], body: bytes) -> Answer:
        """Run all checks; the reply carries pytest's exit status."""
        from grader.checker.fixtures import programs
        from grader.checker.link import Link
        from grader.checker.plugin import CheckPlugin, HiddenVariant, run

        scratch = self.work / "scratch"
        scratch.mkdir(exist_ok=True)
        # The exercise's own generator modules: checks draw further data with them.
        sys.path.insert(0, str(self.work / "data"))
        link = Link(self.stream)
        plugin = CheckPlugin(
            link=link,
            root=self.work / "checks",
            variant=HiddenVariant(path=self.work / "variant", number=int(header["seed"])),
            programs=programs(link, header, scratch),
            expected=[str(name) for name in header["checks"]],
        )
        status = run(plugin, self.work / "checks", header.get("options", []))
        return {"status": status, "problem": plugin.problem}, b""


def author_error(error: BaseException, root: Path) -> str:
    """Say what an author's code raised, and in which line of the author's files."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(root):
            place = f"{root.name}/{path.relative_to(root)}:{frame.lineno}: "
    return f"{place}{type(error).__name__}: {error}"[:1500]


def _bring_font_list() -> None:
    """Give matplotlib the list of fonts that the image was built with; making it takes a third of a second."""
    target = Path(tempfile.gettempdir()) / "matplotlib"
    if FONT_LIST.is_dir() and not target.exists():
        shutil.copytree(FONT_LIST, target)
    os.environ["MPLCONFIGDIR"] = str(target)


def _give_terminal() -> None:
    """Give an author's terminal to what is run here, where the host passed one on: for a debugger."""
    given = os.environ.pop(TERMINAL, "")
    if given:
        for target, source in enumerate(map(int, given.split(","))):
            os.dup2(source, target)
        # What Python made of the pipes at its start would hold lines back.
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115


def main() -> None:
    """Serve until the host closes the stream."""
    protect_this_process()
    os.environ.update({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "MPLBACKEND": "svg"})
    _bring_font_list()
    # Half a second of imports, spent here while the submission's box starts beside this one.
    importlib.import_module("grader.checker.plugin")
    stream = Stream.from_standard_streams()
    _give_terminal()
    checker = Checker(Path(os.environ.get("GRADER_WORK", "/work")), stream)
    handlers = {
        "hello": lambda header, body: ({"python": sys.version.split()[0]}, b""),
        "file.put": checker.files.put,
        "folder.make": checker.files.make_folder,
        "file.list": checker.files.list,
        "file.get": checker.files.get,
        "generate": checker.generate,
        "compare": checker.compare,
        "labels.guess": checker.guess_labels,
        "checks.public": checker.run_public_checks,
        "checks.run": checker.run_checks,
    }
    serve(stream, handlers)


if __name__ == "__main__":
    main()
