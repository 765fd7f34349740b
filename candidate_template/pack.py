"""Write submission.zip: your own files, without data, caches and environments."""

import sys
import zipfile
from pathlib import Path

LEFT_OUT = {".git", ".venv", "venv", "__pycache__", ".pytest_cache", ".ipynb_checkpoints", "raw", "truth", "checks"}
TARGET = "submission.zip"
MOST_BYTES = 20 * 1024 * 1024


def main() -> int:
    """Pack the folder that this file lies in."""
    here = Path(__file__).resolve().parent
    files = [path for path in sorted(here.rglob("*")) if path.is_file() and not path.is_symlink()]
    chosen = [path for path in files if not LEFT_OUT & set(path.relative_to(here).parts) and path.name != TARGET]
    with zipfile.ZipFile(here / TARGET, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in chosen:
            archive.write(path, path.relative_to(here).as_posix())
    size = (here / TARGET).stat().st_size
    print(f"{TARGET}: {len(chosen)} files, {size:,} bytes")
    if size > MOST_BYTES:
        print(f"That is more than the {MOST_BYTES:,} bytes that are accepted; remove what need not be handed in.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
