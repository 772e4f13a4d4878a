"""What schemathesis cannot know from the document: how to sign in, and values that only a deployment has."""

import datetime
import os

import requests
import schemathesis
from hypothesis import strategies as st

BASE = os.environ["NOLAPSE_URL"]
ACCOUNT = {"email": os.environ["NOLAPSE_EMAIL"], "password": os.environ["NOLAPSE_PASSWORD"]}
PATIENCE = 30
# Scopes that tokens of every kind may carry; any other name of the grammar is an unknown scope.
SCOPES = ["execute", "read", "self:rotate"]
# The short forms, which take a token that is bound to a project.
BOUND = ("/v1/actors", "/v1/scopes")
NOT_BOUND = ("/v1/scopes/catalog", "/v1/scopes/evaluate")

schemathesis.openapi.format("scope", st.sampled_from(SCOPES))
schemathesis.openapi.format("ip", st.ip_addresses().map(str))
# Ends lie ahead.
schemathesis.openapi.format(
    "date-time",
    st.datetimes(min_value=datetime.datetime(2040, 1, 1), max_value=datetime.datetime(2099, 1, 1)).map(
        lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    ),
)


def whole(value):
    """JSON Schema takes 7.0 for an integer, which no client writes for one and the server does not read as one."""
    if isinstance(value, dict):
        return {name: whole(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def before_call(context, case, kwargs):
    """What no document can say of good requests, and what would lock this test out."""
    is_good = case.meta is None or case.meta.generation.mode.is_positive
    if is_good and isinstance(case.body, (dict, list)):
        # schemathesis validates a body again when it is assigned, and would then count a missing optional body as invalid.
        case.body = whole(case.body)
    if is_good and isinstance(case.query, dict):
        # A cursor is what a page ended with: no value that anybody makes up is one.
        case.query.pop("cursor", None)
    if case.operation.path == "/v1/me" and isinstance(case.body, dict):
        # The owner keeps the address that `Credentials` signs in with.
        case.body.pop("email", None)
    if case.operation.path == "/v1/organizations/{org_id}" and isinstance(case.body, dict):
        # The owner has no second factor: with one asked for, no session of theirs is good for anything else.
        case.body.pop("require_second_factor", None)


def call(path, body, credential=None):
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    answer = requests.post(BASE + path, json=body, headers=headers, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


class Credentials:
    """New ones now and then: the operations under test end sessions and revoke tokens."""

    def __init__(self):
        session = call("/v1/sessions", ACCOUNT)
        organization, session = session["org_id"], session["token"]
        # A policy that was tried out must not keep these from being made.
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
