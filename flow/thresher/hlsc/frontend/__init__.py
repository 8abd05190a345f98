"""From the LLVM IR of a step to the graph of the unit."""
