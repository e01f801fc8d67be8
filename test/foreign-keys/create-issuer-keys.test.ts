import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import type { JWK } from 'jose';
import { IssuerKeysError } from '../../src/domain/federation/issuer-key-source.ts';
import type { IssuerTrust } from '../../src/domain/federation/trusted-issuer.ts';
import type { CompanyId } from '../../src/domain/ids.ts';
import { createIssuerKeys, KEY_TIMES } from '../../src/foreign-keys/create-issuer-keys.ts';
import type { Reach } from '../../src/foreign-keys/fetch-json.ts';
import { testClock } from '../support/test-clock.ts';

const public1 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const key = (kid: string | undefined): JWK => ({ ...public1, ...(kid !== undefined && { kid }) });
const jwks = (...kids: (string | undefined)[]): { keys: JWK[] } => ({ keys: kids.map(key) });

const ISSUER = 'https://ci.example';
const METADATA = `${ISSUER}/.well-known/openid-configuration`;

function trustOf(changes: Partial<IssuerTrust> = {}): IssuerTrust {
  return {
    company: undefined,
    issuer: ISSUER,
    audience: undefined,
    keys: { kind: 'uri', jwksUri: `${ISSUER}/keys` },
    algorithms: ['ES256'],
    maxTokenAge: 3600,
    replay: 'reusable',
    ...changes,
  };
}

const company = (name: string): CompanyId => name as CompanyId;
/** The trust of a company in an issuer whose keys are at an address. */
const trustIn = (owner: string, jwksUri: string): IssuerTrust =>
  trustOf({ company: company(owner), keys: { kind: 'uri', jwksUri } });

/** Creates a source of keys whose documents and clock belong to the test. */
function setUp(networks = new BlockList()) {
  const clock = testClock();
  clock.stop();
  const asked: string[] = [];
  const reaches: Reach[] = [];
  const troubles: string[] = [];
  /** The documents by their addresses; an error is what the fetch fails with. */
  const documents = new Map<string, unknown>();
  const source = createIssuerKeys({
    async fetchJson(address, reach) {
      asked.push(address);
      reaches.push(reach);
      const document: unknown = await documents.get(address);
      if (document === undefined || document instanceof Error) throw document ?? new IssuerKeysError('status 404');
      return document;
    },
    clock,
    networks,
    times: KEY_TIMES,
    onTrouble: (issuer, trouble) => troubles.push(`${issuer}: ${trouble}`),
  });
  const kids = async (kid: string | undefined, trust = trustOf()): Promise<(string | undefined)[]> =>
    (await source.keysFor(trust, kid)).map((one) => one.kid);
  const publish = (...published: (string | undefined)[]): void => {
    documents.set(`${ISSUER}/keys`, jwks(...published));
  };
  return { source, clock, asked, reaches, troubles, documents, kids, publish };
}

/** Lets everything that waits for no time come to its end. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const MINUTE = 60_000;

describe('the keys of an issuer over time', () => {
  test('D-15 end with the next fetch when the issuer has removed them, and new ones come within half a minute', async () => {
    const { clock, kids, publish, asked } = setUp();
    publish('old', 'other');
    assert.deepEqual(await kids('old'), ['old']);
    publish('new');
    // Within half a minute nothing is fetched again.
    clock.forward(29_999);
    assert.deepEqual([await kids('new'), asked.length], [[], 1]);
    clock.forward(1);
    assert.deepEqual([await kids('new'), asked.length], [['new'], 2]);
    assert.deepEqual(await kids('old'), []);
    assert.deepEqual(await kids('other'), []);
  });

  test('D-15 are fetched again after ten minutes, although every token has a kid that is there', async () => {
    const { clock, kids, publish, asked } = setUp();
    publish('old');
    await kids('old');
    publish('new');
    clock.forward(KEY_TIMES.fresh - 1);
    assert.deepEqual([await kids('old'), asked.length], [['old'], 1]);
    clock.forward(1);
    // The answer to this request does not wait for the fetch.
    assert.deepEqual(await kids('old'), ['old']);
    await settled();
    assert.deepEqual([await kids('old'), asked.length], [[], 2]);
  });

  test('D-15 D-04 serve for an hour while the issuer is down, with one line in the log for each fetch', async () => {
    const { clock, kids, publish, documents, asked, troubles } = setUp();
    publish('old');
    await kids('old');
    documents.set(`${ISSUER}/keys`, new IssuerKeysError('the answer is no JSON'));
    for (let minute = 1; minute < 60; minute += 1) {
      clock.forward(MINUTE);
      for (let request = 0; request < 5; request += 1) assert.deepEqual(await kids('old'), ['old'], `minute ${minute}`);
      await settled();
    }
    assert.deepEqual([asked.length, troubles.length], [51, 50]);
    assert.equal(troubles[0], `${ISSUER}: the answer is no JSON`);
    clock.forward(MINUTE);
    await assert.rejects(kids('old'), new IssuerKeysError('the answer is no JSON'));
    await assert.rejects(kids('old'), IssuerKeysError);
    assert.equal(asked.length, 52);
    publish('old');
    clock.forward(KEY_TIMES.pause);
    assert.deepEqual(await kids('old'), ['old']);
  });

  test('D-15 end when the issuer withdraws all of them, or publishes their private halves', async () => {
    for (const last of [{ keys: [] }, { keys: [{ ...key('old'), d: 'AQAB' }] }]) {
      const { clock, kids, publish, documents, troubles } = setUp();
      publish('old');
      await kids('old');
      documents.set(`${ISSUER}/keys`, last);
      clock.forward(KEY_TIMES.fresh);
      await kids('old');
      await settled();
      await assert.rejects(kids('old'), new IssuerKeysError('the JWK Set has no key that can verify a token'));
      assert.equal(troubles.length, 1);
    }
  });

  test('D-04 stay as they were when the issuer sends something that is no JWK Set', async () => {
    for (const wrong of [null, [], {}, { keys: {} }, jwks(...Array.from({ length: 10_000 }, () => 'old'))]) {
      const { clock, kids, publish, documents, troubles } = setUp();
      publish('old');
      await kids('old');
      documents.set(`${ISSUER}/keys`, wrong);
      clock.forward(KEY_TIMES.fresh);
      await kids('old');
      await settled();
      assert.deepEqual([await kids('old'), troubles.length], [['old'], 1]);
    }
  });

  test('D-15 do not serve longer because the clock has gone back', async () => {
    const { clock, kids, publish, documents, asked } = setUp();
    publish('old');
    await kids('old');
    clock.forward(-24 * 60 * MINUTE);
    assert.deepEqual(await kids('old'), ['old']);
    documents.set(`${ISSUER}/keys`, new IssuerKeysError('down'));
    clock.forward(KEY_TIMES.fresh);
    await kids('old');
    await settled();
    assert.equal(asked.length, 2);
    clock.forward(KEY_TIMES.last - KEY_TIMES.fresh);
    await assert.rejects(kids('old'), IssuerKeysError);
  });

  test('D-04 come from one fetch, however many requests wait for it', async () => {
    const { kids, documents, asked } = setUp();
    const answer = Promise.withResolvers<unknown>();
    documents.set(`${ISSUER}/keys`, answer.promise);
    const all = Array.from({ length: 1000 }, () => kids('a'));
    answer.resolve(jwks('a'));
    for (const found of await Promise.all(all)) assert.deepEqual(found, ['a']);
    assert.equal(asked.length, 1);
  });

  test('D-04 are fetched twice a minute at most, with 1,000 unknown kids in each second', async () => {
    const { clock, kids, publish, asked } = setUp();
    publish('a');
    for (let second = 0; second < 60; second += 1) {
      const unknown = Array.from({ length: 1000 }, (_, index) => kids(`unknown-${second}-${index}`));
      for (const found of await Promise.all(unknown)) assert.deepEqual(found, []);
      assert.deepEqual(await kids('a'), ['a']);
      clock.forward(1000);
    }
    assert.equal(asked.length, 2);
  });

  test('D-04 are asked for twice a minute at most while the issuer is down', async () => {
    const { clock, kids, asked, troubles } = setUp();
    for (let second = 0; second < 60; second += 1) {
      for (let request = 0; request < 10; request += 1)
        await assert.rejects(kids('a'), new IssuerKeysError('status 404'));
      clock.forward(1000);
    }
    assert.deepEqual([asked.length, troubles.length], [2, 2]);
  });
});

describe('the keys that are tried for a token', () => {
  test('D-04 are at most five, although the issuer has many with one kid or the token has none', async () => {
    const { kids, publish } = setUp();
    publish(...Array.from({ length: 90 }, () => 'same'), 'a', 'a');
    assert.equal((await kids('same')).length, 5);
    assert.deepEqual(await kids('a'), ['a', 'a']);
    assert.deepEqual(await kids(undefined), []);
    const given = trustOf({ keys: { kind: 'given', jwks: jwks(...Array.from({ length: 90 }, () => 'same')) } });
    assert.equal((await kids('same', given)).length, 5);
  });

  test('D-05 are those with the kid of the token, or all of a few when the token has none', async () => {
    const { kids, publish } = setUp();
    publish('a', 'b', undefined, '');
    assert.deepEqual([await kids('b'), await kids(undefined)], [['b'], ['a', 'b', undefined, '']]);
    assert.deepEqual([await kids('B'), await kids('')], [[], ['']]);
  });
});

describe('an issuer that is found by discovery', () => {
  const discovered = trustOf({ keys: { kind: 'discovery' } });

  test('D-05 says exactly the issuer that is trusted', async () => {
    for (const issuer of [
      `${ISSUER}/`,
      'https://CI.example',
      'https://ci.example:443',
      'https://other.example',
      'http://ci.example',
      '',
      undefined,
      null,
      7,
      [ISSUER],
      { toString: 1 },
      `${ISSUER}\n`,
    ]) {
      const { kids, documents, asked } = setUp();
      documents.set(METADATA, { issuer, jwks_uri: `${ISSUER}/keys` });
      documents.set(`${ISSUER}/keys`, jwks('a'));
      await assert.rejects(kids('a', discovered), /^IssuerKeysError: the metadata is of another issuer: /);
      assert.deepEqual(asked, [METADATA]);
    }
    const { kids, documents } = setUp();
    documents.set(METADATA, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` });
    documents.set(`${ISSUER}/keys`, jwks('a'));
    assert.deepEqual(await kids('a', discovered), ['a']);
  });

  test('D-05 with a path or a final slash is found below it, and says it to the letter', async () => {
    const { kids, documents } = setUp();
    documents.set(METADATA, { issuer: `${ISSUER}/`, jwks_uri: `${ISSUER}/keys` });
    documents.set(`${ISSUER}/keys`, jwks('a'));
    assert.deepEqual(await kids('a', { ...discovered, issuer: `${ISSUER}/` }), ['a']);
    await assert.rejects(kids('a', discovered), /the metadata is of another issuer/);
  });

  test('D-04 is refused when its metadata has no address of keys, or one that is too long', async () => {
    for (const uri of [undefined, null, 7, ['https://ci.example/keys'], `https://ci.example/${'a'.repeat(60_000)}`]) {
      const { kids, documents } = setUp();
      documents.set(METADATA, { issuer: ISSUER, jwks_uri: uri });
      await assert.rejects(kids('a', discovered), new IssuerKeysError('the metadata has no jwks_uri'));
    }
    for (const metadata of [null, [], 'x', 7]) {
      const { kids, documents } = setUp();
      documents.set(METADATA, metadata);
      await assert.rejects(kids('a', discovered), IssuerKeysError);
    }
  });
});

describe('the owners of trusted issuers', () => {
  test('D-05 D-14 never share keys, although both name the same issuer', async () => {
    const { kids, documents } = setUp();
    documents.set(METADATA, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` });
    documents.set(`${ISSUER}/keys`, jwks('of-root'));
    documents.set('https://evil.example/keys', jwks('of-evil'));
    const root = trustOf({ keys: { kind: 'discovery' } });
    const evil = trustIn('evil', 'https://evil.example/keys');
    const given = trustOf({ company: company('acme'), keys: { kind: 'given', jwks: jwks('of-acme') } });
    for (let round = 0; round < 2; round += 1) {
      for (const [trust, own] of [
        [root, 'of-root'],
        [evil, 'of-evil'],
        [given, 'of-acme'],
      ] as const) {
        for (const kid of ['of-root', 'of-evil', 'of-acme']) {
          assert.deepEqual(await kids(kid, trust), kid === own ? [kid] : []);
        }
      }
    }
  });

  test('D-15 get the keys of another place at once when they have changed the place', async () => {
    const { kids, documents } = setUp();
    documents.set('https://ci.example/one', jwks('one'));
    documents.set('https://ci.example/two', jwks('two'));
    assert.deepEqual(await kids('one', trustIn('acme', 'https://ci.example/one')), ['one']);
    const two = trustIn('acme', 'https://ci.example/two');
    assert.deepEqual([await kids('two', two), await kids('one', two)], [['two'], []]);
  });

  test("D-01 reach the operator's networks only if the owner is root", async () => {
    const networks = new BlockList();
    networks.addSubnet('10.0.0.0', 8);
    networks.addSubnet('fd00::', 8, 'ipv6');
    const { kids, documents, reaches } = setUp(networks);
    documents.set(METADATA, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` });
    documents.set(`${ISSUER}/keys`, jwks('a'));
    const addresses = ['10.0.0.1', '::ffff:10.0.0.1', 'fd00::1', '8.8.8.8', '192.168.0.1', '127.0.0.1', 'fe80::1'];
    for (const owner of [undefined, company('acme')]) {
      for (const keys of [{ kind: 'discovery' }, { kind: 'uri', jwksUri: `${ISSUER}/keys` }] as const) {
        reaches.length = 0;
        await kids('a', trustOf({ company: owner, keys }));
        assert.equal(reaches.length, keys.kind === 'uri' ? 1 : 2);
        for (const { names, mayReach } of reaches) {
          assert.equal(names, owner === undefined ? 'network' : 'internet');
          const may = addresses.filter(mayReach);
          assert.deepEqual(may, owner === undefined ? addresses.slice(0, 4) : ['8.8.8.8']);
        }
      }
    }
  });

  test('D-04 with many slow issuers keep no other owner waiting', async () => {
    const { kids, documents, asked, troubles } = setUp();
    const slow = Promise.withResolvers<unknown>();
    const evil = Array.from({ length: 80 }, (_, index) => `https://evil.example/${index}`);
    for (const address of evil) documents.set(address, slow.promise);
    const waiting = evil.map((address) => kids('a', trustIn('evil', address)));
    const outcomes = Promise.allSettled(waiting);
    await settled();
    // Four are asked at once, 64 wait, and the others are refused.
    assert.deepEqual([asked.length, troubles.length], [4, 12]);
    assert.match(troubles[0] ?? '', /too many issuers of this owner/);

    documents.set('https://ci.example/acme', jwks('a'));
    documents.set(`${ISSUER}/keys`, jwks('a'));
    assert.deepEqual(await kids('a', trustIn('acme', 'https://ci.example/acme')), ['a']);
    assert.deepEqual(await kids('a'), ['a']);

    slow.resolve(jwks('a'));
    const ends = (await outcomes).map(({ status }) => status);
    assert.equal(ends.filter((status) => status === 'fulfilled').length, 68);
  });

  test('D-04 with thousands of issuers drive out no keys of another owner', async () => {
    const { kids, documents, asked } = setUp();
    documents.set('https://ci.example/acme', jwks('a'));
    const acme = trustIn('acme', 'https://ci.example/acme');
    await kids('a', acme);
    for (let index = 0; index < 3000; index += 1) {
      const address = `https://evil.example/${index}`;
      documents.set(address, jwks('a'));
      await kids('a', trustIn('evil', address));
    }
    const before = asked.length;
    assert.deepEqual([await kids('a', acme), asked.length], [['a'], before]);
    // Its own first keys have gone, and its last ones have not.
    await kids('a', trustIn('evil', 'https://evil.example/2999'));
    assert.equal(asked.length, before);
    await kids('a', trustIn('evil', 'https://evil.example/0'));
    assert.equal(asked.length, before + 1);
  });

  test('D-04 lose their keys past 2,000 issuers, those first that nobody asked for', async () => {
    const { kids, documents, asked } = setUp();
    const trusts = Array.from({ length: 2001 }, (_, index) => {
      documents.set(`https://ci.example/${index}`, jwks('a'));
      return trustIn(`company-${index % 100}`, `https://ci.example/${index}`);
    });
    for (const trust of trusts) await kids('a', trust);
    assert.equal(asked.length, 2001);
    await kids('a', trusts[2]);
    assert.equal(asked.length, 2001);
    await kids('a', trusts[0]);
    assert.equal(asked.length, 2002);
  });
});
