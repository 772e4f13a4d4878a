// The fastest peer: token introspection (RFC 7662) by oidc-provider with everything in memory.
//
// Usage: node oidc-provider.mjs <count> <file>: issues <count> access tokens, writes them to <file>, one a line, and
// prints `listening on http://...` once it accepts. Settings are the documented ones; the store is a Map, because the one
// that comes with the package keeps only the last thousand entries.

import { writeFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const [count, file] = [Number(process.argv[2]), process.argv[3]];
if (!Number.isInteger(count) || count < 1 || !file) {
  console.error("usage: node oidc-provider.mjs <count> <file>");
  process.exit(2);
}

/** The documented interface of a store, without what tokens of clients do not need: grants and codes. */
class Memory {
  static #entries = new Map();

  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    Memory.#entries.set(this.#key(id), { payload, until: Date.now() + expiresIn * 1000 });
  }

  async find(id) {
    const entry = Memory.#entries.get(this.#key(id));
    return entry && Date.now() < entry.until ? entry.payload : undefined;
  }

  async destroy(id) {
    Memory.#entries.delete(this.#key(id));
  }

  async findByUid() {}

  async findByUserCode() {}

  async consume() {}

  async revokeByGrantId() {}
}

const id = "bench";
const provider = new Provider("http://127.0.0.1", {
  adapter: Memory,
  clients: [
    {
      client_id: id,
      client_secret: "a-bench-needs-no-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  scopes: ["execute"],
  ttl: { ClientCredentials: 24 * 60 * 60 },
});

const client = await provider.Client.find(id);
const tokens = [];
for (let made = 0; made < count; made += 1) {
  tokens.push(await new provider.ClientCredentials({ client, scope: "execute" }).save());
}
writeFileSync(file, `${tokens.join("\n")}\n`);

const server = provider.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
