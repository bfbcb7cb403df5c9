"""boxloss: bounding-box losses."""
