"""Notices to enterprises by e-mail or SMS about requests, decisions and changes."""
