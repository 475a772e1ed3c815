"""Change feed, `/v1/changes`: withdrawn or corrected records, and changes of the client's consents."""
