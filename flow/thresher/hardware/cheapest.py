"""The cheapest choice of one folding per layer, and the fastest that there is."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from thresher.hardware.choices import Choices, Floats, Joint, Stage
from thresher.ir.kernel import LUT_PER_BRAM36, LUT_PER_DSP

Picks = tuple[int, ...]

# By resource. Flip-flops come two to a LUT, so they are rarely what runs out.
IN_LUTS: Floats = np.array([1.0, 0.25, LUT_PER_BRAM36, LUT_PER_DSP])


def cheapest(choices: Choices, cycles_per_frame: int, weights: Floats = IN_LUTS) -> Picks | None:
    """The candidates that together cost least, none taking more than `cycles_per_frame`.

    Resources are added up by `weights`, as a rule in LUTs (`ir.kernel`). A shortest path, layer by
    layer, so it is exact; of equal ones the first candidate wins. None where no such candidates can be
    joined.
    """
    choices = choices.at(cycles_per_frame)
    ahead = [total[:, 0] for total in costs_to_go(choices, cycles_per_frame, weights[:, None])]
    totals = ahead[0]
    picks: list[int] = []
    for position, stage in enumerate(choices.stages):
        if position:
            joint, target = choices.joints[position - 1], choices.stages[position - 1].targets[picks[-1]]
            between = _joint_costs(joint, cycles_per_frame, weights[:, None])[target, :, 0]
            totals = between[stage.sources] + ahead[position]
        if not np.isfinite(totals).any():
            return None
        picks.append(int(np.argmin(totals)))
    return tuple(picks)


def fastest(choices: Choices) -> int | None:
    """The least cycles per frame of any chain of candidates; None where none can be joined at all.

    Whatever meets a number of cycles also meets a larger one, so the least is found by halving.
    """
    rates = choices.rates
    place = bisect_left(rates, True, key=lambda cycles: cheapest(choices, cycles) is not None)
    return rates[place] if place < len(rates) else None


def costs_to_go(choices: Choices, cycles_per_frame: int, weights: Floats) -> list[Floats]:
    """For candidate c of layer k the least cost of it and all that follows, `result[k][c, w]`.

    Costs are weighted by `weights[resource, w]`; infinite where something must take more cycles.
    """
    ahead = [_unit_costs(choices.stages[-1], cycles_per_frame, weights)]
    for position in reversed(range(len(choices.joints))):
        stage, behind, joint = (
            choices.stages[position],
            choices.stages[position + 1],
            choices.joints[position],
        )
        entering = behind.least_by_source(ahead[-1])
        leaving = np.min(_joint_costs(joint, cycles_per_frame, weights) + entering, axis=1, initial=np.inf)
        ahead.append(_unit_costs(stage, cycles_per_frame, weights) + leaving[stage.targets])
    return ahead[::-1]


def _unit_costs(stage: Stage, cycles_per_frame: int, weights: Floats) -> Floats:
    return np.where((stage.cycles <= cycles_per_frame)[:, None], stage.costs @ weights, np.inf)


def _joint_costs(joint: Joint, cycles_per_frame: int, weights: Floats) -> Floats:
    return np.where((joint.cycles <= cycles_per_frame)[..., None], joint.costs @ weights, np.inf)
