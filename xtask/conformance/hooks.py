"""Tells schemathesis what the document does not: how to sign in, and values that depend on the deployment."""

import datetime
import os

import requests
import schemathesis
from hypothesis import strategies as st

BASE = os.environ["NOLAPSE_URL"]
ACCOUNT = {"email": os.environ["NOLAPSE_EMAIL"], "password": os.environ["NOLAPSE_PASSWORD"]}
PATIENCE = 30
# Scopes that tokens of every kind may carry; random names would be unknown scopes.
SCOPES = ["execute", "read", "self:rotate"]
# The short forms, which take a token that is bound to a project.
BOUND = ("/v1/actors", "/v1/scopes")
NOT_BOUND = ("/v1/scopes/catalog", "/v1/scopes/evaluate")

schemathesis.openapi.format("scope", st.sampled_from(SCOPES))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))
# Expiry times have to be in the future.
schemathesis.openapi.format(
    "date-time",
    st.datetimes(min_value=datetime.datetime(2040, 1, 1), max_value=datetime.datetime(2099, 1, 1)).map(
        lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    ),
)


def whole(value):
    """Converts 7.0 to 7: JSON Schema counts it as an integer, but the server does not, and no client sends it."""
    if isinstance(value, dict):
        return {name: whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def before_call(context, case, kwargs):
    """Corrects valid requests where the document cannot, and drops changes that would lock this test out."""
    is_good = case.meta is None or case.meta.generation.mode.is_positive
    if is_good and isinstance(case.body, (dict, list)):
        # schemathesis validates a body again when it is assigned, and would then count a missing optional body as invalid.
        case.body = whole(case.body)
    if is_good and isinstance(case.query, dict):
        # Cursors come from an earlier page; random values are never valid.
        case.query.pop("cursor", None)
    if case.operation.path == "/v1/me" and isinstance(case.body, dict):
        # Keep the owner's address, which `Credentials` signs in with.
        case.body.pop("email", None)
    if case.operation.path == "/v1/organizations/{org_id}" and isinstance(case.body, dict):
        # The owner has no second factor: if one were required, their sessions could only set one up.
        case.body.pop("require_second_factor", None)


def call(path, body, credential=None):
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    answer = requests.post(BASE + path, json=body, headers=headers, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


class Credentials:
    """Renewed now and then, because the operations under test end sessions and revoke tokens."""

    def __init__(self):
        session = call("/v1/sessions", ACCOUNT)
        organization, session = session["org_id"], session["token"]
        # Reset the token policy, or one set by an earlier test could forbid these tokens.
        headers = {"Authorization": f"Bearer {session}"}
        requests.put(f"{BASE}/v1/organizations/{organization}/token-policy", json={"kinds": {}}, headers=headers, timeout=PATIENCE)
        self.general = session
        if os.environ["NOLAPSE_AS"] == "token":
            self.general = call("/v1/tokens", {"name": "schemathesis", "scopes": ["admin"]}, session)["secret"]
        path = f"/v1/organizations/{organization}/projects"
        slug = f"schemathesis-{os.urandom(4).hex()}"
        project = call(path, {"slug": slug}, session)["projectId"]
        bound = {"name": "schemathesis, bound", "scopes": ["admin"], "project_id": project}
        self.bound = call("/v1/tokens", bound, session)["secret"]


@schemathesis.auth(refresh_interval=20)
class Presented:
    def get(self, case, context):
        return Credentials()

    def set(self, case, data, context):
        path = case.operation.path
        is_bound = path.startswith(BOUND) and path not in NOT_BOUND
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data.bound if is_bound else data.general}"
