"""The client's side of consent: what it holds, and giving it up."""
