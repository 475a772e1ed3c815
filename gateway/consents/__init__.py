"""`/v1/consents`: a client requests, lists, reads and gives up its consents."""
