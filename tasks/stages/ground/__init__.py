"""Stages that map what lies on the ground beside roads."""
