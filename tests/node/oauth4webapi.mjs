/** A bank whose OAuth client is the npm package `oauth4webapi`, as published.
 *
 * It leaves to its user what `openid-client` does by itself: to try again with the server's nonce.
 * And it plays a resource server too: it verifies our access token by our published keys alone.
 */

import * as oauth from 'oauth4webapi';

import { browse, fromAnotherIssuer, play, refusal, say, watched } from './kit.mjs';

/** Do it; if the server wants its nonce in the proof, once more: the handle has learned it. */
async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

await play(async ({ issuer, clientId, key, redirectUri, proofAlgorithm, details, query }) => {
  const plain = { [oauth.allowInsecureRequests]: true };
  let seen;
  const watching = {
    ...plain,
    [oauth.customFetch]: (url, init) => {
      seen = { url, method: init.method, headers: new Headers(init.headers) };
      return watched(url, init);
    },
  };

  const resource = await oauth.processResourceDiscoveryResponse(
    issuer, await oauth.resourceDiscoveryRequest(issuer, watching),
  );
  const server = new URL(resource.authorization_servers[0]);
  const as = await oauth.processDiscoveryResponse(
    server, await oauth.discoveryRequest(server, { ...watching, algorithm: 'oauth2' }),
  );
  say('discovered', { metadata: as, resource });

  const client = { client_id: clientId };
  const auth = oauth.PrivateKeyJwt(key);
  const proofKeys = await oauth.generateKeyPair(proofAlgorithm);
  const DPoP = oauth.DPoP(client, proofKeys);
  const bound = { ...watching, DPoP };
  const ask = (token, body, handle = DPoP) => withNonce(() => oauth.protectedResourceRequest(
    token, 'POST', new URL('/v1/queries', issuer),
    new Headers({ 'content-type': 'application/json' }), JSON.stringify(body),
    { ...watching, DPoP: handle },
  ));

  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const pushed = await withNonce(async () => oauth.processPushedAuthorizationResponse(
    as, client, await oauth.pushedAuthorizationRequest(as, client, auth, {
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'query',
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      authorization_details: JSON.stringify(details),
    }, bound),
  ));
  const url = new URL(as.authorization_endpoint);
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('request_uri', pushed.request_uri);
  const callback = await browse(url);

  const returned = (from) => oauth.validateAuthResponse(as, client, from, state);
  say('forged issuer', await refusal(async () => returned(fromAnotherIssuer(callback))));

  const tokens = await withNonce(async () => oauth.processAuthorizationCodeResponse(
    as, client, await oauth.authorizationCodeGrantRequest(
      as, client, auth, returned(callback), redirectUri, verifier, bound,
    ),
  ));
  say('tokens', { tokens });

  const introspect = async (token) => oauth.processIntrospectionResponse(
    as, client, await oauth.introspectionRequest(as, client, auth, token, watching),
  );
  say('introspected', { told: await introspect(tokens.access_token) });

  const newcomer = oauth.DPoP(client, proofKeys);
  const first = await ask(tokens.access_token, query, newcomer);
  const claims = await oauth.validateJwtAccessToken(
    as, new Request(seen.url, { method: seen.method, headers: seen.headers }), issuer.origin,
    { ...plain, requireDPoP: true },
  );
  say('queried', { status: first.status, answer: await first.json(), claims });

  // The bank changes its DPoP key: the consent goes on (RFC 9449 §5).
  const changed = oauth.DPoP(client, await oauth.generateKeyPair(proofAlgorithm));
  const refresh = () => withNonce(async () => oauth.processRefreshTokenResponse(
    as, client,
    await oauth.refreshTokenGrantRequest(
      as, client, auth, tokens.refresh_token, { ...watching, DPoP: changed },
    ),
  ));
  const refreshed = await refresh();
  const second = await ask(refreshed.access_token, query, changed);
  say('refreshed', { tokens: refreshed, status: second.status });

  const own = await withNonce(async () => oauth.processClientCredentialsResponse(
    as, client,
    await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'query' }, bound),
  ));
  const [{ consent_id }] = tokens.authorization_details;
  const third = await ask(own.access_token, { ...query, consent_id });
  say('own credentials', { tokens: own, status: third.status });

  const revoke = async (token) => oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, auth, token, watching),
  );
  await revoke(tokens.access_token);
  const told = await introspect(tokens.access_token);
  say('revoked', { told, refused: await refusal(() => ask(tokens.access_token, query)) });

  await revoke(tokens.refresh_token);
  say('family revoked', {
    refused: await refusal(() => ask(refreshed.access_token, query, changed)),
    ended: await refusal(refresh),
  });
});
