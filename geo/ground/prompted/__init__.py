"""Carriageways as a promptable network (Segment Anything) sees them, prompted along the lines of roads."""
