"""Scenes of the opening day: what one load does to another, and what size does to the write-off."""
