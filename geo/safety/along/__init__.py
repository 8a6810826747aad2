"""Where collisions gather along roads."""
