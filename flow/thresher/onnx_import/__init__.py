"""ONNX to typed nodes, and back to the parts of the model that run on the host."""

from thresher.onnx_import.importer import Imported, import_model
from thresher.onnx_import.reader import OnnxModel, parse_model, read_model

__all__ = [
    "Imported",
    "OnnxModel",
    "import_model",
    "parse_model",
    "read_model",
]
