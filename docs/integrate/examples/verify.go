// One verification with Go 1.21 and nothing else. Usage, in the repository:
//
//	go run docs/integrate/examples/verify.go .demo/kit.json platform
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	mathrand "math/rand"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type jwk struct {
	Kty       string     `json:"kty"`
	Crv       string     `json:"crv"`
	X         string     `json:"x"`
	Y         string     `json:"y,omitempty"`
	D         string     `json:"d,omitempty"`
	Kid       string     `json:"kid,omitempty"`
	Use       string     `json:"xinqiao_use,omitempty"`
	NotBefore *time.Time `json:"not_before,omitempty"`
	RetiredAt *time.Time `json:"retired_at,omitempty"`
}

type keySet struct {
	Keys []jwk `json:"keys"`
}

type kit struct {
	Issuer  string `json:"issuer"`
	Clients map[string]struct {
		ClientID    string   `json:"client_id"`
		PrivateJWKS keySet   `json:"private_jwks"`
		Purposes    []string `json:"purposes"`
	} `json:"clients"`
	Subjects []struct {
		USCC string `json:"uscc"`
	} `json:"subjects"`
}

type object map[string]any

var (
	base64url = base64.RawURLEncoding
	signed    = regexp.MustCompile(`^xinqiao=(\(([^()]*)\);created=([0-9]{1,11})` +
		`;keyid="([A-Za-z0-9_-]+)";alg="ed25519";tag="xinqiao-response")$`)
)

// gateway is an HTTP client that proves its own key (DPoP); the key is new for each process.
type gateway struct {
	issuer   string
	http     *http.Client
	proofKey *ecdsa.PrivateKey
	nonce    string
}

func main() {
	log.SetFlags(0)
	path, part := ".demo/kit.json", "platform"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if len(os.Args) > 2 {
		part = os.Args[2]
	}
	if err := run(path, part); err != nil {
		log.Fatal(err)
	}
}

func run(path, part string) error {
	var demo kit
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &demo) != nil {
		return fmt.Errorf("There is no kit to read at %s: run make demo, and give the path of its .demo/kit.json.", path)
	}
	me, found := demo.Clients[part]
	if !found {
		return fmt.Errorf("The kit has no client %s.", part)
	}
	clientKey, err := privateKey(me.PrivateJWKS.Keys[0])
	if err != nil {
		return err
	}
	proofKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	g := &gateway{issuer: demo.Issuer, http: &http.Client{Timeout: 30 * time.Second}, proofKey: proofKey}

	// 1. A token: a client assertion (private_key_jwt, RFC 7523) and a proof (RFC 9449).
	now := time.Now().Unix()
	assertion, err := jwt(
		object{"alg": "ES256", "kid": me.PrivateJWKS.Keys[0].Kid},
		object{"iss": me.ClientID, "sub": me.ClientID, "aud": g.issuer, "jti": random(), "iat": now, "exp": now + 60},
		clientKey,
	)
	if err != nil {
		return err
	}
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"scope":                 {"verify"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
	}
	answer, content, err := g.post("/oauth/token", []byte(form.Encode()), "",
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("no token: %s", content)
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(content, &granted); err != nil {
		return err
	}

	// 2. A verification. To repeat it after a failure, send the same Idempotency-Key: it costs one use.
	body, err := json.Marshal(object{
		"enterprise": object{"uscc": demo.Subjects[0].USCC},
		"purpose":    me.Purposes[0],
		"questions":  []object{{"question": "is_active.v1"}},
	})
	if err != nil {
		return err
	}
	answer, content, err = g.post("/v1/verifications", body, granted.AccessToken, map[string]string{
		"Content-Type":    "application/json",
		"Content-Digest":  contentDigest(body),
		"Idempotency-Key": random(),
	})
	if err != nil {
		return err
	}

	// 3. The answer's signature (RFC 9421); only then is the answer read.
	if err := g.verify(answer, content, "/v1/verifications", body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("refused: %s", content)
	}
	var told struct {
		Answers json.RawMessage `json:"answers"`
	}
	if err := json.Unmarshal(content, &told); err != nil {
		return err
	}
	fmt.Println(string(told.Answers))
	return nil
}

// post sends a body, four times at most: again with the server's nonce, if it asks for it; a call also after
// Retry-After and a random part, at 429 and 503. An assertion would be spent by then. Status, Retry-After and
// "use_dpop_nonce" are looked at before the answer's signature is verified: all that a forged one gains is another
// try of the same call, with the same Idempotency-Key and a proof that is good once.
func (g *gateway) post(path string, body []byte, token string, headers map[string]string) (*http.Response, []byte, error) {
	for tries := 1; ; tries++ {
		proof, err := g.proof(http.MethodPost, path, token)
		if err != nil {
			return nil, nil, err
		}
		request, err := http.NewRequest(http.MethodPost, g.issuer+path, bytes.NewReader(body))
		if err != nil {
			return nil, nil, err
		}
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		request.Header["DPoP"] = []string{proof}
		if token != "" {
			request.Header.Set("Authorization", "DPoP "+token)
		}
		answer, err := g.http.Do(request)
		if err != nil {
			return nil, nil, err
		}
		content, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return nil, nil, err
		}
		if fresh := answer.Header.Get("DPoP-Nonce"); fresh != "" {
			g.nonce = fresh
		}
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		later := token != "" && err == nil && seconds < 100 &&
			(answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable)
		if tries == 4 || (!later && !bytes.Contains(content, []byte(`"use_dpop_nonce"`))) {
			return answer, content, nil
		}
		if later {
			time.Sleep(time.Duration(seconds)*time.Second + time.Duration(mathrand.Intn(1000))*time.Millisecond)
		}
	}
}

// proof is a DPoP proof (RFC 9449 §4.2).
func (g *gateway) proof(method, path, token string) (string, error) {
	public := jwk{
		Kty: "EC", Crv: "P-256",
		X: base64url.EncodeToString(g.proofKey.X.FillBytes(make([]byte, 32))),
		Y: base64url.EncodeToString(g.proofKey.Y.FillBytes(make([]byte, 32))),
	}
	claims := object{"htm": method, "htu": g.issuer + path, "iat": time.Now().Unix(), "jti": random()}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if token != "" {
		digest := sha256.Sum256([]byte(token))
		claims["ath"] = base64url.EncodeToString(digest[:])
	}
	return jwt(object{"typ": "dpop+jwt", "alg": "ES256", "jwk": public}, claims, g.proofKey)
}

// verify checks an answer's signature as http.md §6 says.
func (g *gateway) verify(answer *http.Response, content []byte, path string, body []byte) error {
	input := signed.FindStringSubmatch(strings.Join(answer.Header.Values("Signature-Input"), ", "))
	if input == nil {
		return errors.New("the answer is not signed as the profile says")
	}
	params, names := input[1], input[2]
	covered := [][2]string{
		{`"@status"`, strconv.Itoa(answer.StatusCode)},
		{`"content-type"`, answer.Header.Get("Content-Type")},
		{`"content-digest"`, contentDigest(content)},
		{`"@method";req`, http.MethodPost},
		{`"@target-uri";req`, g.issuer + path},
	}
	// A refusal may have been made before the body was compared with its digest.
	if answer.StatusCode < 400 || strings.Contains(names, `"content-digest";req`) {
		covered = append(covered, [2]string{`"content-digest";req`, contentDigest(body)})
	}
	var expected, base []string
	for _, each := range covered {
		expected = append(expected, each[0])
		base = append(base, each[0]+": "+each[1])
	}
	if names != strings.Join(expected, " ") {
		return errors.New("other components are signed")
	}
	seconds, err := strconv.ParseInt(input[3], 10, 64)
	if err != nil {
		return err
	}
	created := time.Unix(seconds, 0)
	if time.Since(created).Abs() >= 5*time.Minute {
		return errors.New("not signed now")
	}
	key, err := g.responseKey(input[4], created)
	if err != nil {
		return err
	}
	value := strings.Join(answer.Header.Values("Signature"), ", ")
	signature, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(value, "xinqiao=:"), ":"))
	if err != nil {
		return err
	}
	base = append(base, `"@signature-params": `+params)
	if !ed25519.Verify(key, []byte(strings.Join(base, "\n")), signature) {
		return errors.New("the answer's signature does not hold")
	}
	return nil
}

// responseKey is the published key (or one that you have pinned), if it was in force.
func (g *gateway) responseKey(kid string, created time.Time) (ed25519.PublicKey, error) {
	answer, err := g.http.Get(g.issuer + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var published keySet
	if err := json.NewDecoder(answer.Body).Decode(&published); err != nil {
		return nil, err
	}
	for _, each := range published.Keys {
		if each.Kid != kid || each.Use != "response" || each.NotBefore == nil || created.Before(each.NotBefore.Truncate(time.Second)) ||
			(each.RetiredAt != nil && !created.Before(*each.RetiredAt)) {
			continue
		}
		x, err := base64url.DecodeString(each.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %s is no Ed25519 key", kid)
		}
		return x, nil
	}
	return nil, fmt.Errorf("no key %s was in force", kid)
}

// jwt is a JWT with ES256 (RFC 7518 §3.4).
func jwt(header, claims object, key *ecdsa.PrivateKey) (string, error) {
	var parts []string
	for _, each := range []object{header, claims} {
		written, err := json.Marshal(each)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64url.EncodeToString(written))
	}
	signing := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(signing))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signing + "." + base64url.EncodeToString(signature), nil
}

// privateKey is the private key of a JWK. Your own you would keep in an HSM.
func privateKey(from jwk) (*ecdsa.PrivateKey, error) {
	key := &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P256()}}
	for _, each := range []struct {
		written string
		number  **big.Int
	}{{from.D, &key.D}, {from.X, &key.X}, {from.Y, &key.Y}} {
		raw, err := base64url.DecodeString(each.written)
		if err != nil {
			return nil, err
		}
		*each.number = new(big.Int).SetBytes(raw)
	}
	return key, nil
}

// contentDigest is the value of Content-Digest (RFC 9530).
func contentDigest(body []byte) string {
	digest := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"
}

// random is an identifier that nobody can guess.
func random() string {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		panic(err)
	}
	return hex.EncodeToString(raw)
}
