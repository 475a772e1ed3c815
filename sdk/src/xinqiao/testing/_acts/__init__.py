"""What a test does to the fake gateway: acts of enterprises and departments, outages, faults."""
