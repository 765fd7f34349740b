import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--raw", type=Path)
parser.add_argument("--out", type=Path)
arguments = parser.parse_args()
arguments.out.mkdir()
numbers = (arguments.raw / "numbers.txt").read_text().split()
(arguments.out / "rounded.txt").write_text("\n".join(str(round(float(number))) for number in numbers))
