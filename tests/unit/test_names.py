"""Names that reach C++ and SystemVerilog."""

from __future__ import annotations

from pathlib import Path

import pytest

from thresher.errors import UsageError
from thresher.unit.names import check_header, check_type_name, module_name


@pytest.mark.parametrize(
    "text", ["Unit", "::my::Unit", "my::Median<8, 5>", "F<my::G<3>, -2>", "Wide<unsigned long>", "_a1"]
)
def test_a_class_may_be_named(text: str) -> None:
    check_type_name(text)


@pytest.mark.parametrize(
    "text", ["", "8", "a;b", "a{}", 'a"', "a\nb", "a/*b*/", "a\\b", "a(b)", "a#b", "é", "a\t", "a&", "-a"]
)
def test_what_is_no_class_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_type_name(text)
    assert str(caught.value) == (
        f"hlsc: --top {text!r} is not the name of a class; give one such as Unit, my::Unit or "
        "'my::Unit<8, 5>', of letters, digits, _, ::, <>, commas, spaces and minus signs"
    )


@pytest.mark.parametrize(
    ("type_name", "name"),
    [
        ("Unit", "Unit"),
        ("::my::Unit", "Unit"),
        ("my::Median<8, 5>", "Median_8_5"),
        ("F<my::G<3>, -2>", "F_G_3_2"),
    ],
)
def test_a_module_is_named_after_its_class(type_name: str, name: str) -> None:
    assert module_name(type_name, None) == name


@pytest.mark.parametrize("name", ["fifo", "Compressor", "tb", "stream_monitor", "RAM"])
def test_a_module_does_not_hide_another(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        module_name("Unit", name)
    assert str(caught.value) == (
        f"hlsc: module '{name}' would hide Thresher's own; give another name with --name"
    )


@pytest.mark.parametrize("name", ["", "a b", "8a", "_a", "a;", "a$b", "é"])
def test_what_is_no_module_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        module_name("Unit", name)
    assert str(caught.value) == (
        f"hlsc: '{name}' cannot be a module's name; give another with --name, of letters, digits and _"
    )


def test_a_header_that_cannot_be_included_is_refused(tmp_path: Path) -> None:
    header = tmp_path / 'a"b.hpp'
    header.touch()
    with pytest.raises(UsageError) as caught:
        check_header(header)
    assert str(caught.value) == "hlsc: 'a\"b.hpp' cannot be included; rename the file"
