"""The cost model: a table of what Yosys makes of many units, and a fit of the estimates to it."""
