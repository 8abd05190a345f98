"""A proof, for small units, that their pipeline does what their C++ does, whatever comes and whenever."""

from thresher.hlsc_proof.sat import Claim, Proof, claim, decide, prove

__all__ = ["Claim", "Proof", "claim", "decide", "prove"]
