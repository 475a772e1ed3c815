/** One verification with Node.js 20 and two packages. Usage: node verify.mjs .demo/kit.json platform
 *
 * npm install oauth4webapi@3 http-message-signatures@1
 */

import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { httpbis } from 'http-message-signatures';
import * as oauth from 'oauth4webapi';

const [, , path, part] = process.argv;
const kit = JSON.parse(await readFile(path, 'utf8'));
const me = kit.clients[part];
const [jwk] = me.private_jwks.keys;
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
const issuer = new URL(kit.issuer);
// A demo is http on this machine; everywhere else leave this out, and plain http is refused.
const options = { [oauth.allowInsecureRequests]: issuer.hostname === '127.0.0.1' };

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

const contentDigest = (body) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

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
    throw new Error('The answer is not signed as the profile says.');
  }
  if (headers['content-digest'] !== contentDigest(body)) throw new Error('The body is another.');
  const published = await (await fetch(new URL('/.well-known/jwks.json', issuer))).json(); // or pinned ones
  const holds = await httpbis.verifyMessage({
    all: true,
    tolerance: 300,
    maxAge: 300,
    requiredParams: ['created', 'keyid', 'alg', 'tag'],
    async keyLookup({ keyid, created, tag }) {
      const found = published.keys.find((each) => each.kid === keyid && each.xinqiao_use === 'response'
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

// 1. A token: a client assertion (private_key_jwt, RFC 7523) and a proof (RFC 9449).
const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }),
);
const token = await withNonce(async () => oauth.processClientCredentialsResponse(
  as, client,
  await oauth.clientCredentialsGrantRequest(as, client, clientAuth, { scope: 'verify' }, { ...options, DPoP }),
));

// 2. A verification. To repeat it after a failure, send the same Idempotency-Key: it costs one use.
const asked = JSON.stringify({
  enterprise: { uscc: kit.subjects[0].uscc },
  purpose: 'merchant_onboarding',
  questions: [{ question: 'is_active.v1' }],
});
const request = {
  method: 'POST',
  url: new URL('/v1/verifications', issuer).href,
  headers: {
    'content-type': 'application/json',
    'content-digest': contentDigest(asked),
    'idempotency-key': randomUUID(),
  },
};
const response = await withNonce(() => oauth.protectedResourceRequest(
  token.access_token, request.method, new URL(request.url), new Headers(request.headers), asked,
  { ...options, DPoP },
));

// 3. The answer's signature (RFC 9421); only then is the answer read.
const body = JSON.parse(await verified(request, response));
if (response.status !== 200) throw new Error(`${body.code}: ${body.detail}`);
console.log(JSON.stringify(body.answers));
