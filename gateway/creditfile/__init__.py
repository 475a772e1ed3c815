"""Credit files: the data catalogue, records of enterprises, and the rules for how long they are disclosed."""
