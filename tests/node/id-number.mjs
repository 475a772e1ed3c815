/** Encrypts ID numbers to the gateway's key with the npm package `jose`, as published.
 *
 * Told in its one argument: `issuer` and `claims`, a list. Finds the key at the issuer's JWK set, and says
 * for each of the claims its token.
 */

import { EncryptJWT, importJWK } from 'jose';

const { issuer, claims } = JSON.parse(process.argv[2]);
const { keys } = await (await fetch(`${issuer}/.well-known/jwks.json`)).json();
const jwk = keys.find((each) => each.use === 'enc' && each.xinqiao_use === 'id_number');
const key = await importJWK(jwk, jwk.alg);

for (const each of claims) {
  const token = await new EncryptJWT(each)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ: 'id-number+jwe', kid: jwk.kid })
    .encrypt(key);
  console.log(JSON.stringify({ token }));
}
