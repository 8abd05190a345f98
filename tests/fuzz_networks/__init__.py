"""Random networks in plain ONNX and QONNX, held to an executor of the model."""
