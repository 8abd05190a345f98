"""Units of an HLS engineer's daily work, with models that share nothing with their C++."""
