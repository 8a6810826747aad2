"""Junctions as units of their own: what is known of their arms, what is to be expected of them, how they rank."""
