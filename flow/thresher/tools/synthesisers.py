"""The synthesis tools by the name that `thresher synth --tool` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from thresher.tools import nextpnr_synthesis, yosys_synthesis
from thresher.tools.synthesis import Adapter
from thresher.tools.vendor import quartus, vitis_hls, vivado

ADAPTERS: Mapping[str, Adapter] = {
    yosys_synthesis.TOOL: yosys_synthesis.synthesise,
    nextpnr_synthesis.TOOL: nextpnr_synthesis.synthesise,
    vitis_hls.TOOL: vitis_hls.synthesise,
    vivado.TOOL: vivado.synthesise,
    quartus.TOOL: quartus.synthesise,
}
