"""A look at a candidate's Python without running it: does it parse, are its packages here?

Runs as a program of its own inside the submission box, because a parser can be crashed.
Only imports that are certain to happen count: those at the top level of a module, not under
`try` or `if`. Prints one JSON object.
"""

from __future__ import annotations

import ast
import importlib.machinery
import json
import sys
from pathlib import Path
from typing import Any

MODULES_CAP = 200


def look(root: Path, entry: str) -> dict[str, Any]:
    """Read `entry` and the local modules it certainly imports.

    Returns:
        `{"ok": True, "guarded": bool}`, or `{"problem": "syntax" | "package", ...}` with
        file, line and a message or the package's name. `guarded` says that the entry tests
        `__name__`, so that importing it does not start its work.
    """
    pending, seen = [entry], {entry}
    guarded = False
    own = own_names(root)
    while pending and len(seen) < MODULES_CAP:
        name = pending.pop()
        try:
            tree = ast.parse((root / name).read_bytes(), name)
        except (SyntaxError, ValueError) as error:
            return {"problem": "syntax", "file": name, "line": getattr(error, "lineno", 0) or 0, "message": str(error)}
        if name == entry:
            guarded = any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in tree.body)
        for module, line in certain_imports(tree):
            local = _local_file(root, entry, module)
            if local and local not in seen:
                seen.add(local)
                pending.append(local)
            elif not local and module.partition(".")[0] not in own and not _installed(module):
                return {"problem": "package", "file": name, "line": line, "package": module.partition(".")[0]}
    return {"ok": True, "guarded": guarded}


def certain_imports(tree: ast.Module) -> list[tuple[str, int]]:
    """Absolute imports at the top level of a module, with their lines."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, node.lineno))
    return found


def own_names(root: Path) -> set[str]:
    """Names of all modules and folders of the submission, wherever they lie: a program may extend its own path."""
    return {path.name.partition(".")[0] for path in root.rglob("*") if path.is_dir() or path.suffix in (".py", ".so")}


def _local_file(root: Path, entry: str, module: str) -> str | None:
    """Find a module beside the entry point, as `python folder/entry.py` would, or in the working folder."""
    path = module.replace(".", "/")
    beside = entry.rpartition("/")[0]
    for folder in dict.fromkeys((f"{beside}/" if beside else "", "")):
        for candidate in (f"{folder}{path}.py", f"{folder}{path}/__init__.py"):
            if (root / candidate).is_file():
                return candidate
    return None


def _installed(module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    return importlib.machinery.PathFinder.find_spec(top) is not None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(Path(sys.argv[1]), sys.argv[2])))
