"""The stages: each takes files, writes files and says what became of every item."""
