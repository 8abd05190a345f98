"""The whole chain on scikit-learn's digits: train, export, build, simulate, print what came out.

For a fully connected network, then for a convolutional one. Exits with 1 if a simulation differs from the
golden model on any stream of any frame.
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
from networks import pad_signs
from thresher.report.tables import print_report
from train import RECIPES, Floats, Labels, Split, accuracy, load_split, save, train

TARGET_FPS = {"dense": 1_000_000, "conv": 300_000}


def onnx_accuracy(model: Path, images: Floats, labels: Labels) -> float:
    """The exported model's accuracy by the executor of QONNX, which shares no code with Thresher."""
    network = cleanup_model(ModelWrapper(str(model)))
    name_in, name_out = network.graph.input[0].name, network.graph.output[0].name
    classes = [
        execute_onnx(network, {name_in: image[None]})[name_out].argmax()
        for image in track(images, "executing the ONNX model", transient=True)
    ]
    return float((np.array(classes) == labels).mean())


def run_chain(console: Console, model: Path, target_fps: int, split: Split) -> bool:
    """Take a model to the tables; returns whether both simulations match the golden model."""
    console.print("Building its accelerator ...")
    accelerator = thresher.build(
        model,
        output_dir=model.with_name(f"{model.stem}_accelerator"),
        target_fps=target_fps,
        input_type="uint8",
        input_scale=1.0,
        force=True,
    )

    console.print("Simulating the C++ and the SystemVerilog on the held-out digits ...")
    pixels = split.test_x.astype(np.uint8)
    csim = accelerator.csim(pixels, labels=split.test_y, dataset="digits, held out")
    rtl = accelerator.sim(pixels, labels=split.test_y, dataset="digits, held out")

    accelerator.record_accuracy("onnx", onnx_accuracy(model, split.test_x, split.test_y))
    print_report(console, accelerator.report())
    console.print(f"The project is in {accelerator.directory}; its README says what can be done with it.")
    return not (csim.mismatches or rtl.mismatches)


def main() -> int:
    """Run the demo in a folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=Path("build/digits"), help="folder to write to")
    folder: Path = parser.parse_args().output
    console, split, matches = Console(), load_split(), []
    for kind, recipe in RECIPES.items():
        console.print(f"Training a 1-bit {recipe.title} network on scikit-learn's digits ...")
        network = train(split, recipe)
        correct = accuracy(network, split.test_x, split.test_y)
        console.print(f"In PyTorch it knows {correct:.2%} of the held-out digits.")
        model = save(network, split, folder, recipe.name)
        matches.append(run_chain(console, model, TARGET_FPS[kind], split))
        if kind == "conv":
            wrong = accuracy(pad_signs(network, -1), split.test_x, split.test_y)
            console.print(f"If padding counted as -1 and not as 0, the same network would know {wrong:.2%}.")
    return 0 if all(matches) else 1


if __name__ == "__main__":
    raise SystemExit(main())
