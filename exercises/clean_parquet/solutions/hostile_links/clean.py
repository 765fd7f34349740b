"""Hands in links instead of files: out of the box, to itself, and to the input."""

import argparse
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir()
    (arguments.out / "orders.parquet").symlink_to("/etc/passwd")
    (arguments.out / "quarantine.parquet").symlink_to("quarantine.parquet")
    (arguments.out / "report.json").symlink_to("/proc/self/environ")
    (arguments.out / "more").symlink_to("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
