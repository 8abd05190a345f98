"""The synthesis tools by the name that `thresher synth --tool` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from thresher.tools.synthesis import Adapter

ADAPTERS: Mapping[str, Adapter] = {}
