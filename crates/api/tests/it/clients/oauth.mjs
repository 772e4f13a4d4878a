// A resource server with oauth4webapi: finds the service by its metadata, introspects a token, and revokes it.
// Arguments: the library, the address, the id and the secret of the resource server's token, and a client's token.

import assert from "node:assert/strict";

const [library, base, id, secret, token] = process.argv.slice(2);
const oauth = await import(library);
const options = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(base);
const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...options });
const server = await oauth.processDiscoveryResponse(issuer, found);
assert.equal(server.introspection_endpoint, `${base}/v1/oauth/introspect`);

const resource = await oauth.resourceDiscoveryRequest(issuer, options);
const described = await oauth.processResourceDiscoveryResponse(issuer, resource);
assert.deepEqual(described.authorization_servers, [base]);

const client = { client_id: id };
async function ask(authentication, text) {
  const answer = await oauth.introspectionRequest(server, client, authentication, text, options);
  return oauth.processIntrospectionResponse(server, client, answer);
}
for (const authentication of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
  const active = await ask(authentication, token);
  assert.equal(active.active, true);
  assert.equal(active.token_type, "Bearer");
  assert.equal(active.iss, base);
  assert.equal(typeof active.scope, "string");
  assert.deepEqual(await ask(authentication, "nlp_00112233445566778899aabbccddeeff550c911c"), { active: false });
}
await assert.rejects(ask(oauth.ClientSecretBasic("of nobody"), token), (error) => error.status === 401);

const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const form = { subject_token: "a.b.c", subject_token_type: "urn:ietf:params:oauth:token-type:jwt" };
const exchange = await oauth.genericTokenEndpointRequest(server, client, oauth.None(), grant, form, options);
await assert.rejects(
  oauth.processGenericTokenEndpointResponse(server, client, exchange),
  (error) => error.status === 400 && error.error === "invalid_request",
);

const revoked = await oauth.revocationRequest(server, client, oauth.ClientSecretBasic(secret), token, options);
assert.equal(await oauth.processRevocationResponse(revoked), undefined);
assert.deepEqual(await ask(oauth.ClientSecretBasic(secret), token), { active: false });
console.log("done");
