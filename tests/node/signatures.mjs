/** Verifies answers of /v1 with the npm package `http-message-signatures`, as published.
 *
 * Told in its one argument: `keys` (JWKs), and `exchanges`, each a request and its answer. Says for each
 * which parts its signature covers, or why it does not hold.
 */

import { createPublicKey, verify } from 'node:crypto';

import { httpbis } from 'http-message-signatures';

const { keys, exchanges } = JSON.parse(process.argv[2]);
const byId = new Map(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]));

/** What holds the signature's base against its key. */
async function keyLookup({ keyid, tag }) {
  const key = byId.get(keyid);
  if (key === undefined || tag !== 'xinqiao-response') return null;
  return { id: keyid, algs: ['ed25519'], verify: async (base, signature) => verify(null, base, key, signature) };
}

for (const { request, answer } of exchanges) {
  let holds;
  try {
    holds = await httpbis.verifyMessage({ keyLookup, all: true, tolerance: 60 }, answer, request);
  } catch (error) {
    holds = String(error);
  }
  console.log(JSON.stringify({ holds, covers: answer.headers['signature-input'] }));
}
