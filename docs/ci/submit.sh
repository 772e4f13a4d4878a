#!/bin/sh
# Sends a run-state file to a nolapse authority, prints the verdict, and exits as it says.
#
#   NOLAPSE_URL=https://tokens.example.org NOLAPSE_TOKEN=nlp_… sh submit.sh [FILE]
#
# The address is https:// or on this machine; NOLAPSE_ALLOW_HTTP=1 allows http:// elsewhere, for a private network in which
# nobody else can read the token.
#
# FILE (nolapse.json unless named; - is standard input) is the JSON body of POST /v1/executions. It must hold `coverage`;
# `repo`, `branch` and `commit` are taken from NOLAPSE_REPO, NOLAPSE_BRANCH and NOLAPSE_COMMIT, or else from GitHub's or
# GitLab's variables, where FILE does not name them. Needs curl 7.71 and jq 1.6, or later.
#
# Exit: 0 go on · 1 the verdict stops the build · 2 there is no verdict (set up wrongly, refused, or out of reach).
set -eu
# A trace would show the token.
set +x

die() {
    printf 'nolapse: %s\n' "$*" >&2
    exit 2
}

run_state=${1:-nolapse.json}
[ "$run_state" != - ] || run_state=/dev/stdin

command -v curl >/dev/null || die 'install curl'
command -v jq >/dev/null || die 'install jq'
[ -n "${NOLAPSE_URL:-}" ] || die 'set NOLAPSE_URL to the address of the authority'
[ -n "${NOLAPSE_TOKEN:-}" ] ||
    die 'set NOLAPSE_TOKEN to a token with the scope execute (forks and unprotected branches do not get secrets)'
[ -r "$run_state" ] || die "cannot read $run_state: write it before this step"

case $NOLAPSE_URL in
    https://* | http://127.0.0.1:* | http://localhost:* | 'http://[::1]:'*) ;;
    http://127.0.0.1 | http://127.0.0.1/* | http://localhost | http://localhost/* | 'http://[::1]' | 'http://[::1]/'*) ;;
    http://*)
        [ "${NOLAPSE_ALLOW_HTTP:-}" = 1 ] ||
            die 'NOLAPSE_URL must begin with https://, since the token would travel in the clear; NOLAPSE_ALLOW_HTTP=1 allows http:// inside a private network'
        ;;
    *) die 'NOLAPSE_URL must begin with https://' ;;
esac
# What curl's configuration, which it is written to below, would not take literally.
case $NOLAPSE_URL$NOLAPSE_TOKEN in
    *[!A-Za-z0-9._~:/%\[\]-]*) die 'NOLAPSE_URL or NOLAPSE_TOKEN has a character that belongs in neither' ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

jq --slurp --compact-output \
    --arg repo "${NOLAPSE_REPO:-${GITHUB_REPOSITORY:-${CI_PROJECT_PATH:-}}}" \
    --arg branch "${NOLAPSE_BRANCH:-${GITHUB_HEAD_REF:-${GITHUB_REF_NAME:-${CI_MERGE_REQUEST_SOURCE_BRANCH_NAME:-${CI_COMMIT_REF_NAME:-}}}}}" \
    --arg commit "${NOLAPSE_COMMIT:-${GITHUB_SHA:-${CI_COMMIT_SHA:-}}}" \
    'if length == 1 and (.[0] | type) == "object" and (.[0].coverage | type) == "number" then .[0] else error end
    | ({repo: $repo, branch: $branch}
        + (if has("head_sha") then {} else {commit: $commit} end)
        | with_entries(select(.value != ""))) + .' \
    "$run_state" >"$work/body.json" 2>/dev/null ||
    die "$run_state must hold one JSON object with a number called coverage"

# One key for all attempts: if an answer is lost on the way, the retry gets the same execution and records no second one.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# The token goes through standard input: arguments can be read by every process of the machine.
status=$(
    printf 'url = "%s/v1/executions"\nheader = "Authorization: Bearer %s"\n' "${NOLAPSE_URL%/}" "$NOLAPSE_TOKEN" |
        curl --disable --config - --globoff --silent --show-error \
            --header "Idempotency-Key: $key" --header 'Content-Type: application/json' \
            --data-binary "@$work/body.json" \
            --connect-timeout 10 --max-time 30 --retry 4 --retry-all-errors --retry-max-time 120 \
            --output "$work/answer.json" --write-out '%{http_code}'
) || {
    # curl exits with 60 for a certificate whose issuer this machine does not trust.
    [ $? != 60 ] || die "the authority's certificate is not trusted here: set CURL_CA_BUNDLE to a file with its issuer's certificate"
    die 'the authority cannot be reached'
}

# 201 when recorded now, 200 when an earlier attempt was.
if [ "$status" != 201 ] && [ "$status" != 200 ]; then
    # What a server says is printed without control characters, so that it cannot speak to the build system.
    reason=$(jq --raw-output '"\(.error): \(.message)"' "$work/answer.json" 2>/dev/null | tr '\n' ' ' | tr -cd '[:print:]')
    die "the authority answered $status: ${reason:-nothing that can be read}"
fi

verdict=$(
    jq --raw-output --exit-status \
        'select((.id | test("^exe_[0-9a-z]{26}$"))
            and (.outcome | test("^(pass|warn|fail)$"))
            and (.delta | test("^[+-]?[0-9]+[.][0-9]{2}$"))
            and (.exit_code == 0 or .exit_code == 1))
        | "\(.id) \(.outcome) \(.delta) \(.exit_code)"' \
        "$work/answer.json" 2>/dev/null
) || die 'the authority answered with something that is no verdict; is NOLAPSE_URL right?'

read -r id outcome delta exit_code <<EOF
$verdict
EOF

printf 'nolapse: %s, coverage moved by %s points (%s)\n' "$outcome" "$delta" "$id"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'outcome=%s\ndelta=%s\nexecution-id=%s\n' "$outcome" "$delta" "$id" >>"$GITHUB_OUTPUT"
fi
exit "$exit_code"
