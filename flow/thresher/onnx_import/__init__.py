"""ONNX to typed nodes, and back to the parts of the model that run on the host."""

from thresher.onnx_import.importer import Imported, OnnxNode, QuantGraph, import_model
from thresher.onnx_import.problems import NodeError
from thresher.onnx_import.reader import OnnxModel, parse_model, read_model

__all__ = [
    "Imported",
    "NodeError",
    "OnnxModel",
    "OnnxNode",
    "QuantGraph",
    "import_model",
    "parse_model",
    "read_model",
]
