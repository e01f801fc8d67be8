import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { postgres18 } from '../support/databases.ts';
import { startStrippingProxy } from '../support/stripping-proxy.ts';
import { startTestApp } from '../support/test-app.ts';

/** An answer whose references are resolved against the address of the call, as clients do (RFC 3986 §5). */
interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of a body by asserting on it
  readonly json: any;
  readonly location: string | undefined;
  readonly next: string | undefined;
}

const PLACES = [
  { name: 'without a proxy', issuerPath: '', prefix: undefined, strip: false },
  { name: 'below the path of the issuer, without a proxy', issuerPath: '/auth', prefix: '', strip: false },
  { name: 'behind a proxy that strips the path of the issuer', issuerPath: '/auth', prefix: '/auth', strip: true },
  { name: 'behind a proxy that keeps the path of the issuer', issuerPath: '/auth', prefix: '/auth', strip: false },
  { name: 'behind a proxy that strips a path of its own', issuerPath: '', prefix: '/a/b.c', strip: true },
  {
    name: 'behind a proxy that strips more than the path of the issuer',
    issuerPath: '/auth',
    prefix: '/x/auth',
    strip: true,
  },
] as const;

describe('the references in answers', () => {
  for (const { name, issuerPath, prefix, strip } of PLACES) {
    test(`lead to the things that they name ${name}`, async () => {
      const database = await postgres18.create();
      const settings = issuerPath === '' ? {} : { WRIT_ISSUER: `http://localhost:1${issuerPath}` };
      const app = await startTestApp(database, settings);
      const proxy = prefix ? await startStrippingProxy(app.url, prefix, strip) : undefined;
      const base = proxy?.url ?? app.url + issuerPath;
      const token = await app.rootToken();
      const call = async (method: string, url: string, body?: object): Promise<Answer> => {
        const reply = await fetch(url, {
          method,
          headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
          ...(body && { body: JSON.stringify(body) }),
        });
        const resolved = (reference: string | undefined | null): string | undefined =>
          reference ? new URL(reference, reply.url).href : undefined;
        const text = await reply.text();
        return {
          status: reply.status,
          json: text === '' ? undefined : JSON.parse(text),
          location: resolved(reply.headers.get('location')),
          next: resolved(/^<(.*)>; rel="next"$/.exec(reply.headers.get('link') ?? '')?.[1]),
        };
      };
      /** Reads the thing to which the `Location` of an answer leads. */
      const follow = async (answer: Answer, status: number): Promise<Answer['json']> => {
        assert.equal(answer.status, status, JSON.stringify(answer.json));
        const found = await call('GET', String(answer.location));
        assert.equal(found.status, 200, `${answer.location}: ${JSON.stringify(found.json)}`);
        return found.json;
      };
      try {
        for (const [index, end] of ['', '/'].entries()) {
          const company = { companyId: `acme-${index}`, name: 'Acme' };
          assert.equal((await follow(await call('POST', `${base}/api/companies${end}`, company), 201)).name, 'Acme');
          await follow(await call('POST', `${base}/api/companies${end}`, company), 409);

          for (const accounts of [
            `${base}/api/service-accounts`,
            `${base}/api/companies/acme-${index}/service-accounts`,
          ]) {
            const wanted = { name: `Worker ${index}` };
            const made = await call('POST', accounts + end, wanted);
            assert.equal((await follow(made, 201)).clientId, made.json.clientId);
            assert.equal((await follow(await call('POST', accounts + end, wanted), 409)).clientId, made.json.clientId);

            // The path of the call has the slug of the account: a relative reference does not repeat it.
            const credentials = `${accounts}/worker-${index}/credentials`;
            const first = await call('POST', credentials + end, { type: 'client_secret', name: 'first' });
            assert.equal((await follow(first, 201)).name, 'first');
            await follow(await call('POST', credentials + end, { type: 'client_secret', name: 'first' }), 409);
            const second = await call('POST', credentials + end, { type: 'client_secret', name: 'second' });
            const one = `${credentials}/${second.json.credentialId}`;
            assert.equal((await follow(await call('PATCH', one + end, { name: 'first' }), 409)).name, 'first');
            const successor = await call('POST', `${one}/rotate${end}`);
            assert.equal((await follow(successor, 201)).credentialId, successor.json.credentialId);
            assert.equal(
              (await follow(await call('POST', `${one}/rotate${end}`), 409)).credentialId,
              successor.json.credentialId,
            );
          }
          const collections = [`${base}/api/roles`, `${base}/api/companies/acme-${index}/roles`];
          for (const [at, roles] of collections.entries()) {
            const role = { roleId: `keeper-${index}-${at}`, name: 'Keeper' };
            await follow(await call('POST', roles + end, role), 201);
            await follow(await call('POST', roles + end, role), 409);
          }
          const server = { identifier: `https://orders-${index}.example`, name: 'Orders' };
          await follow(await call('POST', `${base}/api/resource-servers${end}`, server), 201);
          await follow(await call('POST', `${base}/api/resource-servers${end}`, server), 409);
          const groups = `${base}/api/companies/acme-${index}/groups`;
          await follow(await call('POST', groups + end, { groupId: 'team', name: 'Team' }), 201);
          await follow(await call('POST', groups + end, { groupId: 'team', name: 'Team' }), 409);

          for (const list of [
            '/api/service-accounts',
            '/api/audit-events',
            '/api/roles',
            `/api/companies/acme-${index}/roles`,
          ]) {
            const whole = await call('GET', `${base}${list}${end}?limit=1000`);
            const seen: unknown[] = [];
            let next: string | undefined = `${base}${list}${end}?limit=1`;
            while (next !== undefined) {
              const page = await call('GET', next);
              assert.equal(page.status, 200, next);
              seen.push(...page.json);
              next = page.next;
            }
            assert.deepEqual(seen, whole.json, list);
          }
          const filtered = await call('GET', `${base}/api/service-accounts${end}?search=worker&limit=1&state=enabled`);
          if (filtered.next !== undefined) assert.match(filtered.next, /search=worker&limit=1&state=enabled&cursor=/);
        }
        const doubled = await call('POST', `${base}//api/companies`, { companyId: 'doubled', name: 'Doubled' });
        // Behind a proxy with a prefix, a double slash makes a path that may not exist.
        if (doubled.status !== 404) await follow(doubled, 201);
        const itself = await call('POST', `${base}/api/self/rotate`);
        assert.deepEqual([itself.status, itself.location], [201, undefined]);
        const again = await call('POST', `${base}/api/self/rotate`);
        assert.deepEqual([again.status, again.location], [409, undefined]);
      } finally {
        await proxy?.close();
        await app.close();
        await database.drop();
      }
    });
  }
});
