#!/usr/bin/env bash
# One verification with bash, curl, jq and OpenSSL 3. Usage, in the repository:
#
# bash docs/integrate/examples/verify.sh .demo/kit.json platform
#
# Tokens and keys pass in files of a private folder: any user of the machine can list arguments.
set -euo pipefail
umask 077
fail() { echo "$*" >&2; exit 1; }
kit=${1:-.demo/kit.json} part=${2:-platform}
jq -e .issuer "$kit" >/dev/null 2>&1 ||
  fail "There is no kit to read at $kit: run make demo, and give the path of its .demo/kit.json."
jq -e --arg part "$part" '.clients[$part]' "$kit" >/dev/null ||
  fail "The kit has no client $part; it has $(jq -r '.clients | keys_unsorted | join(", ")' "$kit")."
kit=$(realpath "$kit")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

issuer=$(jq -r .issuer "$kit")
client_id=$(jq -r --arg part "$part" '.clients[$part].client_id' "$kit")
uscc=$(jq -r '.subjects[0].uscc' "$kit")
purpose=$(jq -r --arg part "$part" '.clients[$part].purposes[0]' "$kit")

bytes() { printf "$(sed 's/../\\x&/g')"; } # from hexadecimal
b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
unb64url() {
  local text
  text=$(tr -- '-_' '+/')
  while ((${#text} % 4)); do text+='='; done
  openssl base64 -d -A <<<"$text"
}
sha256() { openssl dgst -sha256 -binary "$@"; }
content_digest() { printf 'sha-256=:%s:' "$(sha256 "$1" | openssl base64 -A)"; } # RFC 9530

# A JWT with ES256 (RFC 7518 §3.4): OpenSSL gives the signature as DER, a JWT has r and s, 32 bytes each.
jwt() { # header, claims, file of the key
  local signed numbers
  signed=$(b64url <<<"$1").$(b64url <<<"$2")
  mapfile -t numbers < <(printf %s "$signed" | openssl dgst -sha256 -sign "$3" |
    openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p')
  printf '%s.%s' "$signed" "$(printf '%64s%64s' "${numbers[@]}" | tr ' ' 0 | bytes | b64url)"
}

# The client's key. The kit has it as a JWK; your own you would keep as a PEM, or in an HSM.
key() { jq -rj --arg part "$part" ".clients[\$part].private_jwks.keys[0].$1" "$kit"; }
{
  bytes <<<30770201010420 && key d | unb64url # RFC 5915: P-256, the private key, the point
  bytes <<<a00a06082a8648ce3d030107a14403420004 && key x | unb64url && key y | unb64url
} | openssl pkey -inform DER -out client.pem

# The key of the proofs: new for each process, never registered.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out dpop.pem
openssl pkey -in dpop.pem -pubout -outform DER | tail -c 64 >point
dpop_header=$(jq -nc --arg x "$(head -c 32 point | b64url)" --arg y "$(tail -c 32 point | b64url)" \
  '{typ: "dpop+jwt", alg: "ES256", jwk: {kty: "EC", crv: "P-256", x: $x, y: $y}}')

header() { tr -d '\r' <answer.head | awk -v name="$1:" 'tolower($1) == name {sub(/^[^:]*: */, ""); print}'; }

# POST the file `body` with the header lines of `headers`, four times at most: again with the server's nonce, if it
# asks for it; a call also after Retry-After and a random part, at 429 and 503. An assertion would be spent by then.
# Status, Retry-After and "use_dpop_nonce" are looked at before the answer's signature is verified: all that a forged
# one gains is another try of the same call, with the same Idempotency-Key and a proof that is good once.
nonce=
post() { # path, file of the access token
  local claims tries fresh wait
  for tries in 1 2 3 4; do
    claims=$(jq -nc --arg htu "$issuer$1" --argjson iat "$(date +%s)" --arg jti "$(openssl rand -hex 16)" \
      --arg nonce "$nonce" --arg ath "${2:+$(sha256 "$2" | b64url)}" \
      '{htm: "POST", $htu, $iat, $jti, $nonce, $ath} | with_entries(select(.value != ""))')
    { cat headers; echo "DPoP: $(jwt "$dpop_header" "$claims" dpop.pem)"; } >sent
    status=$(curl -sS --max-time 30 -o answer -D answer.head -w '%{http_code}' \
      -H @sent --data-binary @body "$issuer$1")
    fresh=$(header dpop-nonce) wait=$(header retry-after)
    nonce=${fresh:-$nonce}
    if [ "$tries" = 4 ]; then
      return
    elif [[ ${2:+$status} =~ ^(429|503)$ && $wait =~ ^[0-9]{1,2}$ ]]; then
      sleep "$wait.$RANDOM"
    elif ! grep -q '"use_dpop_nonce"' answer; then
      return
    fi
  done
}

# 1. A token: a client assertion (private_key_jwt, RFC 7523) and a proof (RFC 9449).
assertion=$(jwt "$(jq -nc --arg kid "$(key kid)" '{alg: "ES256", $kid}')" \
  "$(jq -nc --arg id "$client_id" --arg aud "$issuer" --argjson now "$(date +%s)" \
    --arg jti "$(openssl rand -hex 16)" \
    '{iss: $id, sub: $id, $aud, $jti, iat: $now, exp: ($now + 60)}')" client.pem)
printf %s 'grant_type=client_credentials&scope=verify' \
  '&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer' \
  "&client_assertion=$assertion" >body
echo 'Content-Type: application/x-www-form-urlencoded' >headers
post /oauth/token
[ "$status" = 200 ] || fail "No token: $(cat answer)"
jq -rj .access_token answer >token

# 2. A verification. To repeat it after a failure, send the same Idempotency-Key: it costs one use.
jq -ncj --arg uscc "$uscc" --arg purpose "$purpose" \
  '{enterprise: {$uscc}, $purpose, questions: [{question: "is_active.v1"}]}' >body
cat >headers <<END
Authorization: DPoP $(cat token)
Content-Type: application/json
Content-Digest: $(content_digest body)
Idempotency-Key: $(openssl rand -hex 16)
END
post /v1/verifications token

# 3. The answer's signature (RFC 9421); only then is the answer read.
params=$(header signature-input)
params=${params#xinqiao=}
covered=("\"@status\": $status" "\"content-type\": $(header content-type)"
  "\"content-digest\": $(content_digest answer)" '"@method";req: POST'
  "\"@target-uri\";req: $issuer/v1/verifications")
# A refusal may have been made before the body was compared with its digest.
if [ "$status" -lt 400 ] || [[ $params == *'"content-digest";req'* ]]; then
  covered+=("\"content-digest\";req: $(content_digest body)")
fi
names=$(printf '%s\n' "${covered[@]}" | sed 's/: .*//' | paste -sd ' ' -)
form='^\(([^()]*)\);created=([0-9]{1,11});keyid="([A-Za-z0-9_-]+)";alg="ed25519";tag="xinqiao-response"$'
[[ $params =~ $form ]] || fail "The answer is not signed as the profile says."
created=${BASH_REMATCH[2]} kid=${BASH_REMATCH[3]}
[ "${BASH_REMATCH[1]}" = "$names" ] || fail "Other components are signed."
age=$(($(date +%s) - 10#$created))
((age > -300 && age < 300)) || fail "Not signed now."
curl -sS --max-time 30 -o keys "$issuer/.well-known/jwks.json" # or those that you have pinned
x=$(jq -rj --arg kid "$kid" --argjson created "$created" '
  def seconds: capture("^(?<at>.{19})[.0-9]*(?:Z|(?<sign>[+-])(?<h>..):(?<m>..))$")
    | (if .sign == "-" then -1 else 1 end) as $east
    | (.at + "Z" | fromdateiso8601)
      - (if .h == null then 0 else $east * ((.h | tonumber) * 3600 + (.m | tonumber) * 60) end);
  .keys[] | select(.kid == $kid and .xinqiao_use == "response" and (.not_before | seconds) <= $created
    and (.retired_at == null or $created < (.retired_at | seconds + if test("[.]0*[1-9]") then 1 else 0 end)))
  | .x' keys)
[ -n "$x" ] || fail "No key $kid was in force."
{ bytes <<<302a300506032b6570032100 && unb64url <<<"$x"; } >key.der # RFC 8410
printf '%s\n' "${covered[@]}" >base
printf %s "\"@signature-params\": $params" >>base
signature=$(header signature)
signature=${signature#xinqiao=:}
openssl base64 -d -A <<<"${signature%:}" >signature
openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in base -sigfile signature >checked 2>&1 ||
  fail "The answer's signature does not hold."

[ "$status" = 200 ] || fail "$(cat answer)"
jq -c .answers answer
