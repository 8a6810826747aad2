"""Words for what imagery looks like: a bank of concepts learned from labelled scenes, and what types are told by it."""
