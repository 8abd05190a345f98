"""The top for Vitis HLS, run as a C simulation with AMD's own types."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

import thresher
from tests.models import ModelBuilder
from tests.small_models import save_small_model
from thresher_sim.compile import compile_program
from thresher_sim.project import Project
from thresher_sim.vectors import beats_path, read_frames

BENCH = Path(__file__).with_name("top_bench.cpp")
VITIS = Path(__file__).with_name("vitis")
FRAMES = 5


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> thresher.Accelerator:
    folder = tmp_path_factory.mktemp("top")
    model = save_small_model(folder / "small.onnx")
    return thresher.build(model, folder / "project", folding={"mvu0": {"pe": 4, "simd": 5}})


def test_the_vitis_top_gives_the_golden_beats(accelerator: thresher.Accelerator, tmp_path: Path) -> None:
    check_vitis_top(accelerator.project, tmp_path)


def test_windows_and_branches_in_the_vitis_top(tmp_path: Path) -> None:
    build = ModelBuilder((1, 4, 4, 6))
    x = build.quant("x", 0.25)
    weights = np.random.default_rng(0).integers(-3, 4, (4, 4, 3, 3)).astype(np.float32)
    y = build.node("Conv", x, build.quant(build.constant(weights), 1.0, 0.0, 4), pads=[1, 1, 1, 1])
    y = build.quant(build.node("Add", build.quant(y, 0.25), x), 0.5, 0.0, 3)
    model = tmp_path / "residual.onnx"
    onnx.save(build.proto(build.node("Conv", y, build.quant(build.constant(weights), 1.0, 0.0, 4))), model)

    check_vitis_top(thresher.build(model, tmp_path / "project").project, tmp_path)


def test_the_bench_of_vitis_hls_compares_every_beat(
    accelerator: thresher.Accelerator, tmp_path: Path
) -> None:
    """As Vitis HLS builds it, with beats of AMD's type."""
    project = accelerator.project
    source = tmp_path / "both.cpp"
    source.write_text('#define THRESHER_VITIS\n#include "top.cpp"\n#include "top_tb.cpp"\n')
    program = compile_program(source, [project.root / "hls", VITIS], tmp_path / "csim", "amd")
    inputs, outputs = (beats_path(project.vectors, end) for end in (project.input, project.output))

    def bench(expected: Path) -> tuple[int, str, str]:
        done = subprocess.run([program, inputs, expected], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert bench(outputs) == (0, "top_tb: 16 frames, 0 mismatches\n", "")
    wrong = tmp_path / "wrong.bin"
    beats = bytearray(outputs.read_bytes())
    beats[2 * project.output.layout.beats_per_frame * project.output.layout.bytes_per_beat] ^= 1
    wrong.write_bytes(beats)
    assert bench(wrong) == (1, "top_tb: 16 frames, 1 mismatches\n", "top_tb: frame 2, beat 0 differs\n")
    wrong.write_bytes(beats[:-1])
    assert bench(wrong) == (1, "", "top_tb: the files hold no whole frames, or not as many\n")
    assert bench(tmp_path / "none") == (1, "", f"top_tb: cannot open '{tmp_path / 'none'}'\n")


def test_layers_alone_have_the_streams_of_the_network(
    accelerator: thresher.Accelerator, tmp_path: Path
) -> None:
    """The tops of the layers, each called for its frame: what one writes is what the next reads."""
    project = accelerator.project
    names = [layer.name for layer in project.layers]
    widths = [stream.layout.width for stream in project.streams]
    streams = [f'hls::stream<ap_uint<{width}>> s{place}("s{place}");' for place, width in enumerate(widths)]
    calls = [f"{name}_top(s{place}, s{place + 1});" for place, name in enumerate(names)]
    source = tmp_path / "chain.cpp"
    source.write_text(
        "\n".join(
            [
                *(f'#include "tops/{name}.cpp"' for name in names),
                "#include <cstdio>",
                "int main() {",
                *streams,
                "  char beat[4096];",
                '  while (std::scanf("%4095s", beat) == 1) s0.write(ap_uint<1024>(beat, 16));',
                f"  for (int frame = 0; frame < {FRAMES}; ++frame) {{ {' '.join(calls)} }}",
                f"  while (!s{len(names)}.empty())",
                f'    std::printf("%s\\n", s{len(names)}.read().to_string(16).c_str());',
                "}",
            ]
        )
    )
    program = compile_program(source, [project.root / "hls"], tmp_path / "csim", "amd")
    sent, expected = (
        [f"0x{_number(beat):x}" for frame in read_frames(project.vectors, end, FRAMES) for beat in frame]
        for end in (project.input, project.output)
    )
    done = subprocess.run([program], input="\n".join(sent), capture_output=True, text=True, check=True)
    assert [int(line, 16) for line in done.stdout.split()] == [int(beat, 16) for beat in expected]


def check_vitis_top(project: Project, tmp_path: Path) -> None:
    """Hold what a project's top gives on its own vectors against them."""
    source = tmp_path / "both.cpp"
    source.write_text(f'#include "top.cpp"\n#include "{BENCH}"\n')
    program = compile_program(source, [project.root / "hls"], tmp_path / "csim", "amd")
    stimulus = read_frames(project.vectors, project.input, FRAMES)
    lines = [f"0x{_number(beat):x}" for frame in stimulus for beat in frame]
    beats = str(project.input.layout.beats_per_frame)
    done = subprocess.run(
        [program, str(FRAMES), beats], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    got = [(int(data, 16), int(last)) for data, last in map(str.split, done.stdout.splitlines())]
    expected = [
        (_number(beat), int(index == len(frame) - 1))
        for frame in read_frames(project.vectors, project.output, FRAMES)
        for index, beat in enumerate(frame)
    ]
    assert got == expected


def _number(beat: np.ndarray) -> int:
    return int.from_bytes(beat.tobytes(), "little")
