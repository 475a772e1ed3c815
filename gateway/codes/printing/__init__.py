"""Printed enterprise codes: stickers, posters and table tents as PDF, PNG and SVG, one or by the sheet."""
