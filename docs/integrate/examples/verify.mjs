/** One verification with Node.js 20 and two packages; a bank's whole way is in bank.mjs. Usage, in the repository:
 *
 * npm install --no-save oauth4webapi@3 http-message-signatures@1
 * node docs/integrate/examples/verify.mjs .demo/kit.json platform
 */

import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import { httpbis } from 'http-message-signatures';
import * as oauth from 'oauth4webapi';

// One sentence for whoever runs this; your service would log the whole error.
process.on('uncaughtException', ({ message, cause }) => {
  const more = cause?.error_description ?? cause?.message;
  console.error(more ? `${message}: ${more}` : message);
  process.exitCode = 1;
});

const [, , path = '.demo/kit.json', part = 'platform'] = process.argv;
const kit = await readFile(path, 'utf8').then(JSON.parse).catch(() => {
  throw new Error(`There is no kit to read at ${path}: run make demo, and give the path of its .demo/kit.json.`);
});
const me = kit.clients[part];
if (!me) throw new Error(`The kit has no client ${part}; it has ${Object.keys(kit.clients).join(', ')}.`);
const [jwk] = me.private_jwks.keys;
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
const issuer = new URL(kit.issuer);
const signal = () => AbortSignal.timeout(30_000);
// A demo is http on this machine; everywhere else leave this out, and plain http is refused.
const options = { signal, [oauth.allowInsecureRequests]: issuer.hostname === '127.0.0.1' };

const client = { client_id: me.client_id };
const clientAuth = oauth.PrivateKeyJwt({ key, kid: jwk.kid });
// The key of the proofs: new for each process, never registered.
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));

/** Do it; if the server asks for its nonce, once more: the handle has learned it. */
async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

/** Send, four times at most: at 429 and 503 wait for Retry-After and a random part, so that not all come at once. */
async function patiently(send) {
  for (let tries = 1; ; tries += 1) {
    const response = await send();
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    if (![429, 503].includes(response.status) || tries === 4 || !(seconds <= 60)) return response;
    await response.body?.cancel();
    await pause((seconds + Math.random()) * 1000);
  }
}

const contentDigest = (body) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

// The gateway's keys, fetched once; or those that you have pinned.
const { keys } = await (await fetch(new URL('/.well-known/jwks.json', issuer), { signal: signal() })).json();

/** Verify an answer's signature as http.md §6 says; gives its body. */
async function verified(request, response) {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  const covered = [
    '"@status"', '"content-type"', '"content-digest"', '"@method";req', '"@target-uri";req',
  ];
  // A refusal may have been made before the body was compared with its digest.
  if (response.status < 400 || headers['signature-input']?.includes('"content-digest";req')) {
    covered.push('"content-digest";req');
  }
  if (!headers['signature-input']?.startsWith(`xinqiao=(${covered.join(' ')});`)) {
    throw new Error(`The answer (${response.status}) is not signed as the profile says.`);
  }
  if (headers['content-digest'] !== contentDigest(body)) throw new Error('The body is another.');
  const holds = await httpbis.verifyMessage({
    all: true,
    tolerance: 300,
    maxAge: 600, // the package takes the tolerance off: 300 seconds either way
    requiredParams: ['created', 'keyid', 'alg', 'tag'],
    async keyLookup({ keyid, created, tag }) {
      const found = keys.find((each) => each.kid === keyid && each.xinqiao_use === 'response'
        && Math.floor(new Date(each.not_before) / 1000) * 1000 <= created // signed in whole seconds
        && (!each.retired_at || created < new Date(each.retired_at)));
      if (!found || tag !== 'xinqiao-response') return null;
      const publicKey = createPublicKey({ key: found, format: 'jwk' });
      return {
        id: keyid,
        algs: ['ed25519'],
        verify: async (base, signature) => verify(null, base, publicKey, signature),
      };
    },
  }, { status: response.status, headers }, request);
  if (!holds) throw new Error("The answer's signature does not hold.");
  return body;
}

/**
 * Call /v1, and verify the answer before it is read: refusals are signed too, the 401 with a nonce among them.
 * Only its header DPoP-Nonce is taken unverified, by oauth4webapi: it goes into a proof, and decides nothing.
 */
async function call(token, request, body) {
  const send = () => oauth.protectedResourceRequest(
    token, request.method, new URL(request.url), new Headers(request.headers), body, { ...options, DPoP },
  ).catch((error) => {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response; // not read yet
    throw error;
  });
  for (let tries = 1; ; tries += 1) {
    const response = await patiently(send);
    const answer = JSON.parse(await verified(request, response));
    if (response.status === 200) return answer;
    if (answer.code !== 'use_dpop_nonce' || tries === 2) throw new Error(`${answer.code}: ${answer.detail}`);
  }
}

// 1. A token: a client assertion (private_key_jwt, RFC 7523) and a proof (RFC 9449).
const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }),
);
const token = await withNonce(async () => oauth.processClientCredentialsResponse(
  as, client,
  await patiently(() => oauth.clientCredentialsGrantRequest(
    as, client, clientAuth, { scope: 'verify' }, { ...options, DPoP },
  )),
));

// 2. A verification. To repeat it after a failure, send the same Idempotency-Key: it costs one use.
const asked = JSON.stringify({
  enterprise: { uscc: kit.subjects[0].uscc },
  purpose: me.purposes[0],
  questions: [{ question: 'is_active.v1' }],
});

// 3. The answer's signature (RFC 9421); only then is the answer read.
const { answers } = await call(token.access_token, {
  method: 'POST',
  url: new URL('/v1/verifications', issuer).href,
  headers: {
    'content-type': 'application/json',
    'content-digest': contentDigest(asked),
    'idempotency-key': randomUUID(),
  },
}, asked);
console.log(JSON.stringify(answers));
