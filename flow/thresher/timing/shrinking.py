"""The shallowest FIFOs with which something still holds, by trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thresher.hardware.fifos import MIN_DEPTH, fifo_resources

Depths = Mapping[str, int]

# LUTs that a trial must be able to save.
_WORTH = 12
# A depth is bisected to within this part of it.
_FINENESS = 4


def shrink(
    holds: Callable[[Depths], bool], widths: Mapping[str, int], depths: Depths, floor: Depths
) -> dict[str, int]:
    """Bring `depths`, with which `holds`, down to `floor` as far as it goes on to hold.

    Those that may be of the least depth go first, many at a time, and of those and of the others the ones
    with the most bits, as one FIFO may do the work of another; what cannot go to its floor is bisected.
    """
    found = dict(depths)

    def visit(names: list[str], fails: bool = False) -> bool:
        """Bring as many of `names` as can be to the floor, those first that come first; were all?

        `fails` says that it is known not to go with all of them.
        """
        lowest = {name: floor[name] for name in names}
        if not fails and holds({**found, **lowest}):
            found.update(lowest)
            return True
        if len(names) == 1:
            bisect(names[0])
        else:
            middle = (len(names) + 1) // 2
            visit(names[middle:], fails=visit(names[:middle]))
        return False

    def bisect(name: str) -> None:
        low = floor[name]
        while found[name] - low > found[name] // _FINENESS and _saves(widths[name], low + 1, found[name]):
            tried = (low + found[name]) // 2
            if holds({**found, name: tried}):
                found[name] = tried
            else:
                low = tried

    deeper = sorted(
        (name for name, depth in depths.items() if depth > floor[name]),
        key=lambda name: -widths[name] * depths[name],
    )
    for deep in (False, True):
        names = [name for name in deeper if (floor[name] > MIN_DEPTH) == deep]
        if names:
            visit(names)
    return found


def _saves(width: int, depth: int, instead: int) -> bool:
    """Whether a FIFO of `depth` is cheaper by what is worth a trial."""
    if depth >= instead:
        return False
    return fifo_resources(width, instead).lut - fifo_resources(width, depth).lut >= _WORTH
