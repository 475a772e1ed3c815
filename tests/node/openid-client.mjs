/** A bank whose OAuth client is the npm package `openid-client`, as published. */

import * as client from 'openid-client';

import { browse, fromAnotherIssuer, play, refusal, say, watched } from './kit.mjs';

await play(async ({ issuer, clientId, key, redirectUri, proofAlgorithm, details, query }) => {
  const config = await client.discovery(
    issuer, clientId, undefined, client.PrivateKeyJwt(key),
    {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
      [client.customFetch]: watched,
    },
  );
  say('discovered', { metadata: config.serverMetadata() });

  const proofKeys = await client.randomDPoPKeyPair(proofAlgorithm);
  const DPoP = client.getDPoPHandle(config, proofKeys);
  const ask = (token, body, handle = DPoP) => client.fetchProtectedResource(
    config, token, new URL('/v1/queries', issuer), 'POST', JSON.stringify(body),
    new Headers({ 'content-type': 'application/json' }), { DPoP: handle },
  );

  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectUri,
    scope: 'query',
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify(details),
  }, { DPoP });
  const callback = await browse(url);

  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  const exchange = (from) =>
    client.authorizationCodeGrant(config, from, checks, undefined, { DPoP });
  say('forged issuer', await refusal(() => exchange(fromAnotherIssuer(callback))));

  const tokens = await exchange(callback);
  say('tokens', { tokens });
  say('introspected', { told: await client.tokenIntrospection(config, tokens.access_token) });

  const newcomer = client.getDPoPHandle(config, proofKeys);
  const first = await ask(tokens.access_token, query, newcomer);
  say('queried', { status: first.status, answer: await first.json() });

  // The bank changes its DPoP key: the consent goes on (RFC 9449 §5).
  const changed = client.getDPoPHandle(config, await client.randomDPoPKeyPair(proofAlgorithm));
  const refreshed = await client.refreshTokenGrant(
    config, tokens.refresh_token, undefined, { DPoP: changed },
  );
  const second = await ask(refreshed.access_token, query, changed);
  say('refreshed', { tokens: refreshed, status: second.status });

  const own = await client.clientCredentialsGrant(config, { scope: 'query' }, { DPoP });
  const [{ consent_id }] = tokens.authorization_details;
  const third = await ask(own.access_token, { ...query, consent_id });
  say('own credentials', { tokens: own, status: third.status });

  await client.tokenRevocation(config, tokens.access_token);
  const told = await client.tokenIntrospection(config, tokens.access_token);
  say('revoked', { told, refused: await refusal(() => ask(tokens.access_token, query)) });

  await client.tokenRevocation(config, tokens.refresh_token);
  say('family revoked', {
    refused: await refusal(() => ask(refreshed.access_token, query, changed)),
    ended: await refusal(
      () => client.refreshTokenGrant(
        config, tokens.refresh_token, undefined, { DPoP: changed },
      ),
    ),
  });
});
