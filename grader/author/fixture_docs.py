"""The reference of what checks can use, made from docstrings.

`python -m grader.author.fixture_docs > docs/fixtures.md` writes the committed copy.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from grader.checker import api, awards, callable, command, decision, http, notebook, plugin, service

HEAD = """\
# What checks can use

Made from the docstrings by `python -m grader.author.fixture_docs > docs/fixtures.md`; how checks are written is in
[checks.md](checks.md), and a tutorial in [authoring.md](authoring.md). Times are seconds and sizes bytes, measured
from outside of the submission's box.
"""
_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$")
_ITEM = re.compile(r"^([\w*]+(?:, [\w*]+)*): (.*)$")

# Heading to what stands below it: title to a class or a function.
CONTENTS: dict[str, dict[str, Any]] = {
    "In every check": {
        "variant": plugin.HiddenVariant,
        "award": awards.Award.__call__,
        "plot": plugin.CheckPlugin.plot,
        "linear": api.linear,
        "yardstick": api.yardstick,
        "SubmissionFailed": api.SubmissionFailed,
        "NotMeasured": api.NotMeasured,
    },
    'kind = "command"': {"command": command.Command, "CommandRun": command.CommandRun},
    'kind = "callable"': {
        "submission": callable.CallableSubmission,
        "CallableSession": callable.CallableSession,
        "Answer": callable.Answer,
    },
    'kind = "service"': {
        "service": service.Service,
        "ServiceEnding": service.ServiceEnding,
        "Request": http.Request,
        "Exchange": http.Exchange,
        "post_json": http.post_json,
    },
    'kind = "notebook", and the decision notebook': {
        "notebook": notebook.Notebook,
        "NotebookRun": notebook.NotebookRun,
        "Cell": notebook.Cell,
        "Study": decision.Study,
        "Finding": decision.Finding,
    },
}


def reference() -> str:
    """Return the page."""
    parts = [HEAD]
    for heading, members in CONTENTS.items():
        parts.append(f"## {heading}\n")
        for title, member in members.items():
            parts += _class(title, member) if inspect.isclass(member) else _function(title, member, "###")
    return "\n".join(parts).rstrip() + "\n"


def _class(title: str, member: type) -> Iterator[str]:
    yield f"### {title}\n"
    yield _text(member)
    for name, value in vars(member).items():
        if name.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property | classmethod)):
            continue
        if isinstance(value, property):
            yield f"#### `.{name}`\n"
            yield _text(value)
        elif inspect.isfunction(value):
            yield from _function(f".{name}", value, "####")


def _function(title: str, function: Callable[..., object], level: str) -> Iterator[str]:
    plain = inspect.unwrap(function)
    # What a fixture is called with stands in its docstring; its own parameters are pytest's business.
    yield f"{level} `{title}{_signature(plain) if plain is function else ''}`\n"
    yield _text(plain)


def _signature(function: Callable[..., object]) -> str:
    """The parameters as they were written; of a fixture that has none but `self`, nothing."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [each for each in node.args.args if each.arg != "self"]
    result = f" -> {ast.unparse(node.returns)}" if node.returns and ast.unparse(node.returns) != "None" else ""
    return f"({ast.unparse(node.args)}){result}"


def _text(member: object) -> str:
    """A docstring as Markdown: prose as it is, sections as lists."""
    lines: list[str] = []
    inside = False
    text = inspect.getdoc(member) or ""
    if "\n    link: " in text:
        text = text.partition("\nArgs:\n")[0]  # the harness makes it, not the author
    for line in text.splitlines():
        section = _SECTION.match(line)
        if section:
            lines += [f"*{section[1]}*", ""]
            inside = True
        elif not inside:
            lines.append(line)
        elif line and (item := _ITEM.match(line.strip())) and len(line) - len(line.lstrip()) == 4:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line:
            lines.append(f"  {line.strip()}" if lines[-1].startswith(("- ", "  ")) else line.strip())
        else:
            lines.append("")
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
