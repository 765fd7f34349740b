import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    source = arguments.raw / "numbers.txt"
    if not source.exists():
        return 3
    arguments.out.mkdir()
    total = sum(int(line) for line in source.read_text().split())
    (arguments.out / "sum.json").write_text(json.dumps({"sum": total}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
