#!/bin/sh
# Install what tests use beside Python, where that is possible: as root, on a system with apt-get.
# No service is started: what the tests need they start themselves, on ports of their own.
set -u

missing=""
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v chromium >/dev/null || missing="$missing chromium"
for program in wrk jq curl openssl; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -x /usr/sbin/haproxy ] || missing="$missing haproxy"
[ -x /usr/sbin/nginx ] && [ -e /usr/lib/nginx/modules/ngx_http_js_module.so ] ||
    missing="$missing nginx libnginx-mod-http-js"
[ -x /usr/sbin/varnishd ] && ls /usr/lib/*/varnish/vmods/libvmod_xkey.so >/dev/null 2>&1 ||
    missing="$missing varnish varnish-modules"
java --list-modules 2>/dev/null | grep -q '^jdk.compiler@' || missing="$missing default-jdk-headless"
ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed, and not installable here:$missing (tests that need them are skipped)"
    exit 0
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive

# While this policy is there, packages start no service (invoke-rc.d(8)). One that is there already is
# somebody's own and stays as it is.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "Could not install:$missing (tests that need them are skipped)"

# Nor at the next boot: of these the tests want the programs alone.
for service in redis-server haproxy nginx varnish varnishncsa; do
    case "$missing " in *" $service "*) update-rc.d "$service" disable >/dev/null 2>&1 || : ;; esac
done
