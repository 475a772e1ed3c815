"""The operators' admin API and services: clients, agreements, catalogue, reviews, audit log."""
