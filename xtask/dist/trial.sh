#!/bin/sh
# Installs, sets up, uses, upgrades, removes and purges the package on a clean Debian. `cargo xtask dist --trial` runs it in
# a container with systemd. Its arguments are the package and a later version of it.
set -eu
package=$1 later=$2
base=http://127.0.0.1:8080
export DEBIAN_FRONTEND=noninteractive HOME=/run/trial XDG_RUNTIME_DIR=/run/trial NLP_URL=$base
mkdir -p "$HOME"
cd "$HOME"

step() { echo "--- $*"; }
fail() { echo "FAILED: $*"; exit 1; }
# Waits until the address answers 200.
answers() {
    for _ in $(seq 300); do
        curl -fs "$base$1" >/dev/null && return
        sleep 0.1
    done
    journalctl --no-pager -u nolapse-api | tail -n 20
    fail "$1 does not answer"
}

step "installed: it starts, as a user of its own"
dpkg --install "$package" >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg"; }
answers /health
systemctl is-active nolapse-api.service
systemctl is-enabled nolapse-api.service
pid=$(systemctl show --property MainPID --value nolapse-api.service)
[ "$(stat --format %U "/proc/$pid")" = nolapse ] || fail "it runs as $(stat --format %U "/proc/$pid")"
[ "$(stat --format '%U %a' /var/lib/nolapse)" = 'nolapse 750' ] || fail "the data's folder"
[ "$(stat --format '%U:%G %a' /etc/nolapse/nolapse.toml)" = 'root:nolapse 640' ] || fail "the settings' file"
stat --format '%n %U %a' /var/lib/nolapse/*
systemd-analyze security --no-pager nolapse-api.service | tail -n 1

step "answers: set up by the link in the journal, a token made and validated"
code=$(journalctl --no-pager -u nolapse-api -o cat | sed -n 's/.*\/setup#\([^ "]*\).*/\1/p' | tail -n 1)
[ -n "$code" ] || fail "no link to set it up in the journal"
printf '{"code":"%s","email":"ada@acme.example","organization":"acme","password":"a password of this trial"}' "$code" |
    curl -fsS --json @- "$base/v1/setup" >/dev/null
answers /ready
echo 'a password of this trial' | nlp login --email ada@acme.example --password-stdin --scope admin
nlp token create kept --scope read --field secret >kept.token
nlp token validate --token-file kept.token --field valid
nlp doctor
man -w nlp >/dev/null 2>&1 || [ -e /usr/share/man/man1/nlp.1 ] || [ -e /usr/share/man/man1/nlp.1.gz ] || fail "no manual page"

step "upgraded: settings and data kept, the service restarted"
echo '# a line of mine' >>/etc/nolapse/nolapse.toml
dpkg --install "$later" >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg"; }
answers /ready
[ "$(systemctl show --property MainPID --value nolapse-api.service)" != "$pid" ] || fail "it was not restarted"
tail -n 1 /etc/nolapse/nolapse.toml | grep -q mine || fail "the settings were overwritten"
nlp token validate --token-file kept.token --field valid

step "the socket: a restart refuses no connection"
systemctl stop nolapse-api.service
systemctl enable --quiet --now nolapse-api.socket
systemctl start nolapse-api.service
answers /ready
(while [ ! -e restarted ]; do curl -fsS --max-time 30 "$base/health" >/dev/null || { touch refused; break; }; done) &
systemctl restart nolapse-api.service
answers /ready
touch restarted
wait $!
[ ! -e refused ] || fail "a connection was refused during a restart"

step "removed: stopped, the data kept"
dpkg --remove nolapse >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg"; }
! curl -fs "$base/health" || fail "it still answers"
[ -s /var/lib/nolapse/nolapse.db ] || fail "the data is gone"
[ -e /etc/nolapse/nolapse.toml ] || fail "the settings are gone"

step "installed again: the old data"
dpkg --install "$later" >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg"; }
answers /ready
nlp token validate --token-file kept.token --field valid

step "purged: nothing is left"
dpkg --purge nolapse >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg"; }
for left in /var/lib/nolapse /etc/nolapse /usr/bin/nolapse-api /usr/bin/nlp /usr/lib/systemd/system/nolapse-api.service \
    /etc/systemd/system/multi-user.target.wants/nolapse-api.service /etc/systemd/system/sockets.target.wants/nolapse-api.socket; do
    [ ! -e "$left" ] && [ ! -L "$left" ] || fail "$left is left"
done
! getent passwd nolapse || fail "the user is left"
! systemctl is-active --quiet nolapse-api.service || fail "the service is left"
systemctl --failed --no-legend --plain | grep nolapse && fail "a failed unit is left"

echo "TRIAL PASSED"
