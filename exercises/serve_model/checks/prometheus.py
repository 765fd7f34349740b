"""A small strict reader of Prometheus' text format 0.0.4, for what a candidate's service answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MOST_LINES = 20_000
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})?[ \t]+(\S+)(?:[ \t]+-?\d+)?")
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\["\\n])*)"\s*(,|$)')
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME})(?: (.*))?")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count", "")}
Labels = frozenset[tuple[str, str]]


class NotMetrics(Exception):
    """A text is not in the format; says why."""


@dataclass(frozen=True)
class Metrics:
    """Samples by name and labels, and the type of every family."""

    samples: Mapping[tuple[str, Labels], float] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of all samples that carry these labels; 0 where there is none."""
        wanted = set(labels.items())
        return sum(value for (each, found), value in self.samples.items() if each == name and wanted <= found)


def read(text: str) -> Metrics:
    """Read an exposition. An end of line after the last one is asked for by the format, and missed by no scraper.

    Raises:
        NotMetrics: It breaks the format.
    """
    samples: dict[tuple[str, Labels], float] = {}
    types: dict[str, str] = {}
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise NotMetrics("more lines than any bounded set of labels needs")
    for number, line in enumerate(lines, start=1):
        if line.strip() == "":
            continue
        if line.startswith("#"):
            _comment(line, number, types, samples)
            continue
        key, value = _sample(line, number)
        if key in samples:
            raise NotMetrics(f"line {number} repeats {key[0]} with the same labels")
        samples[key] = value
    found = Metrics(samples, types)
    for problem in _problems(found):
        raise NotMetrics(problem)
    return found


def _comment(line: str, number: int, types: dict[str, str], samples: Mapping[tuple[str, Labels], float]) -> None:
    match = COMMENT.fullmatch(line)
    if match is None or match[1] == "HELP":
        return
    name, kind = match[2], (match[3] or "").strip()
    if kind not in TYPES:
        raise NotMetrics(f"line {number} names an unknown type")
    if name in types:
        raise NotMetrics(f"line {number} gives {name} a type for the second time")
    if any(each == name for each, _ in samples):
        raise NotMetrics(f"line {number} gives {name} its type after its samples")
    types[name] = kind


def _sample(line: str, number: int) -> tuple[tuple[str, Labels], float]:
    match = SAMPLE.fullmatch(line.strip())
    if match is None:
        raise NotMetrics(f"line {number} is no sample")
    labels = _labels(match[2] or "", number)
    try:
        value = float(match[3].replace("+Inf", "inf"))
    except ValueError:
        raise NotMetrics(f"line {number} has no number") from None
    return (match[1], labels), value


def _labels(text: str, number: int) -> Labels:
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = LABEL.match(text, place)
        if match is None or match[1] in found:
            raise NotMetrics(f"line {number} has labels that cannot be read")
        found[match[1]] = re.sub(r"\\(.)", lambda each: "\n" if each[1] == "n" else each[1], match[2])
        place = match.end()
    return frozenset(found.items())


def _problems(found: Metrics) -> Iterator[str]:
    for name, kind in found.types.items():
        if kind == "counter":
            values = [value for (each, _), value in found.samples.items() if each == name]
            if any(not value >= 0 or math.isinf(value) for value in values):
                yield f"the counter {name} has a value that no counter can have"
        if kind == "histogram":
            yield from _histogram_problems(found, name)


def _histogram_problems(found: Metrics, name: str) -> Iterator[str]:
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (each, labels), value in found.samples.items():
        if each == f"{name}_bucket":
            bounds = dict(labels)
            bound = bounds.pop("le", "")
            try:
                series.setdefault(frozenset(bounds.items()), []).append((float(bound.replace("+Inf", "inf")), value))
            except ValueError:
                yield f"{name} has a bucket without a bound"
                return
    for labels, buckets in series.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        total = found.samples.get((f"{name}_count", labels))
        if counts != sorted(counts) or not math.isinf(buckets[-1][0]) or total != counts[-1]:
            yield f"the buckets of {name} do not add up to its count"
        if (f"{name}_sum", labels) not in found.samples:
            yield f"{name} has no sum"
