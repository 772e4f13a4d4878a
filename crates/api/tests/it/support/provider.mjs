// An identity provider of people for the tests: npm's `oidc-provider` with its own pages, on a free port of this machine.
//
//   node provider.mjs PATH_OF_OIDC_PROVIDER REDIRECT_URI
//
// Prints its issuer on a line of its own. Whoever signs in there is the account with the name that was typed: `ann` has the
// verified address ann@acme.example, and so on; a name with a plus has groups behind it (`ann+platform`).
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [, , library, redirectUri] = process.argv;
const { default: Provider } = await import(pathToFileURL(library).href);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: 'first', use: 'sig', alg: 'RS256' };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'tokens',
      client_secret: 'a secret: of the tests & more',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    }],
    claims: {
      openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'], auth_time: null, acr: null,
    },
    cookies: { keys: ['of the tests'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => {
      const [name, ...groups] = id.split('+');
      return {
        accountId: id,
        claims: () => ({
          sub: name, groups, name: name.toUpperCase(), email: `${name}@acme.example`, email_verified: name !== 'mallory',
        }),
      };
    },
    jwks: { keys: [key] },
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
// Ends with the test that started it.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
