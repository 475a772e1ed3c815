"""A synthetic province: no enterprise, person, number or address in it is real."""
