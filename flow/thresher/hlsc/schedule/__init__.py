"""From the graph of a step to pipeline stages."""
