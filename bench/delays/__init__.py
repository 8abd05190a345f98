"""How long hlsc's operations take on a family of parts, measured with open tools."""
