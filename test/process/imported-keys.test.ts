import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { registerAccount } from '../support/accounts.ts';
import { quietSurroundings, TEST_ENVIRONMENT, testConfig } from '../support/config.ts';
import { databases, embedded, postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

describe('a signing key of another server', () => {
  let keys: string;
  before(() => {
    keys = mkdtempSync(join(tmpdir(), 'writ-keys-'));
    mkdirSync(join(keys, 'signing-keys'));
  });
  after(() => rmSync(keys, { recursive: true, force: true }));
  const file = (name: string): string => join(keys, 'signing-keys', `${name}.pem`);

  /** Writes a private key. @param age days since the key was made */
  function put(name: string, privateKey: KeyObject, age = 0, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): void {
    rmSync(file(name), { force: true });
    writeFileSync(file(name), privateKey.export({ type, format: 'pem' }), { mode: 0o600 });
    const at = new Date(Date.now() - age * 86_400_000);
    utimesSync(file(name), at, at);
  }
  const empty = (): void => {
    rmSync(join(keys, 'signing-keys'), { recursive: true });
    mkdirSync(join(keys, 'signing-keys'));
  };
  const jwks = async (app: TestApp): Promise<JSONWebKeySet> => (await app.request('/.well-known/jwks.json')).json;
  const kids = async (app: TestApp): Promise<(string | undefined)[]> => (await jwks(app)).keys.map(({ kid }) => kid);
  const signer = async (app: TestApp): Promise<string | undefined> => {
    const { json } = await app.token(await registerAccount(app));
    return decodeProtectedHeader(json.access_token).kid;
  };

  for (const kind of databases) {
    test(`signs in a new database under its name, and its older keys are published (${kind.name})`, async () => {
      empty();
      const [old, current] = [
        generateKeyPairSync('ec', { namedCurve: 'P-256' }),
        generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      ];
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
      put('z-old', old.privateKey, 90);
      put('a-current', current.privateKey, 1, 'sec1');
      put('rsa-one.PS256', rsa.privateKey, 0, 'pkcs1');
      writeFileSync(join(keys, 'signing-keys', 'README'), 'Another kind of file.', { mode: 0o600 });
      const database = await kind.create({ empty: true });
      const environment = { WRIT_KEYS_DIR: keys, WRIT_ISSUER: 'https://id.example', NODE_ENV: 'production' };
      const app = await startTestApp(database, environment);
      assert.equal(await signer(app), 'a-current');
      assert.equal((await kids(app))[0], 'a-current');
      const listed = (await app.api('GET', '/api/signing-keys')).json;
      const state = (kid: string): unknown => listed.find((key: { kid: string }) => key.kid === kid)?.state;
      assert.deepEqual([state('a-current'), state('z-old')], ['active', 'retired']);
      // A token that the other server signed is still verified by the JWKS.
      const token = await new SignJWT({ sub: 'x' })
        .setProtectedHeader({ alg: 'ES256', kid: 'z-old' })
        .sign(old.privateKey);
      await jwtVerify(token, createLocalJWKSet(await jwks(app)));
      const { json } = await app.api('GET', '/api/audit-events?action=signing_key.imported&limit=10');
      assert.deepEqual(json.map(({ target }: { target: string }) => target).toSorted(), [
        'a-current',
        'rsa-one',
        'z-old',
      ]);
      // Nobody may register the server's own key as its own, whatever the key is named.
      const publicKey = current.publicKey.export({ format: 'jwk' });
      const own = await app.api('POST', '/api/service-accounts', {
        name: 'Own',
        credentials: [{ type: 'public_key', publicKey }],
      });
      assert.equal(own.status, 422, own.text);
      // A key that was deleted stays deleted, although its file lies there.
      assert.equal((await app.api('DELETE', '/api/signing-keys/a-current')).status, 204);
      await app.close();
      const again = await startTestApp(database, environment);
      assert.equal((await kids(again)).includes('a-current'), false);
      assert.notEqual(await signer(again), 'a-current');
      await again.close();
      await database.drop();
    });
  }

  test('signs in a database that has keys only when every API can know it', async () => {
    empty();
    const database = await postgres18.create();
    const environment = { WRIT_KEYS_DIR: keys, WRIT_ISSUER: 'https://id.example', NODE_ENV: 'production' };
    const first = await startTestApp(database, environment);
    const own = await signer(first);
    await first.close();
    put('brought', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const nodes = await Promise.all([startTestApp(database, environment), startTestApp(database, environment)]);
    for (const node of nodes) {
      await eventually(10_000, async () => (await kids(node)).includes('brought'));
      assert.equal(await signer(node), own);
    }
    const [one] = nodes;
    const listed = (await one.api('GET', '/api/signing-keys')).json;
    const brought = listed.find(({ kid }: { kid: string }) => kid === 'brought');
    assert.equal(brought.state, 'published');
    assert.ok(Date.parse(brought.signsFrom) - Date.parse(brought.createdAt) >= 360_000);
    assert.equal(listed.find(({ kid }: { kid: string }) => kid === own).retiredAt, brought.signsFrom);
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  test('stops the start with what is wrong with its file, and changes nothing', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const wrong: Record<string, [() => void, RegExp]> = {
      'a text': [
        () => writeFileSync(file('one'), 'no key', { mode: 0o600 }),
        /one\.pem holds no private key in PEM without a passphrase$/,
      ],
      'a public key': [
        () =>
          writeFileSync(file('one'), generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }), {
            mode: 0o600,
          }),
        /holds no private key/,
      ],
      'a passphrase': [
        () =>
          writeFileSync(
            file('one'),
            ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
            { mode: 0o600 },
          ),
        /without a passphrase/,
      ],
      'another curve': [
        () => put('one', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
        /holds a key that cannot sign with ES256, RS256, PS256, EdDSA/,
      ],
      'a short key': [
        () => put('one', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
        /must not be used: must be 2048 to 4096 bits, not 1024/,
      ],
      'an algorithm of another key': [() => put('one.RS256', ec), /holds a key that cannot sign with RS256/],
      'an unknown algorithm': [() => put('one.HS256', ec), /cannot sign with HS256/],
      'a name that is no kid': [() => put('a b', ec), /must be named KID\.pem or KID\.ALG\.pem/],
      'two files for one kid': [
        () => {
          put('one', ec, 1);
          put('one.ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
        },
        /one\.ES256\.pem has the kid of another file: one/,
      ],
      readers: [
        () => {
          put('one', ec);
          chmodSync(file('one'), 0o644);
        },
        /one\.pem may be read or changed by others: chmod 600 it/,
      ],
    };
    const database = await embedded.create();
    for (const [note, [write, message]] of Object.entries(wrong)) {
      empty();
      write();
      const config = testConfig({ DATABASE_URL: database.url, WRIT_KEYS_DIR: keys });
      // A server that starts all the same is closed, so that the test fails at once.
      const started = prepareServer(config, quietSurroundings()).then((server) => server.close());
      await assert.rejects(started, { name: 'SigningKeyFileError', message }, note);
    }
    empty();
    const server = await prepareServer(
      testConfig({ DATABASE_URL: database.url, WRIT_KEYS_DIR: keys }),
      quietSurroundings(),
    );
    assert.equal((await server.database.knex('signing_keys').select()).length, 2);
    await server.close();
    await database.drop();
  });

  test('is named on the standard error when it ends the process, and its content is not', async () => {
    empty();
    writeFileSync(file('one'), 'CANARY', { mode: 0o600 });
    const database = await embedded.create();
    const folder = workFolder();
    const server = await startServerProcess(folder.path, {
      ...TEST_ENVIRONMENT,
      DATABASE_URL: database.url,
      WRIT_KEYS_DIR: keys,
    });
    assert.equal(await server.ended(), 1);
    const said = [...server.stderr, ...server.stdout].join('\n');
    assert.match(said, /one\.pem holds no private key/);
    assert.doesNotMatch(said, /CANARY|at .*\.ts/);
    folder.remove();
    await database.drop();
  });
});
