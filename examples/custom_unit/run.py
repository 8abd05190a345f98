"""A kernel of another package end to end: train, export, build, simulate, print what came out.

Exits with 1 if the filter differs from SciPy's, the classes from those of QONNX's executor, or a
simulation from the golden model on any stream of any frame.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model
from rich.console import Console
from rich.progress import track
from scipy.signal import medfilt

import thresher
from thresher.report.tables import print_report
from waveforms import SIZE, Floats, Labels, make_split, save, train

TARGET_FPS = 1_000_000


def filter_apart(signals: Floats) -> Floats:
    """What the custom node computes, by SciPy."""
    return np.stack([medfilt(signal, SIZE) for signal in signals])


def classes_apart(model: Path, filtered: Floats) -> Labels:
    """The classes of signals that were filtered already, by QONNX's executor, without the custom node."""
    proto = onnx.load(model)
    (node,) = [node for node in proto.graph.node if node.op_type == "MedianFilter"]
    for reader in proto.graph.node:
        reader.input[:] = [node.input[0] if name == node.output[0] else name for name in reader.input]
    proto.graph.node.remove(node)
    network = cleanup_model(ModelWrapper(proto))
    name_in, name_out = network.graph.input[0].name, network.graph.output[0].name
    classes = [
        execute_onnx(network, {name_in: signal[None]})[name_out].argmax()
        for signal in track(filtered, "executing the ONNX model", transient=True)
    ]
    return np.array(classes)


def differences(accelerator: thresher.Accelerator, model: Path, signals: Floats, labels: Labels) -> int:
    """Frames whose golden filter or class is not that of the references; notes the ONNX accuracy."""
    frames: npt.NDArray[np.uint8] = signals.astype(np.uint8)
    filtered = filter_apart(signals)
    golden = accelerator.trace(frames)["median_filter0_out"][:, 0]
    classes = classes_apart(model, filtered)
    accelerator.record_accuracy("onnx", float((classes == labels).mean()))
    wrong = (golden != filtered).any(axis=1) | (accelerator.predict(frames).argmax(axis=1) != classes)
    return int(wrong.sum())


def main() -> int:
    """Run the example in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("build/custom_unit"), help="folder to write to")
    folder: Path = parser.parse_args().output
    console = Console()

    console.print("Training a 1-bit network on noisy waveforms, behind a median filter ...")
    split = make_split()
    model = save(train(split), folder)

    console.print("Building its accelerator, with the filter of the package example-filters ...")
    accelerator = thresher.build(model, output_dir=folder / "accelerator", target_fps=TARGET_FPS, force=True)

    console.print("Simulating the C++ and the SystemVerilog on signals that it was not trained on ...")
    csim = accelerator.csim(split.test_x, labels=split.test_y, dataset="waveforms, held out")
    rtl = accelerator.sim(split.test_x, labels=split.test_y, dataset="waveforms, held out")

    wrong = differences(accelerator, model, split.test_x, split.test_y)
    print_report(console, accelerator.report())
    console.print(
        f"Golden model against SciPy's medfilt and QONNX: {wrong} of {len(split.test_x)} frames differ."
    )
    console.print(f"The project is in {folder / 'accelerator'}; its README says what can be done with it.")
    return 1 if wrong or csim.mismatches or rtl.mismatches else 0


if __name__ == "__main__":
    raise SystemExit(main())
