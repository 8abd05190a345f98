"""The shallowest FIFOs with which something still holds, by trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thresher.hardware.fifos import MIN_DEPTH, fifo_resources

Depths = Mapping[str, int]

# LUTs that a trial must be able to save.
_WORTH = 12
# What a 36-kbit block RAM counts as: the least that it saves, by the rule of hlsc.
_LUTS_PER_BLOCK = 256
# A depth is bisected to within this part of it.
_FINENESS = 4
# Bits that are worth trials of their own: those of a 36-kbit block RAM, or nearly.
_MANY_BITS = 1 << 15


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
            _bisect(holds, widths, found, floor, names[0])
        else:
            middle = (len(names) + 1) // 2
            visit(names[middle:], fails=visit(names[:middle]))
        return False

    deeper = sorted(
        (name for name, depth in depths.items() if depth > floor[name]),
        key=lambda name: -widths[name] * depths[name],
    )
    for deep in (False, True):
        names = [name for name in deeper if (floor[name] > MIN_DEPTH) == deep]
        if names:
            visit(names)
    return found


def trim(
    holds: Callable[[Depths], bool], widths: Mapping[str, int], depths: Depths, floor: Depths
) -> dict[str, int]:
    """Bisect those of `depths`, with which `holds`, that have many bits, each by itself."""
    found = dict(depths)
    bits = {name: widths[name] * depth for name, depth in depths.items()}
    for name in sorted(bits, key=lambda name: -bits[name]):
        if bits[name] >= _MANY_BITS:
            _bisect(holds, widths, found, floor, name)
    return found


def _bisect(
    holds: Callable[[Depths], bool],
    widths: Mapping[str, int],
    found: dict[str, int],
    floor: Depths,
    name: str,
) -> None:
    """Bring the depth of `name` in `found` down towards its floor, as long as `holds`."""
    low = floor[name]
    while found[name] - low > found[name] // _FINENESS and _saves(widths[name], low + 1, found[name]):
        tried = (low + found[name]) // 2
        if holds({**found, name: tried}):
            found[name] = tried
        else:
            low = tried


def _saves(width: int, depth: int, instead: int) -> bool:
    """Whether a FIFO of `depth` is cheaper by what is worth a trial."""
    if depth >= instead:
        return False
    saved = fifo_resources(width, instead) - fifo_resources(width, depth)
    return saved.lut + _LUTS_PER_BLOCK * saved.bram36 >= _WORTH
