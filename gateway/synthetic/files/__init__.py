"""Files of a synthetic province in the delivery formats, written by streams."""
