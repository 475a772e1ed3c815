"""Values on the wire: strict JSON, closed lists, identifiers, questions, results."""
