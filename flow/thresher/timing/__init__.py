"""When every beat moves: the units' exact schedules, and the depths of the FIFOs between them."""
