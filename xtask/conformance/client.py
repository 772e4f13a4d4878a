"""A client that openapi-python-client generated, used to create, validate, rotate and revoke a token."""

import os

from nolapse_tokens_client import AuthenticatedClient, Client
from nolapse_tokens_client.api.sessions import create_session
from nolapse_tokens_client.api.tokens import create_token, get_token, list_tokens, revoke_token, rotate_token
from nolapse_tokens_client.api.validation import validate
from nolapse_tokens_client.models import CreateToken, RotateToken, SignIn, ValidateRequest

BASE = os.environ["NOLAPSE_URL"]
anybody = Client(base_url=BASE)


def is_valid(secret):
    answer = validate.sync_detailed(client=anybody, body=ValidateRequest(token=secret))
    assert answer.status_code in (200, 401), answer
    return answer.parsed.valid


sign_in = SignIn(email=os.environ["NOLAPSE_EMAIL"], password=os.environ["NOLAPSE_PASSWORD"])
session = create_session.sync(client=anybody, body=sign_in)
owner = AuthenticatedClient(base_url=BASE, token=session.token)

made = create_token.sync(client=owner, body=CreateToken(name="made by a generated client", scopes=["execute"]))
assert made.secret.startswith("nlp_") and is_valid(made.secret), made
found = list_tokens.sync(client=owner, name="generated client")
assert str(made.id) in [str(token.id) for token in found.tokens], found

rotated = rotate_token.sync(made.id, client=owner, body=RotateToken(grace_period_seconds=3600))
assert is_valid(made.secret) and is_valid(rotated.secret), rotated
assert get_token.sync(made.id, client=owner).status.value == "rotating"

for token, secret in ((made.id, made.secret), (rotated.id, rotated.secret)):
    assert revoke_token.sync_detailed(token, client=owner).status_code == 204
    assert not is_valid(secret)
print("python: created, validated, rotated, revoked")
