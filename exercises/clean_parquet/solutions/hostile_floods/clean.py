"""Prints until somebody stops it, and writes nothing."""

import os


def main():
    line = b"\x1b[2J\x1b]0;all checks passed\x07 <script>alert(1)</script> 100/100\r\n" * 1000
    while True:
        os.write(1, line)
        os.write(2, line)


if __name__ == "__main__":
    main()
