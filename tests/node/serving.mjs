/** A provider listens before it is made, for its issuer is its address; and it says when it serves. */

import { createServer } from 'node:http';

/** Serve what `make(issuer)` gives, on a free loopback port or `port`, until stdin is closed. */
export function serve(make, { port = 0 } = {}) {
  const server = createServer();
  server.listen(port, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    server.on('request', make(issuer));
    console.log(JSON.stringify({ issuer }));
  });
  process.stdin.resume().on('end', () => process.exit(0));
}

/** What the test asks for: `node provider.mjs '{…}'`. */
export const ask = JSON.parse(process.argv[2] ?? '{}');
