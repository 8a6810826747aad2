"""The stages that turn imagery into the fingerprints of segments and junctions."""
