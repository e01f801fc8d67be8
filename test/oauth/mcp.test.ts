import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auth, type OAuthClientProvider, StaticPrivateKeyJwtProvider } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import { embedded } from '../support/databases.ts';
import { lastRefusal } from '../support/assertions.ts';
import { startFakeIssuer } from '../support/fake-issuer.ts';
import { useTestApp } from '../support/test-app.ts';

const MCP = 'https://mcp.example.com/tools';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const CLUSTER = 'https://cluster.example';

describe('a client of the MCP SDK with a workload identity (SEP-1933)', () => {
  const app = useTestApp(embedded);
  const cluster = startFakeIssuer();
  after(async () => (await cluster).close());
  let clientId: string;
  let sent: URLSearchParams | undefined;

  before(async () => {
    const { jwks } = await cluster;
    await app.api('POST', '/api/trusted-issuers', { issuer: CLUSTER, name: 'Cluster', jwks });
    await app.api('POST', '/api/resource-servers', {
      identifier: MCP,
      name: 'Tools',
      permissions: [{ name: 'tools:call' }],
    });
    const { json, text, status } = await app.api('POST', '/api/service-accounts', {
      name: 'Agent',
      permissions: ['tools:call'],
      credentials: [{ type: 'federated', issuer: CLUSTER, subject: 'system:serviceaccount:agents:one' }],
    });
    assert.equal(status, 201, text);
    ({ clientId } = json);
  });

  async function external(audience: string, claims: object = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    const sub = 'system:serviceaccount:agents:one';
    return (await cluster).sign({ iss: CLUSTER, sub, aud: audience, iat, exp: iat + 300, ...claims });
  }

  /** In place of the network: the MCP server describes itself, and everything else goes to the server under test. */
  const fetchFn = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const { host, pathname } = new URL(url);
    if (host === 'mcp.example.com') {
      return pathname.startsWith('/.well-known/oauth-protected-resource')
        ? Response.json({ resource: MCP, authorization_servers: [app.issuer] })
        : new Response('', { status: 404 });
    }
    if (init.method === 'POST') sent = new URLSearchParams(String(init.body));
    return fetch(url, init);
  };

  /** A provider as the SDK wants one for a grant of its own: it says which parameters the token request has. */
  function jwtBearer(
    assertion: string,
    clientInformation: { client_id: string } | undefined,
  ): OAuthClientProvider & { access?: string } {
    const provider: OAuthClientProvider & { access?: string } = {
      redirectUrl: undefined,
      clientMetadata: { redirect_uris: [], grant_types: [JWT_BEARER], token_endpoint_auth_method: 'none' },
      clientInformation: () => clientInformation ?? { client_id: 'workload' },
      ...(clientInformation === undefined && { addClientAuthentication: () => {} }),
      tokens: () => undefined,
      saveTokens: ({ access_token: token }) => {
        provider.access = token;
      },
      prepareTokenRequest: () => new URLSearchParams({ grant_type: JWT_BEARER, assertion }),
      redirectToAuthorization: () => assert.fail('there is no user'),
      saveCodeVerifier: () => assert.fail('there is no user'),
      codeVerifier: () => assert.fail('there is no user'),
    };
    return provider;
  }

  const parameters = (): string[] => [...(sent ?? [])].map(([name]) => name).toSorted();

  for (const slash of ['', '/']) {
    test(`gets a token for the MCP server, with aud the issuer${slash && ' and a slash'}`, async () => {
      const provider = jwtBearer(await external(`${app.issuer}${slash}`), undefined);
      assert.equal(await auth(provider, { serverUrl: MCP, fetchFn }), 'AUTHORIZED');
      assert.deepEqual(parameters(), ['assertion', 'grant_type', 'resource']);
      const { sub, aud, scope } = decodeJwt(provider.access ?? '');
      assert.deepEqual([sub, aud, scope], [clientId, MCP, 'tools:call']);
    });
  }

  test('may name its account, and asks for a scope', async () => {
    const provider = jwtBearer(await external(app.issuer), { client_id: clientId });
    assert.equal(await auth(provider, { serverUrl: MCP, scope: 'tools:call', fetchFn }), 'AUTHORIZED');
    assert.equal(sent?.get('client_id'), clientId);
    assert.equal(decodeJwt(provider.access ?? '').sub, clientId);
  });

  test('is told to name its account when the external token is its client assertion', async () => {
    const provider = new StaticPrivateKeyJwtProvider({
      clientId,
      jwtBearerAssertion: await external(app.issuer),
      expectedIssuer: app.issuer,
    });
    await assert.rejects(auth(provider, { serverUrl: MCP, fetchFn }), /client_id must name the account/);
    assert.deepEqual(parameters(), ['client_assertion', 'client_assertion_type', 'grant_type', 'resource']);
    assert.equal(lastRefusal(app)['reason'], 'invalid_request');
    // With the account named, it is the first of the three ways.
    provider.prepareTokenRequest = () => new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId });
    assert.equal(await auth(provider, { serverUrl: MCP, fetchFn }), 'AUTHORIZED');
    assert.equal(decodeJwt(provider.tokens()?.access_token ?? '').sub, clientId);
  });

  test('is told what to mend in words that it shows', async () => {
    const wrong = jwtBearer(await external('https://elsewhere.example'), undefined);
    await assert.rejects(
      auth(wrong, { serverUrl: MCP, fetchFn }),
      /aud is 'https:\/\/elsewhere\.example', expected http/,
    );
    assert.equal(lastRefusal(app)['reason'], 'external_audience');
    const stranger = jwtBearer(await external(app.issuer, { sub: 'system:serviceaccount:agents:two' }), undefined);
    await assert.rejects(auth(stranger, { serverUrl: MCP, fetchFn }), /assertion is not valid/);
    assert.equal(lastRefusal(app)['reason'], 'account_unknown');
  });
});
