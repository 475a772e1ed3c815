"""The demo: its command, its seeded database, clients, accounts and state folder."""
