/** A foreign token endpoint at the same grade as ours: node-oidc-provider in FAPI 2.0.
 *
 * Asked with `{"clients": [{"client_id", "jwks", "scope"}…]}`; each authenticates by private_key_jwt
 * and gets, for its own credentials and a DPoP proof with the server's nonce, a JWT signed EdDSA of
 * five minutes: what our token endpoint gives. It is what ours is measured beside. It keeps everything
 * in memory, or in PostgreSQL with `"postgres": {"host", "user", "database", "connections"}`.
 */

import { randomBytes } from 'node:crypto';

import * as jose from 'jose';
import Provider from 'oidc-provider';

import { postgresAdapter } from './postgres-adapter.mjs';
import { ask, serve } from './serving.mjs';

const { clients = [], port, postgres, nonces = true } = ask;
const ALGORITHMS = ['ES256', 'PS256', 'Ed25519', 'EdDSA'];
const TOKEN_SECONDS = 300;

const { privateKey } = await jose.generateKeyPair('Ed25519', { extractable: true });
const key = { ...await jose.exportJWK(privateKey), kid: 'foreign', alg: 'Ed25519', use: 'sig' };
const scopes = [...new Set(clients.flatMap(({ scope }) => scope.split(' ')))];

const adapter = postgres && await postgresAdapter(postgres);

const configuration = (issuer) => ({
  ...(adapter && { adapter }),
  clients: clients.map((client) => ({
    ...client,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'private_key_jwt',
    dpop_bound_access_tokens: true,
    id_token_signed_response_alg: 'Ed25519',
  })),
  scopes,
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: {
    clientAuthSigningAlgValues: ALGORITHMS,
    dPoPSigningAlgValues: ALGORITHMS,
    idTokenSigningAlgValues: ['Ed25519'],
  },
  features: {
    devInteractions: { enabled: false },
    fapi: { enabled: true, profile: '2.0' },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => nonces },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => issuer,
      getResourceServerInfo: () => ({
        scope: scopes.join(' '),
        audience: issuer,
        accessTokenTTL: TOKEN_SECONDS,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'Ed25519' } },
      }),
    },
  },
  ttl: { ClientCredentials: TOKEN_SECONDS },
});

serve((issuer) => new Provider(issuer, configuration(issuer)).callback(), { port });
