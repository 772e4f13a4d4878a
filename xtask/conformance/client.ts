// A client over the types that openapi-typescript generated, used to create, validate, rotate and revoke a token.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const baseUrl = process.env.NOLAPSE_URL!;
const anybody = createClient<paths>({ baseUrl });

function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no answer to ${what}`);
  return value;
}

async function isValid(token: string): Promise<boolean> {
  const { data, error } = await anybody.POST("/v1/auth/validate", { body: { token } });
  return data ? data.valid : error !== undefined && "valid" in error && error.valid;
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`);
}

const signIn = { email: process.env.NOLAPSE_EMAIL!, password: process.env.NOLAPSE_PASSWORD! };
const session = there((await anybody.POST("/v1/sessions", { body: signIn })).data, "sign in");
const owner = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${session.token}` } });

const body = { name: "made by a typed client", scopes: ["execute"] };
const made: components["schemas"]["CreatedToken"] = there((await owner.POST("/v1/tokens", { body })).data, "create");
expect(await isValid(made.secret), "the new token validates");

const path = { token_id: made.id };
const rotation = await owner.POST("/v1/tokens/{token_id}/rotate", {
  params: { path },
  body: { grace_period_seconds: 3600 },
});
const rotated = there(rotation.data, "rotate");
expect((await isValid(made.secret)) && (await isValid(rotated.secret)), "both validate within the grace");
const token = there((await owner.GET("/v1/tokens/{token_id}", { params: { path } })).data, "get");
const status: "active" | "rotating" | "revoked" | "expired" = token.status;
expect(status === "rotating", "the old one is rotating");

for (const [token_id, secret] of [[made.id, made.secret], [rotated.id, rotated.secret]]) {
  const { response } = await owner.DELETE("/v1/tokens/{token_id}", { params: { path: { token_id } } });
  expect(response.status === 204, "it is revoked");
  expect(!(await isValid(secret)), "it validates no more");
}
console.log("typescript: created, validated, rotated, revoked");
