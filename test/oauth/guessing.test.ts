import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import autocannon from 'autocannon';
import { issueClientSecret } from '../../src/domain/credentials/issue-credentials.ts';
import { createGuessLimiter, GUESS_LIMITS, type GuessLimiter } from '../../src/oauth/guess-limiter.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { assertion, clientKey, registerWithKeys, type TestAccount, tokenByAssertion } from '../support/assertions.ts';
import { quietSurroundings } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { type Reply, startTestApp, type TestApp } from '../support/test-app.ts';
import { secretTools, snapshotOf, startBareTokenEndpoint } from '../support/token-endpoint.ts';

const { pair, source } = GUESS_LIMITS;

describe('guessing', () => {
  const key = clientKey('ES256');
  let database: TestDatabase;
  let app: TestApp;
  let account: TestAccount;
  let now = 0;
  let made = 0;
  before(async () => {
    database = await embedded.create();
    const guessing = { limits: GUESS_LIMITS, now: () => now };
    // No use is written down while statements are counted.
    const surroundings = { guessing, usesPause: 3_600_000 };
    app = await startTestApp(database, { WRIT_TRUSTED_PROXIES: '127.0.0.1' }, surroundings);
  });
  after(async () => {
    await app.close();
    await database.drop();
  });
  beforeEach(async () => {
    // Everything before is forgiven.
    now += 3_600_000;
    account = await registerWithKeys(app, `Guessed ${(made += 1)}`, [key], { secret: true });
  });

  const right = (): string => account.credentials.find(({ clientSecret }) => clientSecret)?.clientSecret ?? '';

  /** An attempt by secret; the id of the request is the same for all, so that answers can be compared. */
  function ask(from: string, clientId: string, secret: string, path = '/oauth/token'): Promise<Reply> {
    return app.request(path, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${btoa(`${clientId}:${secret}`)}`,
        'X-Forwarded-For': from,
        'X-Request-Id': 'the-same',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
  }

  async function statuses(count: number, send: (index: number) => Promise<Reply>): Promise<Record<number, number>> {
    const counts: Record<number, number> = {};
    for (let index = 0; index < count; index += 1) {
      const { status } = await send(index);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  }

  const events = (): Record<string, unknown>[] => app.log().filter(({ event }) => event === 'guessing.limited');

  const counter = async (): Promise<number> =>
    Number(/^writ_token_requests_limited_total (\d+)$/m.exec((await app.request('/metrics')).text)?.[1]);

  /** Whatever a caller can tell one answer from another by. */
  const seen = ({ status, text, headers }: Reply): unknown => [
    status,
    text,
    [...headers].filter(([name]) => name !== 'date').toSorted(),
  ];

  test('C-04 is slowed down, in whatever number, and nothing is looked up or logged for it', async () => {
    const from = '198.51.100.1';
    assert.deepEqual(await statuses(pair.burst, () => ask(from, account.clientId, 'wrong')), { 401: pair.burst });
    const [lines, before] = [app.log().length, await counter()];
    let statements = 0;
    const count = ({ sql }: { sql: string }): void => {
      // What was refused before is counted beside this, and names the table too.
      if (sql.startsWith('select "service_accounts"')) statements += 1;
    };
    app.knex.on('query', count);
    const amount = 10_000;
    const {
      '4xx': refused,
      errors,
      statusCodeStats,
    } = await autocannon({
      url: `${app.url}/oauth/token`,
      method: 'POST',
      headers: {
        'X-Forwarded-For': from,
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${btoa(`${account.clientId}:wrong`)}`,
      },
      body: 'grant_type=client_credentials',
      amount,
      connections: 50,
    });
    app.knex.off('query', count);
    assert.deepEqual([refused, errors, Object.keys(statusCodeStats ?? {})], [amount, 0, ['429']]);
    assert.equal(statements, 0);
    assert.equal(await counter(), before + amount);
    const added = app.log().slice(lines);
    assert.equal(added.length, 1);
    const { event, source: prefix, reason } = added[0] ?? {};
    assert.deepEqual([event, prefix, reason], ['guessing.limited', from, 'guessing_by_client']);
  });

  test('C-04 is told when to come back, and let pass then, once', async () => {
    const from = '198.51.100.2';
    const guess = (): Promise<Reply> => ask(from, account.clientId, 'wrong');
    await statuses(pair.burst, guess);
    const limited = await ask(from, account.clientId, right());
    assert.equal(limited.status, 429);
    assert.equal(limited.json.error, 'temporarily_unavailable');
    const seconds = Number(limited.headers.get('retry-after'));
    assert.equal(seconds * 1000, pair.interval);
    now += pair.interval - 1;
    assert.equal((await guess()).headers.get('retry-after'), '1');
    now += 1;
    assert.deepEqual([(await guess()).status, (await guess()).status], [401, 429]);
    now += pair.interval;
    // Whoever succeeds has all of it back.
    assert.equal((await ask(from, account.clientId, right())).status, 200);
    assert.deepEqual(await statuses(pair.burst + 1, guess), { 401: pair.burst, 429: 1 });
    const lines = events().length;
    now += 60_000;
    await statuses(pair.burst + 1, guess);
    assert.equal(events().length, lines + 1, 'one line a minute');
  });

  test('C-05 locks nobody out: not the account elsewhere, nor others here', async () => {
    const from = '198.51.100.3';
    const other = await registerWithKeys(app, `Neighbour ${made}`, [], { secret: true });
    const secret = other.credentials[0]?.clientSecret ?? '';
    assert.deepEqual(await statuses(100, () => ask(from, account.clientId, 'wrong')), { 401: pair.burst, 429: 80 });
    assert.equal((await ask('198.51.100.4', account.clientId, right())).status, 200);
    assert.equal((await ask(from, other.clientId, secret)).status, 200);
    // Nor whoever is known here, while somebody here tries every id there might be.
    assert.deepEqual(await statuses(source.burst, (index) => ask(from, `sa_${index}`, 'wrong')), {
      401: source.burst - pair.burst,
      429: pair.burst,
    });
    assert.equal((await ask(from, 'sa_another', 'wrong')).status, 429);
    assert.equal((await ask(from, other.clientId, secret)).status, 200);
    assert.equal((await ask('198.51.100.4', 'sa_another', 'wrong')).status, 401);
    now += source.interval;
    assert.equal((await ask(from, 'sa_another', 'wrong')).status, 401);
  });

  test('C-02 learns nothing by it: an id is answered alike, whoever has it', async () => {
    const ids = [account.clientId, 'sa_of_nobody'];
    const histories = await Promise.all(
      ids.map(async (id, index) => {
        const replies = [];
        for (let round = 0; round < pair.burst + 3; round += 1) {
          replies.push(seen(await ask(`198.51.100.${10 + index}`, id, 'wrong')));
        }
        return replies;
      }),
    );
    assert.deepEqual(histories[0], histories[1]);
    assert.deepEqual(new Set(histories[0]?.map((reply) => (reply as unknown[])[0])), new Set([401, 429]));
    // Where the source has to wait, what is known there shows to whoever has the right credential alone.
    const from = '198.51.100.12';
    assert.equal((await ask(from, account.clientId, right())).status, 200);
    await statuses(source.burst, (index) => ask(from, `sa_${index}`, 'wrong'));
    const compare = async (expected: number): Promise<void> => {
      const replies = await Promise.all(ids.map((id) => ask(from, id, 'wrong')));
      assert.deepEqual([seen(replies[0] as Reply), replies[0]?.status], [seen(replies[1] as Reply), expected]);
    };
    await compare(429);
    assert.equal((await ask(from, account.clientId, right())).status, 200);
    for (let round = 0; round < pair.burst; round += 1) await compare(429);
    assert.equal((await ask(from, account.clientId, right())).status, 429, 'nor is there more to guess than elsewhere');
    await compare(429);
    now += source.interval * 2;
    await compare(401);
    now += pair.interval;
    assert.equal((await ask(from, account.clientId, right())).status, 200);
  });

  test('C-06 is counted by the id that the server reads, at every endpoint and by every method', async () => {
    const { clientId } = account;
    const from = '198.51.100.20';
    const encoded = Buffer.from(clientId).toString('hex').replaceAll(/../g, '%$&');
    const post = (parameters: Record<string, string>): Promise<Reply> =>
      app.request('/oauth/token', {
        method: 'POST',
        headers: { 'X-Forwarded-For': from },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
      });
    const stranger = assertion(clientKey('ES256'), clientId, app.issuer);
    const ways: (() => Promise<Reply>)[] = [
      () => ask(from, clientId, 'wrong'),
      () => ask(from, encoded, 'wrong'),
      () => ask(from, `%73${clientId.slice(1)}`, 'wrong'),
      () => ask(from, clientId, 'wrong', '/api/m2m/oauth/token'),
      () => ask(from, clientId, 'wrong', '/oauth/introspect'),
      () => ask(from, clientId, 'wrong', '/oauth/revoke'),
      () => post({ client_id: clientId, client_secret: 'wrong' }),
      () =>
        post({
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: stranger,
        }),
    ];
    assert.deepEqual(await statuses(pair.burst, (index) => ways[index % ways.length]?.() ?? Promise.reject()), {
      401: pair.burst,
    });
    for (const [index, way] of ways.entries()) assert.equal((await way()).status, 429, `way ${index}`);
    // What is written otherwise is another id, and nobody's; it counts for where it comes from.
    for (const id of [clientId.toUpperCase(), ` ${clientId}`, `${clientId} `, `${clientId}%00`, `${clientId}%C3%A4`]) {
      const { status } = await ask(from, id, right());
      assert.ok([400, 401].includes(status), `${id}: ${status}`);
    }
  });

  test('C-06 is counted by network where addresses come cheap, and by what a trusted proxy says', async () => {
    const { clientId } = account;
    const same = ['2001:db8:0:7::1', '2001:DB8::7:1:2:3:4', '2001:0db8:0000:0007:ffff::', '2001:db8:0:7::198.51.100.1'];
    const guess = (index: number): Promise<Reply> => ask(same[index % same.length] ?? '', clientId, 'wrong');
    assert.deepEqual(await statuses(pair.burst + 8, guess), { 401: pair.burst, 429: 8 });
    for (const other of ['2001:db8:0:8::1', '2001:db8:7::1', '::1', '198.51.100.21']) {
      assert.equal((await ask(other, clientId, 'wrong')).status, 401, other);
    }
    // What stands before the last address was written by the caller.
    for (const forged of ['192.0.2.1', '192.0.2.2', 'nonsense']) {
      assert.equal((await ask(`${forged}, ${same[0]}`, clientId, 'wrong')).status, 429, forged);
    }
  });

  test('is not what a client does that holds the key and says something wrong with it', async () => {
    const wrong = (): Promise<Reply> =>
      tokenByAssertion(app, assertion(key, account.clientId, 'https://another.example'));
    assert.deepEqual(await statuses(pair.burst + 5, wrong), { 401: pair.burst + 5 });
    const { status } = await tokenByAssertion(app, assertion(key, account.clientId, app.issuer));
    assert.equal(status, 200);
  });
});

describe('the limiter of guessing', () => {
  let now = 0;
  const limiter = (limits = GUESS_LIMITS): GuessLimiter =>
    createGuessLimiter({ ...quietSurroundings(), limits, now: () => now });

  /** One failure, or why it was not let try. */
  function guess(guesses: GuessLimiter, from: string, clientId: string): string | undefined {
    try {
      guesses.failed(guesses.admit(from, clientId));
      return undefined;
    } catch (error) {
      assert.ok(error instanceof OAuthError);
      return error.reason;
    }
  }

  test('C-04 C-05 lets many sources together guess no faster, and those wait that have failed', () => {
    const guesses = limiter({ ...GUESS_LIMITS, everyone: { burst: 1000, interval: 10 } });
    guess(guesses, '192.0.2.2', 'sa_1');
    now += source.interval;
    const addresses = Array.from({ length: 100 }, (_, index) => `203.0.113.${index}`);
    let refused = 0;
    for (let round = 0; round < 15; round += 1) {
      for (const from of addresses) if (guess(guesses, from, `sa_${round}`) === 'guessing_by_everyone') refused += 1;
    }
    assert.equal(refused, 500);
    // Nor do those whose failures are over.
    for (const from of ['192.0.2.1', '192.0.2.2']) assert.equal(guess(guesses, from, 'sa_1'), undefined);
    now += 10;
    assert.equal(guess(guesses, '203.0.113.1', 'sa_other'), undefined);
    assert.equal(guess(guesses, '203.0.113.1', 'sa_other'), 'guessing_by_everyone');
  });

  test('C-06 C-08 remembers no text that cannot be an id', () => {
    const guesses = limiter();
    for (let index = 0; index < pair.burst * 2; index += 1) {
      assert.equal(guess(guesses, '192.0.2.1', '.'.repeat(1000)), undefined);
    }
  });

  test('makes nobody wait longer for what was in flight together', () => {
    const guesses = limiter();
    const attempts = Array.from({ length: source.burst - 1 }, () => guesses.admit('192.0.2.1', 'sa_1'));
    for (const attempt of attempts) guesses.failed(attempt);
    assert.equal(guess(guesses, '192.0.2.1', 'sa_1'), 'guessing_by_client');
    now += pair.interval;
    assert.equal(guess(guesses, '192.0.2.1', 'sa_1'), undefined);
  });

  test('C-08 remembers a bounded number, and whom it knows in spite of any number of others', () => {
    const guesses = limiter();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    guesses.succeeded(guesses.admit('192.0.2.1', 'sa_known'));
    const flood = (round: number): void => {
      for (let index = 0; index < 100_000; index += 1) {
        // Half of them from one source, which is refused most of them; ids that cannot be one have any length.
        guess(
          guesses,
          index % 2 === 0 ? '192.0.2.1' : `2001:db8:${round}:${(index >> 1).toString(16)}::1`,
          `sa_${index}`,
        );
        guess(guesses, `10.${round}.${index >> 8}.${index & 255}`, `${index}${'.'.repeat(500)}`);
        now += 1;
      }
    };
    flood(0);
    const before = heap();
    flood(1);
    const grown = heap() - before;
    assert.ok(grown < 2e6, `${grown} bytes more`);
    now += 3_600_000;
    for (let index = 0; index < source.burst; index += 1) guess(guesses, '192.0.2.1', `sa_more_${index}`);
    assert.equal(guess(guesses, '192.0.2.1', 'sa_stranger'), 'guessing_by_source');
    assert.notEqual(guesses.admit('192.0.2.1', 'sa_known').limited, undefined);
  });

  test('C-03 keeps a flood of wrong secrets from costing a hash each, and from the clients beside it', async () => {
    const { credential, clientSecret } = issueClientSecret(secretTools, new Date());
    let hashes = 0;
    const endpoint = await startBareTokenEndpoint([snapshotOf('sa_good', [credential])], {
      guesses: limiter(),
      hashSecret: (secret) => {
        hashes += 1;
        return secretTools.hashSecret(secret);
      },
    });
    const post = async (id: string, secret: string): Promise<number> => {
      const reply = await endpoint.post({}, { Authorization: `Basic ${btoa(`${id}:${secret}`)}` });
      await reply.arrayBuffer();
      return reply.status;
    };
    try {
      assert.equal(await post('sa_good', clientSecret), 200);
      const good = [];
      const flood = [];
      for (let round = 0; round < 40; round += 1) {
        flood.push(...Array.from({ length: 20 }, (_, index) => post(`sa_bad_${round}_${index}`, 'wrong')));
        good.push(post('sa_good', clientSecret));
        await Promise.all([good.at(-1), ...flood.slice(-20)]);
      }
      assert.ok((await Promise.all(good)).every((status) => status === 200));
      assert.ok((await Promise.all(flood)).every((status) => status === 401 || status === 429));
      const most = good.length + 1 + source.burst + 20;
      assert.ok(hashes <= most, `${hashes} hashes`);
    } finally {
      await endpoint.close();
    }
  });
});
