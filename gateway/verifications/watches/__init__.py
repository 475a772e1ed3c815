"""Watch lists, `/v1/watches`: enterprises whose answers a client asks again when they change."""
