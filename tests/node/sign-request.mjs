/** Signs a request with the npm package `http-message-signatures`, as published.
 *
 * Told in its one argument: `key` (a private JWK), `request`, `fields` and `nonce`. Says the signed headers.
 */

import { createPrivateKey, sign } from 'node:crypto';

import { httpbis } from 'http-message-signatures';

const { key, request, fields, nonce } = JSON.parse(process.argv[2]);
const own = { key: createPrivateKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };

const signed = await httpbis.signMessage(
  {
    key: { id: key.kid, alg: 'ecdsa-p256-sha256', sign: async (base) => sign('sha256', base, own) },
    name: 'bank',
    fields,
    params: ['keyid', 'alg', 'created', 'expires', 'nonce', 'tag'],
    paramValues: { nonce, tag: 'xinqiao-request' },
  },
  request,
);
console.log(JSON.stringify(signed.headers));
