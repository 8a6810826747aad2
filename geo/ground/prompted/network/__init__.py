"""The promptable network: where its weights come from, and how what is in them becomes a network."""
