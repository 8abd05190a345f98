"""Which delays serve a part, what it has, and which parts are refused."""

from __future__ import annotations

import pytest

from thresher.errors import UsageError
from thresher.hardware.parts import DEFAULT_PART, PartSize, family_of, size_of
from thresher.kernels import Resources


@pytest.mark.parametrize(
    ("part", "family"),
    [
        (DEFAULT_PART, "xc7"),
        ("xc7a35tcpg236-1", "xc7"),
        ("XC7K325T", "xc7"),
        ("xc7s25csga225-1", "xc7"),
        ("xc7vx485tffg1761-2", "xc7"),
        ("xczu9eg-ffvb1156-2-e", "xc7"),
        ("xcku5p-ffvb676-2-e", "xc7"),
        ("xcvu9p-flga2104-2-i", "xc7"),
        ("xcau25p-ffvb676-2-e", "xc7"),
        ("xck26-sfvc784-2LV-c", "xc7"),
        ("LFE5U-25F-6BG256C", "ecp5"),
        ("LFE5UM5G-85F-8BG756C", "ecp5"),
        ("lfe5u-85f", "ecp5"),
    ],
)
def test_the_family_of_a_part(part: str, family: str) -> None:
    assert family_of(part) == family


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("", "hlsc: '' is not a part number; give one such as xc7z020clg400-1"),
        ("xc7; exit", "hlsc: 'xc7; exit' is not a part number; give one such as xc7z020clg400-1"),
        (
            "5CSEMA5F31C6",
            "hlsc: the delays of part '5CSEMA5F31C6' are not known; give one that begins with xc7a, xc7k, "
            "xc7s, xc7v, xc7z, xcau, xcku, xcvu, xczu, xck26, lfe5u",
        ),
    ],
)
def test_what_is_no_known_part_is_refused(part: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        family_of(part, "hlsc")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("part", "size"),
    [
        (DEFAULT_PART, PartSize(lut=53_200, bram36=140, dsp=220)),
        ("XC7A35T-1CPG236C", PartSize(lut=20_800, bram36=50, dsp=90)),
        ("xczu7ev-ffvc1156-2-e", PartSize(lut=230_400, bram36=312, dsp=1_728)),
        ("xck26-sfvc784-2LV-c", PartSize(lut=117_120, bram36=144, dsp=1_248)),
        # 24,288 LUTs of 4 inputs and 56 memories of 18 kbit.
        ("LFE5U-25F-6BG256C", PartSize(lut=12_144, bram36=28, dsp=28)),
        ("LFE5UM5G-85F-8BG756C", PartSize(lut=41_820, bram36=104, dsp=156)),
    ],
)
def test_what_a_part_has(part: str, size: PartSize) -> None:
    assert size_of(part) == size


def test_a_part_whose_size_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        size_of("xc7vx485tffg1761-2")
    assert str(caught.value) == (
        "build: the size of part 'xc7vx485tffg1761-2' is not known, so nothing can be fitted to it; give a "
        "target rate or a folding, or a part that begins with xc7a35t, xc7a50t, xc7a100t, xc7a200t, "
        "xc7k325t, xc7s50, xc7z010, xc7z020, xc7z045, xck26, xczu3eg, xczu7ev, xczu9eg, xcvu9p, lfe5u-25f, "
        "lfe5u-45f, lfe5u-85f"
    )


@pytest.mark.parametrize(
    "cost", [Resources(lut=101), Resources(bram36=10.5), Resources(dsp=6), Resources(100, 0, 10.0, 7)]
)
def test_a_part_holds_no_more_than_it_has(cost: Resources) -> None:
    size = PartSize(lut=100, bram36=10, dsp=5)
    assert size.holds(Resources(lut=100, ff=10**6, bram36=10.0, dsp=5))
    assert not size.holds(cost)
