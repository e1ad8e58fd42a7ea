#!/bin/sh
# Calls a listener with curl in every documented way: the calls stand as the page has them, but for
# host, user name, password and secret.
#
# "API Authentication/Authorization" of the Xponent Graph API, © 2022 CSG; the page has no call for
# the login and shows no body with a token in it.
# https://xponent-knowledge-base.document360.io/docs/xponent-graph-api
#
# Run it as `sh listener.sh [DATA/quickstart.json]`; without a file, GRAPH_URL (scheme, host and port)
# says where. GRAPH_USERNAME, GRAPH_PASSWORD and GRAPH_SECRET stand in for those of the page.
set -eu

if [ $# -gt 0 ]; then
    field() { sed -n "s/^ *\"$2\": \"\(.*\)\",\{0,1\}$/\1/p" "$1" | head -n 1; }
    GRAPH_URL=$(field "$1" base_url)
    GRAPH_USERNAME=$(field "$1" username)
    GRAPH_PASSWORD=$(field "$1" password)
    GRAPH_SECRET=$(field "$1" shared_secret)
fi
host=$GRAPH_URL
username=${GRAPH_USERNAME:-Test}
password=${GRAPH_PASSWORD:-Pass1234!}
secret=${GRAPH_SECRET:-abc123}

# Runs a call, and ends if it is no success.
try() {
    what=$1
    shift
    answer=$("$@" --silent --show-error --write-out '\n%{http_code}')
    status=$(printf '%s\n' "$answer" | tail -n 1)
    body=$(printf '%s\n' "$answer" | sed '$d')
    printf '%s: %s\n' "$what" "$status"
    [ "$status" = 200 ] || { printf '%s\n' "$body" >&2; exit 1; }
}

# "API Key (Shared Secret)", to the letter.
try 'x-auth-token' \
curl --location --request POST "$host/api/v1/listener/kitewheel_endpoint" \
--header "x-auth-token: $secret" \
--header 'Content-Type: application/json' \
--data-raw '{"message":"hi"}'

# "Basic Authentication": for Test and Pass1234! this is `Basic VGVzdDpQYXNzMTIzNCE=`.
basic="Basic $(printf '%s:%s' "$username" "$password" | base64)"
try 'Basic' \
curl --location --request POST "$host/api/v1/listener/kitewheel_endpoint" \
--header "Authorization: $basic" \
--header 'Content-Type: application/json' \
--data-raw '{"message":"hi"}'

# "Open Authorization (OAuth)": `/login` with user name and password.
try 'login' \
curl --location --request POST "$host/login" \
--header 'Content-Type: application/json' \
--data-raw "{\"username\":\"$username\",\"password\":\"$password\"}"
token=$(printf '%s\n' "$body" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')

# "This token is then included in the headers or body of any request."
try 'token in the headers' \
curl --location --request POST "$host/api/v1/listener/kitewheel_endpoint" \
--header "Authorization: Bearer $token" \
--header 'Content-Type: application/json' \
--data-raw '{"message":"hi"}'

try 'token in the body' \
curl --location --request POST "$host/api/v1/listener/kitewheel_endpoint" \
--header 'Content-Type: application/json' \
--data-raw "{\"message\":\"hi\",\"token\":\"$token\"}"
