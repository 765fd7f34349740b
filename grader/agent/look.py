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
    while pending and len(seen) < MODULES_CAP:
        name = pending.pop()
        try:
            tree = ast.parse((root / name).read_bytes(), name)
        except (SyntaxError, ValueError) as error:
            return {"problem": "syntax", "file": name, "line": getattr(error, "lineno", 0) or 0, "message": str(error)}
        if name == entry:
            guarded = any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in tree.body)
        for module, line in certain_imports(tree):
            local = _local_file(root, module)
            if local and local not in seen:
                seen.add(local)
                pending.append(local)
            elif not local and not _installed(root, module):
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


def _local_file(root: Path, module: str) -> str | None:
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if (root / candidate).is_file():
            return candidate
    return None


def _installed(root: Path, module: str) -> bool:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or (root / top).is_dir():
        return True
    return importlib.machinery.PathFinder.find_spec(top) is not None


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(Path(sys.argv[1]), sys.argv[2])))
