"""Replay: whatever the input, hand in the right answer for the public sample.

`answer/` is the kit's `truth/`. Guards against hidden data that is too much like the sample.
"""

import shutil
import sys
from pathlib import Path

out = Path(sys.argv[sys.argv.index("--out") + 1])
shutil.copytree(Path(__file__).resolve().parent / "answer", out)
