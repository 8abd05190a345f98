"""A proof, for small units, that their pipeline does what their C++ does, whatever comes and whenever."""

from thresher.hlsc_proof.sat import Claim, DisprovedError, Proof, check_cycles, claim, decide, prove

__all__ = ["Claim", "DisprovedError", "Proof", "check_cycles", "claim", "decide", "prove"]
