/** A bank with Node.js 20 and two packages: consent, query, evidence, feed of changes. Usage, in the repository:
 *
 * npm install --no-save oauth4webapi@3 http-message-signatures@1
 * node docs/integrate/examples/bank.mjs .demo/kit.json
 *
 * The enterprise decides in a browser: open the address that is printed, sign in with the login that is printed
 * (it is the subject's `login` in kit.json), tick what you grant, and grant it. The page leads back to this program,
 * which then writes the signed answer to loan-file.json and its place in the feed to feed.cursor, in this folder.
 */

import { isUtf8 } from 'node:buffer';
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { httpbis } from 'http-message-signatures';
import * as oauth from 'oauth4webapi';

// One sentence for whoever runs this; your service would log the whole error.
process.on('uncaughtException', ({ message, cause }) => {
  const more = cause?.error_description ?? cause?.get?.('error') ?? cause?.message;
  console.error(more ? `${message}: ${more}` : message);
  process.exit(1);
});

const EVIDENCE = 'loan-file.json';
const CURSOR = 'feed.cursor';
const WANTED = {
  purpose: 'loan_approval', datasets: ['registration', 'licence', 'penalty'],
};

const [, , path = '.demo/kit.json'] = process.argv;
const kit = await readFile(path, 'utf8').then(JSON.parse).catch(() => {
  throw new Error(`There is no kit to read at ${path}: run make demo, and give the path of its .demo/kit.json.`);
});
const me = kit.clients.bank;
// An enterprise that has not consented to the bank yet.
const subject = kit.subjects.find(({ uscc }) => uscc !== kit.consents.active.uscc);
const issuer = new URL(kit.issuer);
const redirectUri = me.redirect_uris.at(-1); // http://127.0.0.1:8421/callback, registered by the operator
const [jwk] = me.private_jwks.keys;
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
const signal = () => AbortSignal.timeout(40_000); // the feed waits for 30 seconds at most
// A demo is http on this machine; everywhere else leave this out, and plain http is refused.
const options = { signal, [oauth.allowInsecureRequests]: issuer.hostname === '127.0.0.1' };

const client = { client_id: me.client_id };
const clientAuth = oauth.PrivateKeyJwt({ key, kid: jwk.kid });
// The key of the proofs: new for each process, never registered. A consent begins and ends with the same one.
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
const proved = { ...options, DPoP };

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

// ---- Calls of /v1, and the signature of their answers (http.md §6)

const SIGNED = /^xinqiao=\(([^()]*)\);created=(\d{1,11});keyid="([\w-]+)";alg="ed25519";tag="xinqiao-response"$/;
const contentDigest = (body) => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

let published = []; // or those that you have pinned
/** The published key `kid`, if it was in force; the keys are fetched again only when an unknown one has signed. */
async function responseKey(kid, created) {
  if (!published.some((each) => each.kid === kid)) {
    const answer = await fetch(new URL('/.well-known/jwks.json', issuer), { signal: signal() });
    published = (await answer.json()).keys;
  }
  return published.find((each) => each.kid === kid && each.xinqiao_use === 'response'
    && Math.floor(new Date(each.not_before) / 1000) <= created // signed in whole seconds
    && (!each.retired_at || created * 1000 < new Date(each.retired_at)));
}

/** Verify an answer; gives what the evidence format keeps of the exchange (evidence.md). */
async function verified(request, response) {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  const [, components, seconds, kid] = SIGNED.exec(headers['signature-input']) ?? [];
  const covered = ['"@status"', '"content-type"', '"content-digest"', '"@method";req', '"@target-uri";req'];
  // A refusal may have been made before the body was compared with its digest.
  const bound = request.body !== undefined
    && (response.status < 400 || components?.includes('"content-digest";req'));
  if (bound) covered.push('"content-digest";req');
  if (components !== covered.join(' ')) {
    throw new Error(`The answer (${response.status}) is not signed as the profile says.`);
  }
  if (headers['content-digest'] !== contentDigest(body)) throw new Error('The body is another.');
  const found = await responseKey(kid, Number(seconds));
  if (!found) throw new Error(`No key ${kid} was in force.`);
  const publicKey = createPublicKey({ key: found, format: 'jwk' });
  const holds = await httpbis.verifyMessage({
    all: true,
    tolerance: 300,
    maxAge: 600, // the package takes the tolerance off: 300 seconds either way
    keyLookup: async () => ({
      id: kid,
      algs: ['ed25519'],
      verify: async (base, signature) => verify(null, base, publicKey, signature),
    }),
  }, { status: response.status, headers }, request);
  if (!holds) throw new Error("The answer's signature does not hold.");

  const written = (bytes) => (isUtf8(bytes)
    ? { body: bytes.toString(), body_encoding: 'utf-8' }
    : { body: bytes.toString('base64'), body_encoding: 'base64' });
  const kept = (from, ...names) => Object.fromEntries(names.map((name) => [name, from[name]]));
  return {
    format: 'xinqiao-evidence/1',
    request: {
      method: request.method,
      target_uri: request.url,
      headers: bound ? kept(request.headers, 'content-digest') : {},
      ...written(Buffer.from(bound ? request.body : '')),
    },
    response: {
      status: response.status,
      headers: kept(headers, 'content-type', 'content-digest', 'signature-input', 'signature'),
      ...written(body),
    },
    signed_at: new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00'),
    key: kept(found, 'kty', 'crv', 'x', 'kid'),
  };
}

/**
 * Call /v1, and verify the answer before it is read: refusals are signed too, the 401 with a nonce among them.
 * Only its header DPoP-Nonce is taken unverified, by oauth4webapi: it goes into a proof, and decides nothing.
 */
async function call(token, method, target, content, more = {}) {
  const request = { method, url: new URL(target, issuer).href, headers: { ...more } };
  if (content !== undefined) {
    request.body = JSON.stringify(content);
    request.headers['content-type'] = 'application/json';
    request.headers['content-digest'] = contentDigest(request.body);
  }
  const send = () => oauth.protectedResourceRequest(
    token, method, new URL(request.url), new Headers(request.headers), request.body, proved,
  ).catch((error) => {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response; // not read yet
    throw error;
  });
  for (let tries = 1; ; tries += 1) {
    const evidence = await verified(request, await patiently(send));
    const answer = JSON.parse(evidence.response.body);
    if (evidence.response.status === 200) return { answer, evidence };
    if (answer.code !== 'use_dpop_nonce' || tries === 2) throw new Error(`${answer.code}: ${answer.detail}`);
  }
}

/** Write a file whole, or not at all; nobody else can read it, whatever stood in its place. */
async function save(name, text) {
  await rm(`${name}.new`, { force: true });
  await writeFile(`${name}.new`, text, { flag: 'wx', mode: 0o600 });
  await rename(`${name}.new`, name);
}

// ---- 1. Ask for a consent: a pushed request (PAR), bound to this process by PKCE and DPoP

const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }),
);
const codeVerifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const pushed = {
  response_type: 'code',
  redirect_uri: redirectUri,
  scope: 'query',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: 'S256',
  authorization_details: JSON.stringify([
    { type: 'credit_data', enterprise: { uscc: subject.uscc }, ...WANTED, max_uses: 10 },
  ]),
};
const { request_uri } = await withNonce(async () => oauth.processPushedAuthorizationResponse(
  as, client, await patiently(() => oauth.pushedAuthorizationRequest(as, client, clientAuth, pushed, proved)),
));
const page = new URL(as.authorization_endpoint);
page.search = new URLSearchParams({ client_id: me.client_id, request_uri });

// ---- 2. The enterprise decides, and its browser comes back

const { port, hostname, pathname } = new URL(redirectUri);
const callback = await new Promise((resolve) => {
  const server = createServer((visit, answer) => {
    const url = new URL(visit.url, redirectUri);
    const ours = url.pathname === pathname && url.searchParams.get('state') === state;
    answer.setHeader('connection', 'close').end(ours ? 'Done. Back to the terminal.\n' : 'Not expected here.\n');
    if (!ours) return; // anybody can come to this address: go on waiting
    server.close();
    resolve(url);
  });
  server.listen(Number(port), hostname, () => {
    console.log(`Within 90 seconds open ${page}`);
    console.log(`and sign in as ${subject.login.username}, password ${subject.login.password}.`);
  });
});
// Refuses another issuer, and a callback that says error=access_denied: the enterprise said no.
const returned = oauth.validateAuthResponse(as, client, callback, state);

// ---- 3. A token for the code. Its refresh_token gives further ones for as long as the consent lasts: keep it.

// A code is sent once, whatever the answer: a second use of it would revoke the tokens of the first. A server that
// asks for its nonce has not looked at the code.
const tokens = await withNonce(async () => oauth.processAuthorizationCodeResponse(
  as, client, await oauth.authorizationCodeGrantRequest(
    as, client, clientAuth, returned, redirectUri, codeVerifier, proved,
  ),
));
const [granted] = tokens.authorization_details; // perhaps less than was asked
console.log(`Granted: ${granted.consent_id}, ${granted.datasets.join(', ')}.`);

// ---- 4. A query. To repeat it after a failure, send the same Idempotency-Key: it costs one use.

const { answer: found, evidence } = await call(tokens.access_token, 'POST', '/v1/queries', {
  enterprise: { uscc: subject.uscc }, ...WANTED, consent_id: granted.consent_id,
}, { 'idempotency-key': randomUUID() });
for (const { dataset, source, use_until } of found.records) {
  console.log(`${dataset} of ${source.name}, to be used until ${use_until ?? 'further notice'}`);
}
for (const { dataset, fields, reason } of found.withheld) { // without fields: the whole dataset
  console.log(`not given: ${[dataset, ...(fields ?? [])].join(' ')} (${reason})`);
}
await save(EVIDENCE, JSON.stringify(evidence));

// ---- 5. The feed: what was told and is taken back. A process of its own would go on with ?wait=30 for ever.

const own = await withNonce(async () => oauth.processClientCredentialsResponse(
  as, client, await patiently(() => oauth.clientCredentialsGrantRequest(
    as, client, clientAuth, { scope: 'changes' }, proved,
  )),
));
let cursor = (await readFile(CURSOR, 'utf8').catch(() => '')).trim(); // where the last run ended
for (;;) {
  const after = cursor ? `after=${encodeURIComponent(cursor)}&` : '';
  const { answer: news } = await call(own.access_token, 'GET', `/v1/changes?${after}wait=3`);
  if (!news.changes.length) break;
  for (const change of news.changes) { // here your systems stop using what `disclosure_ids` had told
    console.log(`${change.kind} ${change.consent_id ?? change.record_id}`);
  }
  // Acted on, then acknowledged, then kept: after a crash before the end the same notices come again, none
  // is lost, and each is acknowledged.
  cursor = news.cursor;
  await call(own.access_token, 'POST', '/v1/changes/ack', { cursor });
  await save(CURSOR, `${cursor}\n`);
}
