"""Which delays serve a part, and which parts are refused."""

from __future__ import annotations

import pytest

from thresher.errors import UsageError
from thresher.hardware.parts import DEFAULT_PART, family_of


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
            "xc7s, xc7v, xc7z, xcau, xcku, xcvu, xczu, lfe5u",
        ),
    ],
)
def test_what_is_no_known_part_is_refused(part: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        family_of(part, "hlsc")
    assert str(caught.value) == message
