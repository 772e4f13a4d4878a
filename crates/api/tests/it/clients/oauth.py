"""A resource server with Authlib: reads the metadata, introspects a token, and revokes it.

Arguments: the address, the id and the secret of the resource server's token, and a client's token.
"""

import sys

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

base, token_id, secret, token = sys.argv[1:]
server = AuthorizationServerMetadata(requests.get(get_well_known_url(base, external=True), timeout=30).json())
server.validate()
assert server["introspection_endpoint"] == "https://tokens.example.org/v1/oauth/introspect", server

for method in ["client_secret_basic", "client_secret_post"]:
    assert method in server["introspection_endpoint_auth_methods_supported"], server
    session = OAuth2Session(token_id, secret, token_endpoint_auth_method=method)

    def ask(text):
        answer = session.introspect_token(f"{base}/v1/oauth/introspect", token=text)
        assert answer.status_code == 200, answer.text
        return answer.json()

    active = ask(token)
    assert active["active"] is True and active["token_type"] == "Bearer", active
    assert ask("nlp_00112233445566778899aabbccddeeff550c911c") == {"active": False}

answer = session.revoke_token(f"{base}/v1/oauth/revoke", token=token, token_type_hint="access_token")
assert answer.status_code == 200, answer.text
assert ask(token) == {"active": False}
print("done")
