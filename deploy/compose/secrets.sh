#!/bin/sh
# Makes the secrets of compose.yaml in ./secrets, once: nothing has a default password. What is there stays, also lines
# that you added to users, tokens and .env; remove a file to have it made anew, then `docker compose up -d --force-recreate`. HOSTNAMES are the names under which services reach the gateway.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets

password() { [ -s "$1" ] || openssl rand -hex 24 >"$1"; }
others() { [ ! -f "$1" ] || sed -E "/$2/d" "$1"; }  # the lines of a file that are not ours

for name in root_password otelcol_password grafana_password grafana_admin_password user_key demo_token; do password "$name"; done
[ -s tokens ] || printf '%s demo\n' "$(cat demo_token)" >tokens
added=$(others users '^(otelcol|grafana) ')
printf 'otelcol %s writer\ngrafana %s reader\n%s' "$(cat otelcol_password)" "$(cat grafana_password)" "${added:+$added
}" >users
if ! [ -s tls_key ]; then
    names="DNS:gateway,DNS:localhost,IP:127.0.0.1"
    for host in ${HOSTNAMES:-}; do names="$names,DNS:$host"; done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=spanledger" \
        -addext "subjectAltName=$names" -keyout tls_key -out tls_cert 2>/dev/null
fi
digest=$(printf %s "$(cat root_password)" | sha256sum | cut -d' ' -f1)
cat >clickhouse-users.xml <<XML
<clickhouse>
    <users>
        <default remove="remove"/>
        <root>
            <password_sha256_hex>$digest</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </root>
    </users>
</clickhouse>
XML
# Containers run as whoever owns the secrets, so that nobody else can read them; only the digest of a password is for everybody.
owner=$(id -u)
if [ "$owner" = 0 ]; then
    owner=10001
    chown "$owner" ./*
fi
chmod 0600 ./*
chmod 0644 clickhouse-users.xml tls_cert
added=$(others ../.env '^SPANLEDGER_UID=')
printf 'SPANLEDGER_UID=%s\n%s' "$owner" "${added:+$added
}" >../.env
chmod 0644 ../.env
echo "Secrets are in $(pwd). Grafana: http://127.0.0.1:3000, admin, $(pwd)/grafana_admin_password"
echo "Services send with TLS to 4317 or 4318 and a token of $(pwd)/tokens, one line TOKEN TENANT for each."
