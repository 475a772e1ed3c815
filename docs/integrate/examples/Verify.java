import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One verification with Java 17 and nothing else. Usage, in the repository:
 *
 * <p>java docs/integrate/examples/Verify.java .demo/kit.json platform
 */
public class Verify {
    static final Pattern SIGNED = Pattern.compile("xinqiao=(\\(([^()]*)\\);created=([0-9]{1,11})"
        + ";keyid=\"([A-Za-z0-9_-]+)\";alg=\"ed25519\";tag=\"xinqiao-response\")");
    static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100"); // RFC 8410

    final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    final String issuer;
    final KeyPair proofKey; // new for each process, never registered
    String nonce;

    Verify(String issuer) throws GeneralSecurityException {
        this.issuer = issuer;
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        proofKey = generator.generateKeyPair();
    }

    /** One sentence for whoever runs this; your service would log the whole error. */
    public static void main(String[] arguments) throws Exception {
        try {
            run(arguments.length > 0 ? arguments[0] : ".demo/kit.json", arguments.length > 1 ? arguments[1] : "platform");
        } catch (IllegalStateException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        } catch (IOException error) {
            System.err.println("The gateway was not reached: " + error);
            System.exit(1);
        }
    }

    static void run(String path, String part) throws Exception {
        Map<String, Object> kit = kit(path);
        Map<String, Object> clients = object(kit.get("clients"));
        Map<String, Object> me = object(clients.get(part));
        check(me != null, "The kit has no client " + part + "; it has " + String.join(", ", clients.keySet()) + ".");
        Map<String, Object> jwk = object(list(object(me.get("private_jwks")).get("keys")).get(0));
        Verify gateway = new Verify((String) kit.get("issuer"));

        // 1. A token: a client assertion (private_key_jwt, RFC 7523) and a proof (RFC 9449).
        String id = (String) me.get("client_id");
        long now = Instant.now().getEpochSecond();
        Map<String, Object> claims = map("iss", id, "sub", id, "aud", gateway.issuer,
            "jti", UUID.randomUUID().toString(), "iat", now, "exp", now + 60);
        String assertion = jwt(map("alg", "ES256", "kid", jwk.get("kid")), claims, privateKey(jwk));
        String form = "grant_type=client_credentials&scope=verify&client_assertion=" + assertion
            + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        HttpResponse<byte[]> answer = gateway.post("/oauth/token", bytes(form), null,
            Map.of("Content-Type", "application/x-www-form-urlencoded"));
        check(answer.statusCode() == 200, "No token: " + text(answer.body()));
        String token = (String) object(Json.read(text(answer.body()))).get("access_token");

        // 2. A verification. To repeat it after a failure, send the same Idempotency-Key: it costs one use.
        String uscc = (String) object(list(kit.get("subjects")).get(0)).get("uscc");
        byte[] body = bytes(Json.write(map("enterprise", map("uscc", uscc), "purpose", list(me.get("purposes")).get(0),
            "questions", List.of(map("question", "is_active.v1")))));
        answer = gateway.post("/v1/verifications", body, token, Map.of(
            "Content-Type", "application/json", "Content-Digest", contentDigest(body),
            "Idempotency-Key", UUID.randomUUID().toString()));

        // 3. The answer's signature (RFC 9421); only then is the answer read.
        gateway.verify(answer, "POST", "/v1/verifications", body);
        check(answer.statusCode() == 200, text(answer.body()));
        System.out.println(Json.write(object(Json.read(text(answer.body()))).get("answers")));
    }

    static Map<String, Object> kit(String path) {
        try {
            return object(Json.read(Files.readString(Path.of(path))));
        } catch (IOException | IllegalStateException error) {
            throw new IllegalStateException(
                "There is no kit to read at " + path + ": run make demo, and give the path of its .demo/kit.json.");
        }
    }

    /**
     * Send, four times at most: again with the server's nonce, if it asks for it; a call also after Retry-After and a
     * random part, at 429 and 503. An assertion would be spent by then.
     *
     * Status, Retry-After and "use_dpop_nonce" are looked at before the answer's signature is verified. All that a
     * forged one gains is another try of the same call, with the same Idempotency-Key and a proof that is good once.
     */
    HttpResponse<byte[]> post(String path, byte[] body, String token, Map<String, String> headers)
            throws IOException, InterruptedException, GeneralSecurityException {
        for (int tries = 1; ; tries++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(issuer + path))
                .timeout(Duration.ofSeconds(30))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .header("DPoP", proof("POST", path, token));
            headers.forEach(request::header);
            if (token != null) {
                request.header("Authorization", "DPoP " + token);
            }
            HttpResponse<byte[]> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            nonce = answer.headers().firstValue("DPoP-Nonce").orElse(nonce);
            boolean later = token != null && (answer.statusCode() == 429 || answer.statusCode() == 503)
                && header(answer, "Retry-After").matches("[0-9]{1,2}");
            if (tries == 4 || !later && !text(answer.body()).contains("\"use_dpop_nonce\"")) {
                return answer;
            }
            if (later) {
                int seconds = Integer.parseInt(header(answer, "Retry-After"));
                Thread.sleep(seconds * 1000L + ThreadLocalRandom.current().nextInt(1000));
            }
        }
    }

    /** A DPoP proof (RFC 9449 §4.2). */
    String proof(String method, String path, String token) throws GeneralSecurityException {
        ECPublicKey key = (ECPublicKey) proofKey.getPublic();
        Map<String, Object> jwk = map("kty", "EC", "crv", "P-256",
            "x", base64url(unsigned(key.getW().getAffineX())), "y", base64url(unsigned(key.getW().getAffineY())));
        Map<String, Object> claims = map("htm", method, "htu", issuer + path,
            "iat", Instant.now().getEpochSecond(), "jti", UUID.randomUUID().toString());
        if (nonce != null) {
            claims.put("nonce", nonce);
        }
        if (token != null) {
            claims.put("ath", base64url(sha256(bytes(token))));
        }
        return jwt(map("typ", "dpop+jwt", "alg", "ES256", "jwk", jwk), claims, proofKey.getPrivate());
    }

    /** Verify an answer's signature as http.md §6 says. */
    void verify(HttpResponse<byte[]> answer, String method, String path, byte[] body)
            throws IOException, InterruptedException, GeneralSecurityException {
        Matcher signed = SIGNED.matcher(header(answer, "Signature-Input"));
        check(signed.matches(), "The answer is not signed as the profile says.");
        List<String> covered = new ArrayList<>(List.of(
            "\"@status\": " + answer.statusCode(),
            "\"content-type\": " + header(answer, "Content-Type"),
            "\"content-digest\": " + contentDigest(answer.body()),
            "\"@method\";req: " + method,
            "\"@target-uri\";req: " + issuer + path));
        // A refusal may have been made before the body was compared with its digest.
        if (answer.statusCode() < 400 || signed.group(2).contains("\"content-digest\";req")) {
            covered.add("\"content-digest\";req: " + contentDigest(body));
        }
        String names = covered.stream().map(each -> each.split(": ", 2)[0]).collect(Collectors.joining(" "));
        check(signed.group(2).equals(names), "Other components are signed.");
        Instant created = Instant.ofEpochSecond(Long.parseLong(signed.group(3)));
        check(Duration.between(created, Instant.now()).abs().compareTo(Duration.ofMinutes(5)) < 0, "Not signed now.");
        covered.add("\"@signature-params\": " + signed.group(1));
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(responseKey(signed.group(4), created));
        verifier.update(bytes(String.join("\n", covered)));
        String signature = header(answer, "Signature").replaceFirst("^xinqiao=:", "").replaceFirst(":$", "");
        check(verifier.verify(Base64.getDecoder().decode(signature)), "The answer's signature does not hold.");
    }

    /** The published key `kid` (or one that you have pinned), if it was in force. */
    PublicKey responseKey(String kid, Instant created)
            throws IOException, InterruptedException, GeneralSecurityException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(issuer + "/.well-known/jwks.json"))
            .timeout(Duration.ofSeconds(30)).build();
        String published = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        for (Object each : list(object(Json.read(published)).get("keys"))) {
            Map<String, Object> jwk = object(each);
            if (kid.equals(jwk.get("kid")) && "response".equals(jwk.get("xinqiao_use"))
                    && !created.isBefore(moment(jwk.get("not_before")).truncatedTo(ChronoUnit.SECONDS))
                    && (jwk.get("retired_at") == null || created.isBefore(moment(jwk.get("retired_at"))))) {
                byte[] x = unbase64url((String) jwk.get("x"));
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(join(ED25519, x)));
            }
        }
        throw new IllegalStateException("No key " + kid + " was in force.");
    }

    /** A JWT with ES256 (RFC 7518 §3.4). */
    static String jwt(Map<String, Object> header, Map<String, Object> claims, PrivateKey key)
            throws GeneralSecurityException {
        String signed = base64url(bytes(Json.write(header))) + "." + base64url(bytes(Json.write(claims)));
        Signature signer = Signature.getInstance("SHA256withECDSAinP1363Format");
        signer.initSign(key);
        signer.update(bytes(signed));
        return signed + "." + base64url(signer.sign());
    }

    /** The private key of a JWK. Your own you would keep in a key store or an HSM. */
    static PrivateKey privateKey(Map<String, Object> jwk) throws GeneralSecurityException {
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        BigInteger secret = new BigInteger(1, unbase64url((String) jwk.get("d")));
        return KeyFactory.getInstance("EC").generatePrivate(
            new ECPrivateKeySpec(secret, curve.getParameterSpec(ECParameterSpec.class)));
    }

    static String contentDigest(byte[] body) throws GeneralSecurityException { // RFC 9530
        return "sha-256=:" + Base64.getEncoder().encodeToString(sha256(body)) + ":";
    }

    static byte[] sha256(byte[] content) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(content);
    }

    static String header(HttpResponse<?> answer, String name) {
        return String.join(", ", answer.headers().allValues(name));
    }

    static byte[] unsigned(BigInteger number) { // 32 bytes
        return HexFormat.of().parseHex(String.format("%064x", number));
    }

    static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    static Instant moment(Object written) {
        return OffsetDateTime.parse((String) written).toInstant();
    }

    static String base64url(byte[] content) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(content);
    }

    static byte[] unbase64url(String written) {
        return Base64.getUrlDecoder().decode(written);
    }

    static byte[] bytes(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> made = new LinkedHashMap<>();
        for (int at = 0; at < pairs.length; at += 2) {
            made.put((String) pairs[at], pairs[at + 1]);
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        return (List<Object>) value;
    }

    /** JSON (RFC 8259), which the JDK lacks; use the library that you have. Numbers are read as texts. */
    static final class Json {
        static final Pattern TOKEN = Pattern.compile(
            "\\s*([\\[\\]{}:,]|\"((?:[^\"\\\\]|\\\\.)*)\"|true|false|null|-?[0-9][0-9.eE+-]*)\\s*");
        final Matcher tokens;

        Json(String source) {
            tokens = TOKEN.matcher(source);
            next();
        }

        static Object read(String source) {
            return new Json(source).value();
        }

        static String write(Object value) {
            if (value instanceof Map<?, ?> members) {
                return members.entrySet().stream().map(each -> write(each.getKey()) + ":" + write(each.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
            }
            if (value instanceof List<?> items) {
                return items.stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
            }
            return value instanceof String written ? quoted(written) : String.valueOf(value);
        }

        private static String quoted(String written) {
            StringBuilder made = new StringBuilder("\"");
            written.chars().forEach(each -> made.append(each < ' ' || each == '"' || each == '\\'
                ? String.format("\\u%04x", each) : String.valueOf((char) each)));
            return made.append('"').toString();
        }

        private Object value() {
            String token = tokens.group(1);
            switch (token) {
                case "{": return members();
                case "[": return items();
                case "null": return null;
                case "true": case "false": return Boolean.valueOf(token);
                default: return token.startsWith("\"") ? unescaped(tokens.group(2)) : token;
            }
        }

        private Map<String, Object> members() {
            Map<String, Object> found = new LinkedHashMap<>();
            while (!next().equals("}")) {
                if (tokens.group(1).equals(",")) {
                    next();
                }
                String name = unescaped(tokens.group(2));
                check(next().equals(":"), "No JSON.");
                next();
                found.put(name, value());
            }
            return found;
        }

        private List<Object> items() {
            List<Object> found = new ArrayList<>();
            while (!next().equals("]")) {
                if (tokens.group(1).equals(",")) {
                    next();
                }
                found.add(value());
            }
            return found;
        }

        private String next() {
            check(tokens.find(), "No JSON.");
            return tokens.group(1);
        }

        private static String unescaped(String raw) {
            return Pattern.compile("\\\\(u[0-9a-fA-F]{4}|.)").matcher(raw).replaceAll(each -> {
                String mark = each.group(1);
                int place = "bfnrt".indexOf(mark.charAt(0));
                return Matcher.quoteReplacement(mark.length() == 5
                    ? String.valueOf((char) Integer.parseInt(mark.substring(1), 16))
                    : place < 0 ? mark : String.valueOf("\b\f\n\r\t".charAt(place)));
            });
        }
    }
}
