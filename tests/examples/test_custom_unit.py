"""The example of a kernel in a package of its own, from its wheel to its simulation."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

import thresher
from example_filters.median_filter import Median, MedianFilter
from run import classes_apart, differences, filter_apart
from tests.kernels.bench import KernelBench, make_bench
from tests.timing.runs import own_latency
from thresher import cli
from thresher.ir.integer import TensorType
from thresher.kernels import IntCustom, Integers, IntType, RefusalError
from thresher.kernels.installed import available_kernels
from thresher_sim.project import load_project
from thresher_sim.sources import is_fresh
from thresher_sim.streams import BIPOLAR
from waveforms import Split, make_split, save, train

FRAMES = 6
# Range, samples, size, samples a cycle: beats full and padded, signals shorter than the window, all at once.
SHAPES = (
    ((0, 255), 64, 5, 1),
    ((0, 255), 64, 5, 4),
    ((-128, 127), 13, 3, 4),
    ((-5, 3), 7, 9, 2),
    ((0, 1), 20, 7, 20),
    ((-8, 7), 4, 9, 1),
    ((0, 255), 1, 5, 1),
)


@dataclass(frozen=True, eq=False)
class Built:
    split: Split
    model: Path
    accelerator: thresher.Accelerator


@pytest.fixture(scope="module")
def installed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `pip install ./examples/custom_unit` puts into site-packages."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=repository / "examples" / "custom_unit", capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def site(installed: Path) -> Iterator[Path]:
    """The package, installed for this module's tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(installed))
        yield installed


@pytest.fixture(scope="module")
def built(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example's network, hardly trained, and its accelerator."""
    folder = tmp_path_factory.mktemp("custom_unit")
    split = make_split()
    model = save(train(split, epochs=1), folder)
    return Built(split, model, thresher.build(model, folder / "accelerator", target_fps=1_000_000))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> KernelBench:
    """A filter of each of `SHAPES`."""
    kernels = [median_filter(*shape) for shape in SHAPES]
    return make_bench(tmp_path_factory.mktemp("bench"), kernels, np.random.default_rng(0), FRAMES)


def median_filter(bounds: tuple[int, int], samples: int, size: int, pe: int) -> MedianFilter:
    kind = TensorType(IntType(*bounds), 1, samples)
    return MedianFilter(IntCustom("custom0", "x", "y", (), kind, kind, Median(size), (samples,)), size, pe)


def test_the_wheel_brings_the_kernel_and_its_header(site: Path) -> None:
    assert MedianFilter in available_kernels()
    assert (site / "example_filters" / "median_filter.hpp").is_file()


@pytest.mark.parametrize("shape", SHAPES)
def test_golden_equals_scipy(shape: tuple[tuple[int, int], int, int, int]) -> None:
    kernel = median_filter(*shape)
    (low, high), samples, size, _ = shape
    frames = np.random.default_rng(1).integers(low, high + 1, (20, 1, samples))

    # SciPy warns of signals shorter than the window, and has zeros beyond the ends as well.
    expected = [scipy.signal.medfilt(np.pad(frame[0], size), size)[size:-size] for frame in frames]

    assert np.array_equal(kernel.golden(frames)[:, 0], expected)


@pytest.mark.parametrize("types", ["bitint", "amd"])
def test_cpp_equals_golden(bench: KernelBench, types: str) -> None:
    assert [stream.describe() for stream in bench.run_cpp(types).streams if stream.wrong] == []


def test_rtl_equals_golden_at_initiation_interval_1(bench: KernelBench) -> None:
    units = bench.compile(200.0)

    assert [stream.describe() for stream in bench.run_rtl(stall=40).comparison.streams if stream.wrong] == []
    run = bench.run_rtl(stall=0)
    assert [stream.describe() for stream in run.comparison.streams if stream.wrong] == []
    for node, timing in zip(bench.nodes, run.timings, strict=True):
        latency = own_latency(node.kernel.schedule(), units[node.name].stages)
        assert timing.cycles_per_frame == node.kernel.cycles_per_frame, node
        assert timing.latency_cycles == latency, node


def test_check_names_what_takes_the_node(built: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(built.model)]) == 0

    (line,) = [line for line in capsys.readouterr().out.splitlines() if "MedianFilter" in line]
    assert "median_filter0" in line


def test_golden_equals_scipy_and_qonnx(built: Built) -> None:
    signals = built.split.test_x[:100]

    assert differences(built.accelerator, built.model, signals, built.split.test_y[:100]) == 0


def test_the_references_can_differ(built: Built) -> None:
    """The filter matters to the classes, so that equal ones are no chance."""
    signals = built.split.test_x[:100]

    classes = classes_apart(built.model, filter_apart(signals))

    assert (classes != classes_apart(built.model, signals)).any()


def test_simulations_equal_golden(built: Built) -> None:
    signals = built.split.test_x[:20]

    csim, rtl = built.accelerator.csim(signals), built.accelerator.sim(signals, stall=20)

    assert (csim.mismatches, rtl.mismatches) == (0, 0)
    assert "median_filter0_out" in rtl.streams


def test_the_project_holds_the_header_and_notices_its_changes(built: Built) -> None:
    project = load_project(built.accelerator.directory)
    header = project.root / "hls" / "example_filters" / "median_filter.hpp"
    text = header.read_text()

    assert text == (MedianFilter.cpp_folder() / "median_filter.hpp").read_text()
    assert is_fresh(project)
    header.write_text(text + "// mended\n")
    assert not is_fresh(project)
    header.write_text(text)


def test_the_report_lists_the_unit(built: Built) -> None:
    layer = built.accelerator.report()["layers"][0]

    assert (layer["name"], layer["kernel"], layer["input_type"]) == (
        "median_filter0",
        "median_filter",
        "uint8[0..255]",
    )


def test_a_built_project_is_opened_again(built: Built) -> None:
    opened = thresher.load(built.accelerator.directory)

    frames = built.split.test_x[:5]
    assert np.array_equal(opened.predict(frames), built.accelerator.predict(frames))


@pytest.mark.parametrize("attributes", [{}, {"size": 4}, {"size": "5"}, {"size": 5, "mode": 1}])
def test_attributes_that_make_no_sense(attributes: dict[str, int | str]) -> None:
    with pytest.raises(RefusalError) as refused:
        Median.from_attributes(attributes)

    assert str(refused.value) == (
        f"its attributes are {attributes}; give one, 'size', which is one of 3, 5, 7, 9"
    )


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (Integers(IntType(0, 255), 1.0, 128), "uint8[0..255] with zero point 128"),
        (Integers(BIPOLAR), "bipolar with zero point 0"),
        (Integers(IntType(1, 9)), "uint4[1..9] with zero point 0"),
    ],
)
def test_types_without_a_zero(source: Integers, what: str) -> None:
    with pytest.raises(RefusalError) as refused:
        Median(5).output((64,), source)

    assert str(refused.value) == (
        f"its input is {what}, where zero is not 0; quantise its input with a zero point of 0"
    )


def test_several_signals() -> None:
    with pytest.raises(RefusalError) as refused:
        Median(5).output((2, 64), Integers(IntType(0, 255)))

    assert str(refused.value) == (
        "its input has frames of shape [2, 64], where one signal is needed; filter one signal, before "
        "others join it"
    )
