"""Enterprise portal: consents, access history, own record, objections, delegates, contact points."""
