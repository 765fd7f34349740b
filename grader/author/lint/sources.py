"""Rules about the source of checks and generators: nothing by chance, nothing from the clock or the network.

They look at the syntax tree, so an author who wants to can get around them; they are there to catch slips.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.author.lint.findings import Finding, Level
from grader.model.exercise import Exercise

_CLOCK = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "time.process_time_ns", "datetime.datetime.now", "datetime.datetime.utcnow",
    "datetime.datetime.today", "datetime.date.today", "pandas.Timestamp.now", "pandas.Timestamp.today",
}  # fmt: skip
_SLEEP = {"time.sleep", "asyncio.sleep"}
_NETWORK = (
    "socket", "requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "websockets", "ftplib",
    "smtplib",
)  # fmt: skip
_UNSEEDED = {"numpy.random.default_rng", "random.Random", "numpy.random.RandomState"}
_TELLING = {"random.Random", "numpy.random.RandomState"}  # Mersenne Twisters, which are linear
_GLOBAL_RANDOM = ("random.", "numpy.random.")
_SEEDED_OK = {"default_rng", "Random", "Generator", "SeedSequence", "PCG64", "Philox", "RandomState", "BitGenerator"}
_HOW = {"inspect.getsource", "ast.parse"}
_SOURCE_NAMES = (".py", ".ipynb")


def sources_are_sound(source: Path) -> Iterator[Finding]:
    """Look through every Python file of `checks/` and `data/`."""
    for folder in ("checks", "data"):
        for path in sorted((source / folder).rglob("*.py")):
            name = path.relative_to(source).as_posix()
            tree = ast.parse(path.read_bytes(), name)
            imported = imported_names(tree)
            for node in ast.walk(tree):
                for rule, message, hint in _about(node, imported, checks=folder == "checks"):
                    line = getattr(node, "lineno", 0)
                    yield Finding(rule=rule, file=name, line=line, message=message, hint=hint)


def seeds_stay_hidden(source: Path) -> Iterator[Finding]:
    """A generator draws the data that submissions see: from what they see, nobody must be able to tell its seed."""
    for path in sorted((source / "data").rglob("*.py")):
        name = path.relative_to(source).as_posix()
        tree = ast.parse(path.read_bytes(), name)
        imported = imported_names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (node.args or node.keywords):
                first, dot, rest = dotted(node.func).partition(".")
                if f"{imported.get(first, '')}{dot}{rest}" in _TELLING:
                    yield Finding(
                        rule="seed",
                        level=Level.WARNING,
                        file=name,
                        line=node.lineno,
                        message=f"{dotted(node.func)}() can be computed backwards to its seed by who sees enough draws",
                        hint='Draw from grader.checker.chance.Chance(f"{seed}/purpose"), which has the same methods.',
                    )


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name of a file stands for: `sleep` for `time.sleep`, `np` for `numpy`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import a.b` gives the name a; `import a.b as c` gives c for a.b
            tops = {each.name.partition(".")[0] for each in node.names if not each.asname}
            known |= {each.asname: each.name for each in node.names if each.asname} | {top: top for top in tops}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return known


def _about(node: ast.AST, imported: Mapping[str, str], *, checks: bool) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _imports(node)
    elif isinstance(node, ast.Call):
        written = dotted(node.func)
        first, dot, rest = written.partition(".")
        name = f"{imported[first]}{dot}{rest}" if first in imported else ""
        yield from _calls(name, written, node)
        if checks:
            yield from _how(name or written, written, node)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    inside = f"{node.module}." if isinstance(node, ast.ImportFrom) and not node.level else ""
    for name in [f"{inside}{alias.name}" for alias in node.names]:
        if any(f"{name}.".startswith(f"{module}.") for module in _NETWORK):
            yield "network", f"imports {name}", "Boxes have no network; speak with a submission through the fixtures."


def _calls(name: str, written: str, node: ast.Call) -> Iterator[tuple[str, str, str]]:
    """A call of what `name` is, whatever the file calls it; "" for what was not imported."""
    if name in _CLOCK:
        yield "clock", f"{written}() reads the clock", "Take times from what a run or a load measured."
    if name in _SLEEP:
        yield "sleep", f"{written}() waits for nothing", "Wait for the event, through the fixture that offers it."
    if name in _UNSEEDED and not node.args and not node.keywords:
        yield (
            "randomness",
            f"{written}() has no seed",
            "Take variant.random(purpose), or a seed of the variant.",
        )
    prefix = next((each for each in _GLOBAL_RANDOM if name.startswith(each)), "")
    if prefix and name.removeprefix(prefix) not in _SEEDED_OK and "." not in name.removeprefix(prefix):
        yield "randomness", f"{written}() uses the global generator", "Make a generator from the variant's seed."


def _how(name: str, written: str, node: ast.Call) -> Iterator[tuple[str, str, str]]:
    """A check asks what a program does; how it is written is the candidate's choice."""
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    reads = name.rpartition(".")[2] in ("read", "files", "glob", "rglob", "get_file")
    if name in _HOW or (reads and any(text.endswith(_SOURCE_NAMES) for text in texts)):
        yield "how", f"{written}() looks at source code", "Judge what the program does; style and libraries are free."


def awards_give_reasons(source: Path) -> Iterator[Finding]:
    """An award that may be less than everything says why, and so does an assert: in plain words, for people."""
    for path in sorted((source / "checks").glob("*.py")):
        name = path.relative_to(source).as_posix()
        for node in ast.walk(ast.parse(path.read_bytes(), name)):
            if isinstance(node, ast.Assert) and node.msg is None and path.name.startswith("test_"):
                yield Finding(
                    rule="reasons",
                    file=name,
                    line=node.lineno,
                    message="an assert that may cost all points gives no reason",
                    hint='Say what is wrong: assert rows, "The result has no rows."',
                )
            if not isinstance(node, ast.Call) or dotted(node.func) != "award":
                continue
            whole = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value in (1, 1.0)
            explained = len(node.args) > 1 or any(each.arg in ("because", None) for each in node.keywords)
            if not whole and not explained:
                yield Finding(
                    rule="reasons",
                    file=name,
                    line=node.lineno,
                    message="an award that may be less than all points gives no reason",
                    hint='Say what was found: award(share, "231 of 1204 times are wrong.").',
                )


def durations_are_alone(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """A check that compares wall times has the machine for itself; others would slow one of the two."""
    shared = {(check.file, check.function) for check in exercise.checks if not check.timed}
    for file in sorted({file for file, _ in shared}) if exercise.manifest.timing == "shared" else ():
        for function in ast.parse((source / file).read_bytes(), file).body:
            if not isinstance(function, ast.FunctionDef) or (file, function.name) not in shared:
                continue
            nodes = list(ast.walk(function))
            names = {dotted(node.func).rpartition(".")[2] for node in nodes if isinstance(node, ast.Call)}
            wall = (node for node in nodes if isinstance(node, ast.Attribute) and node.attr == "seconds")
            if "yardstick" in names and (found := next(wall, None)):
                message = f"{function.name} compares wall times, and is not declared as timed"
                hint = "Compare cpu_seconds, or add timed=True to its mark and to the check that measures for it."
                yield Finding(rule="timed", file=file, line=found.lineno, message=message, hint=hint)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for an attribute chain of names, "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
