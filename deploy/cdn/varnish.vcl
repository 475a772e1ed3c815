# Varnish (7.1, with vmod-xkey) in front of the public pages; docs/operate/cdn.md says what it must do.
# It takes the gateway's purges at POST /purge:
#   XINQIAO_PURGE_URL=http://127.0.0.1:6081/purge
# with XINQIAO_PURGE_TOKEN in its own environment too. TLS, and all that is not under /E/, is the proxy's.
vcl 4.1;

import std;
import xkey;

backend default {
    .host = "127.0.0.1";
    .port = "8420";
}

# From where the gateway purges.
acl gateways {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.url == "/purge") {
        if (req.method != "POST" || client.ip !~ gateways || std.getenv("XINQIAO_PURGE_TOKEN") == "" ||
            req.http.Authorization != "Bearer " + std.getenv("XINQIAO_PURGE_TOKEN")) {
            return (synth(403));
        }
        set req.http.X-Purged = xkey.purge(req.http.Surrogate-Key);
        return (synth(204));
    }
    # Anything but a code's own page is the gateway's to answer.
    if ((req.method != "GET" && req.method != "HEAD") || req.url !~ "^/[Ee]/[A-Za-z2-7]{26}([?]|$)" ||
        req.http.Content-Digest) {
        return (pass);
    }
    unset req.http.Cookie;
    if (req.http.Accept ~ "application/json" && req.http.Accept !~ "text/html") {
        return (pass);  # no CDN keeps the page's JSON
    }
    set req.http.Accept = "text/html";
    set req.http.X-Query = "";
    if (req.url ~ "[?&]lang=en(&|$)") {
        set req.http.X-Query = req.http.X-Query + "&lang=en";
    }
    if (req.url ~ "[?&]size=large(&|$)") {
        set req.http.X-Query = req.http.X-Query + "&size=large";
    }
    set req.url = regsub(req.url, "[?].*", "") + regsub(req.http.X-Query, "^&", "?");
    unset req.http.X-Query;
    return (hash);
}

sub vcl_backend_response {
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (beresp.status == 200 && beresp.http.CDN-Cache-Control ~ "max-age=[0-9]+") {
        set beresp.ttl = std.duration(
            regsub(beresp.http.CDN-Cache-Control, "^.*max-age=([0-9]+).*$", "\1") + "s", 0s);
        set beresp.http.xkey = beresp.http.Surrogate-Key;
    } else {
        set beresp.ttl = 0s;
        set beresp.uncacheable = true;
    }
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
    unset resp.http.Surrogate-Control;
    unset resp.http.Cache-Tag;
    unset resp.http.CDN-Cache-Control;
    unset resp.http.Via;
}
