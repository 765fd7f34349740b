"""What was detected of one kind of drift, beside what the reference detects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import anchors
from answers import DECISION, Reading, fault_facts, main_reason
from asking import CLEAN, MODES, Panel
from figures import power_curves
from measures import Share, alarms, false_alarms, hits, percent, power_credit, validity
from world import SIZES

Rates = Mapping[str, Mapping[str, Mapping[float, float]]]
MODE_WORDS = {"pooled": "all week", "slice": "four hours"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Detection by size, of one kind in one mode.

    Attributes:
        found: Size to what was detected.
        reference: Size to the reference's rate.
    """

    found: Mapping[float, Share]
    reference: Mapping[float, float]

    @property
    def mean(self) -> float:
        """Mean detection over the ladder."""
        return sum(share.value for share in self.found.values()) / len(self.found)

    @property
    def reference_mean(self) -> float:
        """The reference's."""
        return sum(self.reference[size] for size in self.found) / len(self.found)

    @property
    def credit(self) -> float:
        """Credit before the gate."""
        return power_credit(self.mean, self.reference_mean)


def curve(panel: Panel, power: Rates, kind: str, mode: str) -> Curve:
    """Measure one kind in one mode."""
    found = {size: hits(panel.of(kind, mode, size=size)) for size in SIZES[kind]}
    return Curve(found=found, reference=power[mode][kind])


def of_kind(panel: Panel, kind: str) -> list[Reading]:
    """Return all answers about a kind."""
    return [reading for mode in MODES for size in SIZES[kind] for reading in panel.of(kind, mode, size=size)]


def noticed(panel: Panel, mode: str, rows: int = anchors.PLAIN_ROWS) -> Share:
    """Count how much of clear drift is noticed in this mode and size, in this mode at all, or in both: what is least.

    Both modes together are twice as many windows, and what a fixed cut-off notices there by luck is less.
    """
    asked = (panel.noticeable(mode, rows=rows), panel.noticeable(mode), panel.noticeable(*MODES))
    return min((alarms(readings) for readings in asked), key=lambda share: share.value)


def award_power(kind: str, panel: Panel, power: Rates, award, plot) -> None:
    """Award detection of one kind of drift, half for each mode, each gated by that mode's false alarms."""
    curves = {mode: curve(panel, power, kind, mode) for mode in MODES}
    gates = {mode: validity(false_alarms(panel.of(CLEAN, mode))) for mode in MODES}
    share = sum(curves[mode].credit * gates[mode] for mode in MODES) / len(MODES)
    plot(power_curves({kind: curves}), f"Detection by size of drift: {kind}")
    parts = [
        f"{MODE_WORDS[mode]}: {percent(each.mean)} detected, the reference {percent(each.reference_mean)}"
        + ("" if gates[mode] == 1 else f" (counts {gates[mode]:.0%}, for its false alarms)")
        for mode, each in curves.items()
    ]
    evidence = {
        f"{MODE_WORDS[mode]}, size {size:g}": f"{found.count} of {found.total}; the reference "
        f"{percent(each.reference[size])}"
        for mode, each in curves.items()
        for size, found in each.found.items()
    }
    readings = of_kind(panel, kind)
    metrics = {f"{mode} detection": each.mean for mode, each in curves.items()}
    metrics |= {f"{mode} reference": each.reference_mean for mode, each in curves.items()}
    award(
        share,
        "; ".join(parts) + ".",
        reason=main_reason(readings, DECISION),
        evidence=evidence | fault_facts(readings, DECISION),
        metrics=metrics | {f"{mode} gate": gates[mode] for mode in MODES},
    )
