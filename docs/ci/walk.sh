#!/bin/sh
# A walk through the coverage gate with curl: from signing in to a badge that turns colour, and to the two refusals that
# show what a CI token cannot do. It makes two tokens, submits three runs, and revokes the tokens in the end.
#
#   NOLAPSE_URL=http://127.0.0.1:8080 NOLAPSE_ORG=acme NOLAPSE_EMAIL=you@example.org NOLAPSE_PASSWORD=… sh walk.sh [REPO]
#
# Needs curl and jq. The password and the tokens are handed over on standard input and in the environment: arguments can
# be read by every process of the machine.
set -eu
set +x

# One of its own, so that the first run becomes the baseline however often this is run.
repo=${1:-walk/$(date +%s)}
body=$(mktemp)
trap 'rm -f "$body"' EXIT

# call METHOD PATH CREDENTIAL [JSON]: leaves the status in $status and the answer in the file $body.
call() {
    status=$(
        {
            [ -z "$3" ] || printf 'header = "Authorization: Bearer %s"\n' "$3"
            [ -z "${4:-}" ] || printf '%s' "$4" | jq --raw-output --raw-input --slurp '"data-binary = \(tojson)"'
        } | curl --disable --config - --silent --show-error --request "$1" --output "$body" \
            --write-out '%{http_code}' "$NOLAPSE_URL$2"
    )
}
answer() { jq --raw-output "$1" "$body"; }
run() { printf '{"repo":"%s","branch":"main","commit":"%s","coverage":%s}' "$repo" "$1" "$2"; }
badge() {
    call GET "/v1/badge/$NOLAPSE_ORG/$repo" ''
    sed 's/.*<title>\(.*\)<\/title>.*class="\([a-z]*\)".*/\1 (\2)/' "$body"
}

echo '# sign in, and make a token that may execute and one that may read'
call POST /v1/sessions '' "$(jq --null-input '{email: env.NOLAPSE_EMAIL, password: env.NOLAPSE_PASSWORD, organization: env.NOLAPSE_ORG}')"
echo "$status"
session=$(answer .token)
call POST /v1/tokens "$session" '{"name":"walk: ci","scopes":["execute"]}'
echo "$status $(answer '.scopes | join(" ")')"
ci=$(answer .secret) ci_id=$(answer .id)
call POST /v1/tokens "$session" '{"name":"walk: report","scopes":["read"]}'
echo "$status $(answer '.scopes | join(" ")')"
report=$(answer .secret) report_id=$(answer .id)

echo '# submit three runs: the first becomes the baseline'
badge
for coverage in 80.5 80.0 79.4; do
    call POST /v1/executions "$ci" "$(run 9fceb02d0ae5 "$coverage")"
    echo "$status $(answer '"\(.coverage) against \(.baseline): \(.delta) \(.outcome), exit \(.exit_code)"')"
    badge
done

echo '# look at them, newest first'
call GET "/v1/executions?org=$NOLAPSE_ORG&repo=$repo&limit=2" "$report"
echo "$status $(answer '"\(.executions | length) of \(.total): \(.executions | map(.delta) | join(" "))"')"

echo '# a CI token makes no tokens, a reading token submits nothing'
call POST /v1/tokens "$ci" '{"name":"more","scopes":["execute"]}'
echo "$status $(answer '"\(.error): \(.missing | join(" "))"')"
call POST /v1/executions "$report" "$(run 9fceb02d0ae5 99)"
echo "$status $(answer '"\(.error): \(.missing | join(" "))"')"

echo '# put the tokens away'
for id in "$ci_id" "$report_id"; do
    call DELETE "/v1/tokens/$id" "$session"
    echo "$status"
done
call DELETE /v1/sessions/current "$session"
echo "$status"
