"""Programs that agree, and programs that do not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from grader.model.submission import Submission, SubmissionFile, digest_files
from grader.similarity.documents import Entry
from grader.similarity.sources import read_submission

PROGRAM = '''"""Adds up orders."""

import json
from pathlib import Path


def read(folder):
    """Read all files."""
    rows = []
    for path in sorted(Path(folder).glob("*.json")):
        with path.open() as file:  # one order a line
            for number, line in enumerate(file):
                row = json.loads(line)
                if row["price"] is None or row["price"] < 0:
                    continue
                rows.append({**row, "source": path.name, "line": number})
    return rows


def total(rows, currency="EUR"):
    found = {}
    for row in rows:
        key = (row["shop"], row["day"])
        amount = row["price"] * row["quantity"]
        if row["currency"] != currency:
            amount = round(amount / RATES[row["currency"]], 2)
        found[key] = found.get(key, 0) + amount
    return [{"shop": shop, "day": day, "total": value} for (shop, day), value in sorted(found.items())]
'''

# The same to a machine that looks at what is done and not at how things are called.
RENAMED = """# by me
from pathlib import Path; import json

def load_all(where):
        out = []
        for f in sorted(Path(where).glob('part-*.txt')):
                with f.open() as handle:
                        for i, text in enumerate(handle):
                                record = json.loads(text)
                                if record['cost'] is None or record['cost'] < 1:
                                        continue
                                out.append({**record, 'src': f.name, 'i': i})
        return out

def summarise(records, money='USD'):
        sums = {}
        for record in records:
                group = (
                        record['store'],
                        record['date']
                )
                worth = record['cost'] * record['count']
                if record['money'] != money:
                        worth = round(worth / FACTORS[record['money']], 3)
                sums[group] = sums.get(group, 0.0) + worth
        return [{'store': a, 'date': b, 'sum': c} for (a, b), c in sorted(sums.items())]
"""

STATEMENTS = (
    "{0} = {1} + {2}",
    "{0} = {1}({2})",
    "{0}.{1}({2}, {0})",
    "if {0} < {1}: {2} = {0}",
    "for {0} in {1}: {2}.append({0})",
    "{0} = [{1} for {1} in {2}]",
    "assert {0} or not {1}, {2}",
    "{0}[{1}] = {2} % {0}",
    "while {0}: {0} -= {1}",
    "del {0}[{1}]",
    "{0} = lambda {1}: {1} ** {2}",
    "return {0} if {1} else {2}",
)


def program_of(seed: int, lines: int = 60) -> str:
    """A program that makes no sense and has little in common with that of another seed."""
    random_ = random.Random(seed)
    return "\n".join(random_.choice(STATEMENTS).format(*random_.sample("abcdefgh", 3)) for _ in range(lines)) + "\n"


def submission_of(**files: str | bytes) -> Submission:
    """A submission of these files; `__` in a name is a dot."""
    content = tuple(
        SubmissionFile(path=name.replace("__", "."), content=each.encode() if isinstance(each, str) else each)
        for name, each in sorted(files.items())
    )
    return Submission(label="s.zip", files=content, digest=digest_files(content))


MakeEntry = Callable[..., Entry]


@pytest.fixture(scope="session")
def make_entry() -> MakeEntry:
    """Make an entry of a person's files."""

    def make(name: str, label: str = "s.zip", **files: str | bytes) -> Entry:
        return Entry(person=name, name=name, label=label, reading=read_submission(submission_of(**files)))

    return make
