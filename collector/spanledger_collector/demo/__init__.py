"""`spanledger demo`: a vendor that keeps its own bill, a small company that uses it, and the proof that both agree."""
