"""Whether another revision makes the same hardware of the same models: see `python -m bench.same --help`."""
