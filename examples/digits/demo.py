"""The whole chain on scikit-learn's digits: train, export, build, simulate, print what came out.

Exits with 1 if a simulation differs from the golden model on any stream of any frame.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model
from rich.console import Console
from rich.progress import track

import thresher
from thresher.report.tables import print_report
from train import Floats, Labels, load_split, save, train

TARGET_FPS = 1_000_000


def onnx_accuracy(model: Path, images: Floats, labels: Labels) -> float:
    """The exported model's accuracy by the executor of QONNX, which shares no code with Thresher."""
    network = cleanup_model(ModelWrapper(str(model)))
    name_in, name_out = network.graph.input[0].name, network.graph.output[0].name
    classes = [
        execute_onnx(network, {name_in: image[None]})[name_out].argmax()
        for image in track(images, "executing the ONNX model", transient=True)
    ]
    return float((np.array(classes) == labels).mean())


def main() -> int:
    """Run the demo in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("build/digits"), help="folder to write to")
    folder: Path = parser.parse_args().output
    console = Console()

    console.print("Training a 1-bit network on scikit-learn's digits ...")
    split = load_split()
    model = save(train(split), split, folder)

    console.print("Building its accelerator ...")
    accelerator = thresher.build(
        model,
        output_dir=folder / "accelerator",
        target_fps=TARGET_FPS,
        input_type="uint8",
        input_scale=1.0,
    )

    console.print("Simulating the C++ and the SystemVerilog on the held-out digits ...")
    pixels = split.test_x.astype(np.uint8)
    csim = accelerator.csim(pixels, labels=split.test_y, dataset="digits, held out")
    rtl = accelerator.sim(pixels, labels=split.test_y, dataset="digits, held out")

    accelerator.record_accuracy("onnx", onnx_accuracy(model, split.test_x, split.test_y))
    print_report(console, accelerator.report())
    console.print(f"The project is in {folder / 'accelerator'}; its README says what can be done with it.")
    return 1 if csim.mismatches or rtl.mismatches else 0


if __name__ == "__main__":
    raise SystemExit(main())
