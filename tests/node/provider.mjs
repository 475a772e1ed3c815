/** A foreign OpenID provider for enterprises' people: node-oidc-provider, on loopback, for tests.
 *
 * Asked with `{"clients": [METADATA…], "accounts": [{"sub", "name", "acr", "enterprises"}…]}`, where
 * an enterprise is `{"uscc", "role"}`. Whoever posts `account=SUB` to the sign-in page is that person;
 * `acr=VALUE` beside it makes the sign-in as strong, or as weak, as a test needs. With `"claim"` the
 * claim of the enterprises has another name than `enterprises`.
 */

import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';

import * as jose from 'jose';
import Provider from 'oidc-provider';

import { ask, serve } from './serving.mjs';

const { clients = [], accounts = [], claim = 'enterprises', port } = ask;
const ACR_VALUES = ['urn:example:acr:low', 'urn:example:acr:high'];
const people = new Map(accounts.map((account) => [account.sub, account]));

async function signingKey(alg) {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { ...await jose.exportJWK(privateKey), kid: `foreign-${alg}`, alg, use: 'sig' };
}

const configuration = {
  clients,
  jwks: { keys: await Promise.all(['ES256', 'RS256', 'PS256'].map(signingKey)) },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  acrValues: ACR_VALUES,
  claims: { openid: ['sub', 'acr', 'auth_time'], profile: ['name'], [claim]: [claim] },
  scopes: ['openid', 'profile', claim],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    claimsParameter: { enabled: true },
  },
  interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
  findAccount(_, sub) {
    const person = people.get(sub);
    return person && {
      accountId: sub,
      claims: () => ({ sub, name: person.name, [claim]: person.enterprises }),
    };
  },
  // Here nobody is asked whether the portal may know who signs in: they came to tell it.
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({
      clientId: oidc.client.clientId, accountId: oidc.session.accountId,
    });
    grant.addOIDCScope(`openid profile ${claim}`);
    grant.addOIDCClaims(['acr', 'auth_time', 'name', claim]);
    await grant.save();
    return grant;
  },
};

const PAGE = `<!doctype html><html lang="en"><title>Sign in</title>
<form method="post"><input name="account" required><button>Sign in</button></form></html>`;

async function signIn(provider, request, response) {
  if (request.method !== 'POST') {
    await provider.interactionDetails(request, response);
    response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE);
    return;
  }
  const form = new URLSearchParams(await text(request));
  const person = people.get(form.get('account'));
  const result = person
    ? { login: { accountId: person.sub, acr: form.get('acr') ?? person.acr ?? ACR_VALUES[1] } }
    : { error: 'access_denied', error_description: 'Nobody signed in.' };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

serve((issuer) => {
  const provider = new Provider(issuer, configuration);
  const answer = provider.callback();
  return (request, response) => {
    if (!request.url.startsWith('/sign-in/')) return answer(request, response);
    return signIn(provider, request, response).catch(({ message }) => {
      response.statusCode = 400;
      response.end(message);
    });
  };
}, { port });
