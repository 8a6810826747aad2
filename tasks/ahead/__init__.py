"""What is said of a run before it is done: how long it takes, and what becomes of it."""
