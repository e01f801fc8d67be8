import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { registerAccount } from '../support/accounts.ts';
import { selfSigned, testAuthority } from '../support/certificates.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ACCOUNTS = '/api/companies/acme/service-accounts';
const DAY = 86_400_000;

const one = await selfSigned({ subject: 'CN=one' });
const two = await selfSigned({ subject: 'CN=two' });
const rsa = await selfSigned({ subject: 'CN=rsa', rsa: 2048 });

onEachDatabase(
  'the registration of a certificate',
  (kind) => {
    const app = useTestApp(kind);
    before(() => makeCompany(app, 'acme'));

    test('refuses everything that could let in somebody else, and says why', async () => {
      const { path } = await registerAccount(app, { permissions: [] }, ACCOUNTS);
      const expired = await selfSigned({ from: new Date(Date.now() - 2 * DAY), to: new Date(Date.now() - DAY) });
      const weak = await selfSigned({ rsa: 1024 });
      for (const [note, members, pointer, words] of [
        ['nothing', {}, '/certificate', /must be the only one of certificate, subjectDn, sanDns/],
        ['two', { certificate: one.cert, sanDns: 'a.example' }, '/sanDns', /must be the only one of/],
        ['a text', { certificate: 'nonsense' }, '/certificate', /is no certificate in PEM/],
        ['DER in base64', { certificate: one.der.toString('base64') }, '/certificate', /is no certificate in PEM/],
        ['a key', { certificate: one.key }, '/certificate', /holds private key material/],
        ['a certificate with its key', { certificate: one.cert + one.key }, '/certificate', /private key material/],
        ['a chain', { certificate: one.cert + two.cert }, '/certificate', /holds several certificates/],
        ['an expired one', { certificate: expired.cert }, '/certificate', /the certificate has expired at 20/],
        ['a weak key', { certificate: weak.cert }, '/certificate', /has a key that must be 2048 to 4096 bits/],
        ['times that are none', { certificate: timeless(one.der) }, '/certificate', /has times that cannot be read/],
        ['a name in slashes', { subjectDn: '/C=DE/CN=a' }, '/subjectDn', /is no distinguished name \(RFC 4514\)/],
        ['a wildcard', { sanDns: '*.acme.example' }, '/sanDns', /is no host name without a wildcard/],
        ['a relative URI', { sanUri: '//acme.example' }, '/sanUri', /is no absolute URI/],
        ['a network', { sanIp: '10.0.0.0/8' }, '/sanIp', /is no IP address/],
        ['a short address', { sanIp: '10.1' }, '/sanIp', /is no IP address/],
        ['a domain', { sanEmail: 'acme.example' }, '/sanEmail', /is no e-mail address/],
        ['a secret', { type: 'client_secret', certificate: one.cert }, '/certificate', /goes with a certificate only/],
      ] as const) {
        const reply = await app.api('POST', `${path}/credentials`, { type: 'certificate', ...members });
        assertRefused(app, reply, 422, 'invalid_body');
        const [error] = reply.json.errors;
        assert.equal(error.pointer, pointer, note);
        assert.match(error.message, words, note);
        assert.doesNotMatch(reply.text, /BEGIN|MII/, note);
      }
    });

    test('shows what it knows a client by, and takes each once', async () => {
      const { path } = await registerAccount(app, { permissions: [] }, ACCOUNTS);
      const add = (members: object): ReturnType<typeof app.api> =>
        app.api('POST', `${path}/credentials`, { type: 'certificate', ...members });
      const authority = await testAuthority();
      const issued = await authority.issue({ subject: 'CN=issued' });
      for (const members of [
        { certificate: rsa.cert },
        { certificate: issued.cert },
        { subjectDn: 'CN=a,O=Acme' },
        { sanDns: 'a.example' },
        { sanUri: 'spiffe://a/b' },
        { sanIp: '2001:db8::1' },
        { sanEmail: 'a@b.example' },
      ]) {
        const made = await add(members);
        assert.equal(made.status, 201, made.text);
        const [[member, value]] = Object.entries(members) as [[string, string]];
        assert.equal(made.json[member].trim(), value.trim());
        assert.equal(made.json.hint, member === 'certificate' ? made.json.thumbprint : value);
        const again = await add(members);
        assertRefused(app, again, 409, 'already_exists');
        assert.match(again.headers.get('location') ?? '', new RegExp(`${made.json.credentialId}$`));
        const { json } = await app.api('GET', `${path}/credentials/${made.json.credentialId}`);
        assert.equal(json[member].trim(), value.trim());
      }
      const long = `urn:${'x'.repeat(100)}`;
      const { json: shown } = await add({ sanUri: long });
      assert.deepEqual([shown.sanUri, shown.hint], [long, `${long.slice(0, 63)}…`]);
      // A credential of a request that is refused is nowhere: no address leads to it.
      const twice = { type: 'certificate', sanDns: 'twice.example' };
      const both = await app.api('POST', ACCOUNTS, { name: 'Both', permissions: [], credentials: [twice, twice] });
      assertRefused(app, both, 409, 'already_exists');
      assert.deepEqual([both.json.errors[0].pointer, both.headers.get('location')], ['/credentials/1/sanDns', null]);
      const { json: audit } = await app.api('GET', '/api/companies/acme/audit-events?action=credential.created');
      assert.equal(audit[0].details.sanUri, long);
      assert.equal(audit[1].details.sanEmail, 'a@b.example');
      assert.doesNotMatch(JSON.stringify(audit), /BEGIN CERT/);
    });

    test('ends the credential with the certificate, or earlier if asked', async () => {
      const { path } = await registerAccount(app, { permissions: [] }, ACCOUNTS);
      const to = new Date(Math.floor((Date.now() + 10 * DAY) / 1000) * 1000);
      const add = async (expiresIn: number | undefined): Promise<Date> => {
        const { cert } = await selfSigned({ to });
        const { json } = await app.api('POST', `${path}/credentials`, {
          type: 'certificate',
          certificate: cert,
          expiresIn,
        });
        return new Date(json.expiresAt);
      };
      assert.deepEqual([await add(undefined), await add(20 * 86_400)], [to, to]);
      assert.ok((await add(86_400)) < to);
      // A later change keeps to the end of the certificate, too, and uses do not extend it.
      const { json } = await app.api('GET', `${path}/credentials`);
      const earlier = json.find(
        ({ expiresAt }: { expiresAt: string | null }) => expiresAt !== null && new Date(expiresAt) < to,
      );
      const one = `${path}/credentials/${earlier.credentialId}`;
      for (const expiresIn of [null, 365 * 86_400]) {
        const changed = await app.api('PATCH', one, { expiresIn });
        assert.deepEqual(new Date(changed.json.expiresAt), to, changed.text);
      }
      const { cert } = await selfSigned({ to });
      for (const [reply, note] of [
        [await app.api('PATCH', one, { expiresIn: 60, extend: true }), 'a change'],
        [
          await app.api('POST', `${path}/credentials`, {
            type: 'certificate',
            certificate: cert,
            expiresIn: 60,
            extend: true,
          }),
          'a new credential',
        ],
      ] as const) {
        assertRefused(app, reply, 422, 'invalid_body', note);
        assert.deepEqual(reply.json.errors[0].pointer, '/extend', note);
      }
    });

    test('is followed by a rotation with the next certificate, and by none of a subject', async () => {
      const { path } = await registerAccount(
        app,
        { permissions: [], credentials: [{ type: 'certificate', certificate: one.cert, name: 'main' }] },
        ACCOUNTS,
      );
      const [{ credentialId }] = (await app.api('GET', `${path}/credentials`)).json;
      const rotate = (body: object, id = credentialId): ReturnType<typeof app.api> =>
        app.api('POST', `${path}/credentials/${id}/rotate`, body);
      for (const [body, pointer] of [
        [{}, '/certificate'],
        [{ publicKey: { kty: 'EC' } }, '/publicKey'],
        [{ certificate: 'nonsense' }, '/certificate'],
      ] as const) {
        const reply = await rotate(body);
        assertRefused(app, reply, 422, 'invalid_body');
        assert.equal(reply.json.errors[0].pointer, pointer);
      }
      assertRefused(app, await rotate({ certificate: one.cert }), 409, 'already_exists');
      const rotated = await rotate({ certificate: two.cert });
      assert.deepEqual([rotated.status, rotated.json.name, rotated.json.thumbprint], [201, 'main', two.thumbprint]);
      const subject = await app.api('POST', `${path}/credentials`, { type: 'certificate', sanDns: 'a.example' });
      assertRefused(app, await rotate({ certificate: rsa.cert }, subject.json.credentialId), 422, 'invalid_body');
      const secret = await app.api('POST', `${path}/credentials`, { type: 'client_secret' });
      const stray = await rotate({ certificate: rsa.cert }, secret.json.credentialId);
      assertRefused(app, stray, 422, 'invalid_body');
      assert.equal(stray.json.errors[0].pointer, '/certificate');
    });

    test('has an end: ten certificates', async () => {
      const { path } = await registerAccount(app, { permissions: [] }, ACCOUNTS);
      for (let number = 0; number < 10; number += 1) {
        const made = await app.api('POST', `${path}/credentials`, {
          type: 'certificate',
          sanDns: `n${number}.example`,
        });
        assert.equal(made.status, 201);
      }
      const more = await app.api('POST', `${path}/credentials`, { type: 'certificate', sanDns: 'more.example' });
      assertRefused(app, more, 422, 'limit_reached');
    });
  },
  embeddedAndNewest,
);

/** A certificate whose end is in the thirtieth month of a year. */
function timeless(der: Buffer): string {
  const copy = Buffer.from(der);
  // Two times stand in a sequence; the second of them is the end.
  const at = copy.indexOf(Buffer.from('301e170d', 'hex'));
  copy.write('269930000000Z', at + 4 + 13 + 2, 'latin1');
  return `-----BEGIN CERTIFICATE-----\n${copy.toString('base64')}\n-----END CERTIFICATE-----\n`;
}
