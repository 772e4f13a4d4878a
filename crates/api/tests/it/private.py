"""Whether a server connects to private addresses, in a network of its own where something listens on them.

Argument: the program. Runs in new network and mount namespaces, as root of them.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

PRIVATE = {
    "ten.example": "10.9.8.7",
    "twelve.example": "172.16.5.5",
    "home.example": "192.168.7.7",
    "metadata.example": "169.254.169.254",
    "carrier.example": "100.64.1.1",
}
PASSWORD = "an unlikely string of words 7"
hits = []


def listen(address, port):
    listener = socket.create_server((address, port))
    while True:
        connection, peer = listener.accept()
        hits.append((address, port, peer))
        connection.close()


def run(*command):
    subprocess.run(command, check=True)


folder = tempfile.mkdtemp()
run("ip", "link", "set", "lo", "up")
with open(f"{folder}/hosts", "w") as hosts:
    hosts.write("127.0.0.1 localhost\n")
    for name, address in PRIVATE.items():
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
        hosts.write(f"{address} {name}\n")
run("mount", "--bind", f"{folder}/hosts", "/etc/hosts")
for address in PRIVATE.values():
    for port in (80, 443):
        threading.Thread(target=listen, args=(address, port), daemon=True).start()
for address in PRIVATE.values():
    for attempt in range(100):
        try:
            socket.create_connection((address, 443), timeout=5).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
while len(hits) < len(PRIVATE):
    time.sleep(0.05)
hits.clear()

program, database = sys.argv[1], f"sqlite://{folder}/nolapse.db"
with open(f"{folder}/config.toml", "w") as config:
    config.write('[server]\npublic_url = "http://127.0.0.1"\n[webhooks]\nenabled = true\n')
setup = [program, "setup", "--org", "acme", "--email", "a@acme.example", "--password-stdin", "--database-url", database]
subprocess.run(setup, input=f"{PASSWORD}\n".encode(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
serve = [program, "serve", "--config", f"{folder}/config.toml", "--listen", "127.0.0.1:0", "--database-url", database]
server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
base = server.stdout.readline().split()[-1]
session = None


def ask(path, body=None, kind="application/json"):
    data = None if body is None else (body if kind != "application/json" else json.dumps(body)).encode()
    request = urllib.request.Request(base + path, data=data, headers={"Content-Type": kind})
    if session:
        request.add_header("Authorization", f"Bearer {session}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


session = ask("/v1/sessions", {"email": "a@acme.example", "password": PASSWORD})[1]["token"]
organization = f"/v1/organizations/{ask('/v1/me')[1]['org_id']}"
webhooks = []
for host in [*PRIVATE, *PRIVATE.values()]:
    status, made = ask(f"{organization}/webhooks", {"url": f"https://{host}/hook", "events": ["token.create"]})
    assert status == 201, (host, made)
    webhooks.append(made["id"])
    conditions = {"sub": "x", "repository_id": "1"}
    policy = {"name": host, "preset": "generic", "issuer": f"https://{host}", "match": conditions, "scopes": ["execute"]}
    status, made = ask(f"{organization}/trust-policies", policy)
    assert status == 201, (host, made)
    now = int(time.time())
    claims = {"iss": f"https://{host}", "aud": "http://127.0.0.1", **conditions, "iat": now, "exp": now + 300}
    token = f"{part({'alg': 'RS256', 'kid': 'k'})}.{part(claims)}.c2ln"
    form = (
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"
        f"&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:jwt"
    )
    status, refused = ask("/v1/oauth/token", form, "application/x-www-form-urlencoded")
    assert status == 503, (host, refused)
for webhook in webhooks:
    assert ask(f"{organization}/webhooks/{webhook}/test", {})[0] == 202
end = time.time() + 60
for webhook in webhooks:
    while True:
        delivery = ask(f"{organization}/webhooks/{webhook}/deliveries")[1]["deliveries"][0]
        if delivery["attempts"]:
            break
        assert time.time() < end, delivery
        time.sleep(0.2)
    assert delivery["error"] == "address_not_allowed", delivery
server.terminate()
server.wait()
assert not hits, hits
print("done")
