"""Rules about the source of checks and generators: nothing by chance, nothing from the clock or the network.

They look at the syntax tree, so an author who wants to can get around them; they are there to catch slips.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import Finding
from grader.model.exercise import Exercise

_CLOCK = {
    "time.time", "time.monotonic", "time.perf_counter", "time.process_time", "datetime.now", "datetime.utcnow",
    "datetime.today", "date.today", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today",
    "pd.Timestamp.now", "pandas.Timestamp.now",
}  # fmt: skip
_SLEEP = {"time.sleep", "asyncio.sleep"}
_NETWORK = {"socket", "requests", "urllib", "urllib.request", "http.client", "aiohttp", "ftplib", "smtplib"}
_UNSEEDED = {"numpy.random.default_rng", "np.random.default_rng", "random.Random", "numpy.random.RandomState"}
_GLOBAL_RANDOM = ("random.", "np.random.", "numpy.random.")
_SEEDED_OK = {"default_rng", "Random", "Generator", "SeedSequence", "PCG64", "Philox", "RandomState", "BitGenerator"}
_HOW = {"inspect.getsource", "ast.parse"}
_SOURCE_NAMES = (".py", ".ipynb")


def sources_are_sound(source: Path) -> Iterator[Finding]:
    """Look through every Python file of `checks/` and `data/`."""
    for folder in ("checks", "data"):
        for path in sorted((source / folder).rglob("*.py")):
            name = path.relative_to(source).as_posix()
            tree = ast.parse(path.read_bytes(), name)
            for node in ast.walk(tree):
                for rule, message, hint in _about(node, checks=folder == "checks"):
                    line = getattr(node, "lineno", 0)
                    yield Finding(rule=rule, file=name, line=line, message=message, hint=hint)


def _about(node: ast.AST, *, checks: bool) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _imports(node)
    elif isinstance(node, ast.Call):
        name = dotted(node.func)
        yield from _calls(name, node)
        if checks:
            yield from _how(name, node)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    for name in names:
        if name in _NETWORK or name.partition(".")[0] in _NETWORK:
            yield "network", f"imports {name}", "Boxes have no network; speak with a submission through the fixtures."


def _calls(name: str, node: ast.Call) -> Iterator[tuple[str, str, str]]:
    if name in _CLOCK:
        yield "clock", f"{name}() reads the clock", "Take times from what a run or a load measured."
    if name in _SLEEP:
        yield "sleep", f"{name}() waits for nothing", "Wait for the event, through the fixture that offers it."
    if name in _UNSEEDED and not node.args and not node.keywords:
        yield (
            "randomness",
            f"{name}() has no seed",
            "Take variant.random(purpose), or a seed of the variant.",
        )
    prefix = next((each for each in _GLOBAL_RANDOM if name.startswith(each)), "")
    if prefix and name.removeprefix(prefix) not in _SEEDED_OK and "." not in name.removeprefix(prefix):
        yield "randomness", f"{name}() uses the global generator", "Make a generator from the variant's seed."


def _how(name: str, node: ast.Call) -> Iterator[tuple[str, str, str]]:
    """A check asks what a program does; how it is written is the candidate's choice."""
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    reads = name.rpartition(".")[2] in ("read", "files", "glob", "rglob", "get_file")
    if name in _HOW or (reads and any(text.endswith(_SOURCE_NAMES) for text in texts)):
        yield "how", f"{name}() looks at source code", "Judge what the program does; style and libraries are free."


def awards_give_reasons(source: Path) -> Iterator[Finding]:
    """An award that may be less than everything says why: in plain words, for people."""
    for path in sorted((source / "checks").glob("*.py")):
        name = path.relative_to(source).as_posix()
        for node in ast.walk(ast.parse(path.read_bytes(), name)):
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
