"""A random network from a seed: steps that fit what is there, so that most networks are supported."""

from __future__ import annotations

import numpy as np

from tests.fuzz_networks.caught import Caught
from tests.fuzz_networks.description import Description, Entry, make_frames, write_network
from tests.fuzz_networks.executor import execute
from tests.fuzz_networks.grow import Grower
from tests.fuzz_networks.values import DOMAIN, Style

_DOMAINS = (DOMAIN, "onnx.brevitas", "finn.custom_op.general")
# Networks that are drawn for one seed, for one that is not constant.
_TRIALS = 3


def random_description(seed: int) -> Description:
    """The network of `seed`: of a few the first whose outputs differ between frames, if there is one."""
    random = np.random.default_rng(seed)
    for _ in range(_TRIALS - 1):
        description = _grown(seed, random)
        if _varies(description):
            return description
    return _grown(seed, random)


def _varies(description: Description) -> bool:
    """Whether its outputs differ between frames; what the oracle cannot compute is left to the judge."""
    with Caught() as caught, np.errstate(all="ignore"):
        outputs = execute(write_network(description).proto, make_frames(description, 8)).outputs
        return bool((outputs != outputs[:1]).any())
    return caught.error is not None


def _grown(seed: int, random: np.random.Generator) -> Description:
    grower = Grower(random, _style(random), _entry(random))
    grower.grow()
    description = Description(
        grower.entry,
        tuple(grower.steps),
        grower.style,
        argmax=grower.argmax,
        add_bits=16 if random.random() < 0.8 else int(random.integers(8, 33)),
        frames_seed=seed,
    )
    return description.pruned()


def _style(random: np.random.Generator) -> Style:
    return Style(
        opset=int(random.integers(9, 21)),
        domain=_DOMAINS[min(int(random.integers(6)), 2)] if random.random() < 0.5 else DOMAIN,
        dyadic=bool(random.random() < 0.5),
        constant_nodes=bool(random.random() < 0.2),
        any_batch=bool(random.random() < 0.2),
    )


def _entry(random: np.random.Generator) -> Entry:
    """A vector, a line, or a map; now and then of size one."""
    rank = int(random.choice([1, 1, 2, 3, 3, 3]))
    sizes = [int(each) for each in random.integers(1, 8, rank - 1)]
    channels = int(random.integers(1, 25 if rank == 1 else 9))
    shape = (channels, *sizes)
    if random.random() < 0.65:
        return Entry(shape)
    bits, kind = int(random.integers(1, 9)), int(random.integers(5))
    name = "bipolar" if kind == 0 else f"uint{bits}" if kind < 3 else f"int{max(bits, 2)}"
    scale = float(np.exp2(random.integers(-8, 3)))
    if random.random() < 0.4:
        scale = float(np.float32(random.uniform(0.001, 2)))
    return Entry(shape, name, scale)
