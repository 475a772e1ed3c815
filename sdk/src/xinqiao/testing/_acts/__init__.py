"""Test controls of the fake gateway: decisions of enterprises and departments, outages, faults."""
