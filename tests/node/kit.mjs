/** What both clients share: the kit they play a part from, and how they speak with the test.
 *
 * A client says what it did in lines of JSON on stdout and hears the browser's answer on stdin.
 * `fetch` is watched through the libraries' own option, never replaced: they run as published.
 */

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The part to play: `node client.mjs '{"kit": PATH, "client": "bank", "uscc": …}'`. */
export async function part() {
  const ask = JSON.parse(process.argv[2]);
  const kit = JSON.parse(await readFile(ask.kit, 'utf8'));
  const { client_id, private_jwks, redirect_uris } = kit.clients[ask.client];
  const [jwk] = private_jwks.keys;
  const key = await crypto.subtle.importKey(
    'jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
  );
  return {
    issuer: new URL(kit.issuer), clientId: client_id, key: { key, kid: jwk.kid },
    redirectUri: redirect_uris[0], proofAlgorithm: ask.proof_algorithm, query: ask.query,
    details: [{
      type: 'credit_data',
      enterprise: { uscc: ask.query.enterprise.uscc },
      purpose: ask.query.purpose,
      datasets: ask.query.datasets,
      max_uses: 10,
    }],
  };
}

export const exchanges = [];

/** The platform's own fetch, which also notes what was asked and what came back. */
export async function watched(url, init) {
  const response = await fetch(url, init);
  const { pathname } = new URL(url);
  exchanges.push({ method: init.method ?? 'GET', path: pathname, status: response.status });
  return response;
}

/** Tell the test that a step is done, with the exchanges that it took. */
export function say(step, details = {}) {
  console.log(JSON.stringify({ step, ...details, exchanges: exchanges.splice(0) }));
}

/** Send the browser to `url`; where it comes back to. */
export async function browse(url) {
  say('authorize', { url: url.href });
  const { value } = await lines.next();
  return new URL(value);
}

/** What the client's library said when it refused; a step that goes through is a failure. */
export async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    const challenge = Array.isArray(error.cause) ? error.cause[0].parameters.error : undefined;
    const says = [error.message, error.cause?.message].filter(Boolean).join(': ');
    return { says, status: error.status, error: error.error ?? challenge };
  }
  throw new Error('This should have been refused.');
}

/** The same callback, as if another authorization server had sent it (RFC 9207). */
export function fromAnotherIssuer(callback) {
  const forged = new URL(callback);
  forged.searchParams.set('iss', 'https://attacker.example');
  return forged;
}

/** Play the part; a client that fails says why and ends with status 1. */
export async function play(client) {
  try {
    await client(await part());
    process.exit(0);
  } catch (error) {
    const { message, code, cause } = error;
    say('failed', { message, code, cause: cause instanceof Error ? cause.message : cause });
    process.exit(1);
  }
}
