import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import autocannon from 'autocannon';
import { formatSecret } from '../../src/domain/credentials/client-secret.ts';
import { issueClientSecret } from '../../src/domain/credentials/issue-credentials.ts';
import { createGuessLimiter, GUESS_LIMITS, type GuessLimiter } from '../../src/oauth/refusals/guess-limiter.ts';
import { exchange, exchangeOf } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import {
  assertion,
  clientKey,
  type ClientKey,
  registerWithKeys,
  type TestAccount,
  tokenByAssertion,
} from '../support/assertions.ts';
import { quietSurroundings } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';
import { secretTools, snapshotOf, startBareTokenEndpoint } from '../support/token-endpoint.ts';
import { written } from '../support/written.ts';

const { pair, source } = GUESS_LIMITS;
const SECRET_OF_NOBODY = formatSecret('client_secret', Buffer.alloc(32, 7));
const MISTYPED = 'writ_x';

describe('the limit on failed authentications', () => {
  const key = clientKey('ES256');
  let database: TestDatabase;
  let app: TestApp;
  let account: TestAccount;
  let now = 0;
  let made = 0;
  before(async () => {
    database = await embedded.create();
    const guessing = { limits: GUESS_LIMITS, now: () => now };
    // Uses and refusals are not written during the tests, which count statements.
    const surroundings = { guessing, activityPause: 3_600_000 };
    app = await startTestApp(database, { WRIT_TRUSTED_PROXIES: '127.0.0.1' }, surroundings);
  });
  after(async () => {
    await app.close();
    await database.drop();
  });
  beforeEach(async () => {
    // An hour passes: all earlier failures are forgiven.
    now += 3_600_000;
    account = await registerWithKeys(app, `Guessed ${(made += 1)}`, [key], { secret: true });
  });

  const right = (): string => account.credentials.find(({ clientSecret }) => clientSecret)?.clientSecret ?? '';

  /** Sends a secret. All requests have the same request id, so that their answers can be compared. */
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

  const signedBy = (own: ClientKey, clientId: string, audience = app.issuer): Record<string, string> => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(own, clientId, audience),
  });

  function byAssertion(from: string, own: ClientKey, clientId: string): Promise<Reply> {
    return app.request('/oauth/token', {
      method: 'POST',
      headers: { 'X-Forwarded-For': from, 'X-Request-Id': 'the-same' },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...signedBy(own, clientId) }),
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
    Number(/^writ_token_requests_limited_total (\d+)$/m.exec(await app.metrics())?.[1]);

  /** Everything by which a caller can tell two answers apart. */
  const seen = ({ status, text, headers }: Reply): unknown => [
    status,
    text,
    [...headers].filter(([name]) => name !== 'date').toSorted(),
  ];

  test('C-04 answers 4,000 guesses with 429, without a question to the database and with one log line', async () => {
    const from = '198.51.100.1';
    assert.deepEqual(await statuses(pair.burst, () => ask(from, account.clientId, 'wrong')), { 401: pair.burst });
    const [lines, before] = [app.log().length, await counter()];
    const looks = (): number => app.statements().filter((sql) => sql.includes('account_credentials(')).length;
    const looked = looks();
    const amount = 4000;
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
    assert.deepEqual([refused, errors, Object.keys(statusCodeStats ?? {})], [amount, 0, ['429']]);
    assert.equal(looks(), looked);
    assert.equal(await counter(), before + amount);
    const sample = 'writ_tokens_refused_total{error="temporarily_unavailable",reason="too_many_attempts"}';
    assert.ok((await app.metrics()).includes(`${sample} ${amount}\n`));
    const added = app.log().slice(lines);
    assert.equal(added.length, 1);
    const { event, source: prefix, reason } = added[0] ?? {};
    assert.deepEqual([event, prefix, reason], ['guessing.limited', from, 'guessing_by_client']);
  });

  test('C-04 says in Retry-After how long a client must wait, and lets one more failure pass then', async () => {
    const from = '198.51.100.2';
    const guess = (): Promise<Reply> => ask(from, account.clientId, 'wrong');
    await statuses(pair.burst, guess);
    const limited = await guess();
    assert.equal(limited.status, 429);
    assert.equal(limited.json.error, 'temporarily_unavailable');
    const seconds = Number(limited.headers.get('retry-after'));
    assert.equal(seconds * 1000, pair.interval);
    now += pair.interval - 1;
    assert.equal((await guess()).headers.get('retry-after'), '1');
    now += 1;
    assert.deepEqual([(await guess()).status, (await guess()).status], [401, 429]);
    // A success gives the client its whole allowance back.
    assert.equal((await ask(from, account.clientId, right())).status, 200);
    assert.deepEqual(await statuses(pair.burst + 1, guess), { 401: pair.burst, 429: 1 });
    const lines = events().length;
    now += 60_000;
    await statuses(pair.burst + 1, guess);
    assert.equal(events().length, lines + 1, 'the log must have one line for each minute');
    assert.equal(events().at(-1)?.['requestId'], 'the-same');
  });

  test('C-05 always accepts the right credential of a remembered client, by every method', async () => {
    const from = '198.51.100.3';
    const { clientId } = account;
    const permitted = { type: 'api_key', audience: 'api://default' };
    const { json: apiKey } = await app.api('POST', `/api/service-accounts/${clientId}/credentials`, permitted);
    const post = (parameters: Record<string, string>, path = '/oauth/token'): Promise<Reply> =>
      app.request(path, {
        method: 'POST',
        headers: { 'X-Forwarded-For': from },
        body: new URLSearchParams(parameters),
      });
    const ways: Record<string, () => Promise<Reply>> = {
      basic: () => ask(from, clientId, right()),
      post: () => post({ grant_type: 'client_credentials', client_id: clientId, client_secret: right() }),
      introspection: () => post({ client_id: clientId, client_secret: right(), token: 'x' }, '/oauth/introspect'),
      assertion: () => post({ grant_type: 'client_credentials', ...signedBy(key, clientId) }),
      'API key': () => post(exchangeOf(apiKey.clientSecret)),
    };
    for (const [name, way] of Object.entries(ways)) assert.equal((await way()).status, 200, name);
    const floods: [string, (index: number) => Promise<Reply>][] = [
      ['of one client', () => ask(from, clientId, 'wrong')],
      ['of any client', (index) => ask(from, `sa_${index}`, 'wrong')],
    ];
    for (const [flood, guess] of floods) {
      assert.ok(Number((await statuses(source.burst + 5, guess))[429]) >= 5, flood);
      for (const [name, way] of Object.entries(ways)) {
        for (let round = 0; round < 4; round += 1) {
          assert.equal((await way()).status, 200, `${flood}: ${name}`);
          assert.ok([401, 429].includes((await guess(source.burst + round)).status), name);
        }
      }
    }
    // A client that signs wrong claims with its own key gets an explanation: such a failure is not a guess.
    const explained = await post({
      grant_type: 'client_credentials',
      ...signedBy(key, clientId, 'https://another.example'),
    });
    assert.match(explained.json.error_description, /^aud is/);
    // A wrong credential is limited, by every method.
    const wrong: Record<string, () => Promise<Reply>> = {
      basic: () => ask(from, clientId, SECRET_OF_NOBODY),
      mistyped: () => ask(from, clientId, `${right()}\n`),
      assertion: () => post({ grant_type: 'client_credentials', ...signedBy(clientKey('ES256'), clientId) }),
      'API key': () => post(exchangeOf(formatSecret('api_key', Buffer.alloc(32, 9)))),
      'mistyped API key': () => post(exchangeOf(`${apiKey.clientSecret}x`)),
    };
    for (const [name, way] of Object.entries(wrong)) {
      const { status, json } = await way();
      assert.deepEqual([status, json.error], [429, 'temporarily_unavailable'], name);
    }
    // A deleted API key counts as wrong at once.
    await app.api('DELETE', `/api/service-accounts/${clientId}/credentials/${apiKey.credentialId}`);
    assert.equal((await ways['API key']?.())?.status, 429);
  });

  test('C-05 locks out neither the guessed account at other sources nor other accounts at the same source', async () => {
    const from = '198.51.100.5';
    const other = await registerWithKeys(app, `Neighbour ${made}`, [], { secret: true });
    const secret = other.credentials[0]?.clientSecret ?? '';
    assert.deepEqual(await statuses(100, () => ask(from, account.clientId, 'wrong')), { 401: pair.burst, 429: 80 });
    assert.equal((await ask('198.51.100.4', account.clientId, right())).status, 200);
    assert.equal((await ask(from, other.clientId, secret)).status, 200);
    // A remembered client is served while its source tries many ids.
    assert.deepEqual(await statuses(source.burst, (index) => ask(from, `sa_${index}`, 'wrong')), {
      401: source.burst - pair.burst,
      429: pair.burst,
    });
    assert.equal((await ask(from, 'sa_another', 'wrong')).status, 429);
    assert.equal((await ask(from, other.clientId, secret)).status, 200);
    assert.equal((await ask('198.51.100.4', 'sa_another', 'wrong')).status, 401);
    // At a limited source, the node asks the database only for clients that authenticated from there before.
    const stranger = await registerWithKeys(app, `Stranger ${made}`, [], { secret: true });
    const asStranger = (): Promise<Reply> => ask(from, stranger.clientId, stranger.credentials[0]?.clientSecret ?? '');
    assert.equal((await asStranger()).status, 429);
    await app.api('PATCH', `/api/service-accounts/${other.clientId}`, { description: 'changed, so not known' });
    assert.equal((await ask(from, other.clientId, secret)).status, 200);
    now += source.interval;
    assert.equal((await ask(from, 'sa_another', 'wrong')).status, 401);
    now += source.interval;
    assert.equal((await asStranger()).status, 200);
    assert.equal((await asStranger()).status, 200);
  });

  test('C-02 answers guesses at the id of an account and at an unknown id alike', async () => {
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
    // At a limited source, only the right credential shows that the node remembers an account.
    const from = '198.51.100.12';
    assert.equal((await ask(from, account.clientId, right())).status, 200);
    await statuses(source.burst, (index) => ask(from, `sa_${index}`, 'wrong'));
    const unseen = await registerWithKeys(app, `Unseen ${made}`, [key], { secret: true });
    for (const send of [
      (id: string) => ask(from, id, 'wrong'),
      (id: string) => ask(from, id, MISTYPED),
      (id: string) => ask(from, id, SECRET_OF_NOBODY, '/oauth/introspect'),
      (id: string) => byAssertion(from, clientKey('ES256'), id),
      (id: string) => byAssertion(from, clientKey('RS256'), id),
    ]) {
      for (let round = 0; round < pair.burst + 2; round += 1) {
        const replies = await Promise.all([...ids, unseen.clientId].map(send));
        assert.deepEqual(
          replies.map(seen),
          replies.map(() => seen(replies[0] as Reply)),
        );
        assert.equal(replies[0]?.status, 429);
      }
      assert.equal((await ask(from, account.clientId, right())).status, 200);
    }
    now += source.interval * 3;
    assert.deepEqual(
      (await Promise.all(ids.map((id) => ask(from, id, 'wrong')))).map(({ status }) => status),
      [401, 401],
    );
  });

  test('C-06 counts failures by the decoded client id, over all endpoints and methods', async () => {
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
    // Another spelling is another id, which no account has: its failures count for the source only.
    for (const id of [clientId.toUpperCase(), ` ${clientId}`, `${clientId} `, `${clientId}%00`, `${clientId}%C3%A4`]) {
      const { status } = await ask(from, id, right());
      assert.ok([400, 401].includes(status), `${id}: ${status}`);
    }
  });

  test('C-06 counts IPv6 addresses by network, and believes only the address that a trusted proxy added', async () => {
    const { clientId } = account;
    const same = ['2001:db8:0:7::1', '2001:DB8::7:1:2:3:4', '2001:0db8:0000:0007:ffff::', '2001:db8:0:7::198.51.100.1'];
    const guess = (index: number): Promise<Reply> => ask(same[index % same.length] ?? '', clientId, 'wrong');
    assert.deepEqual(await statuses(pair.burst + 8, guess), { 401: pair.burst, 429: 8 });
    for (const other of ['2001:db8:0:8::1', '2001:db8:7::1', '::1', '198.51.100.21']) {
      assert.equal((await ask(other, clientId, 'wrong')).status, 401, other);
    }
    // The caller wrote the addresses before the last one.
    for (const forged of ['192.0.2.1', '192.0.2.2', 'nonsense']) {
      assert.equal((await ask(`${forged}, ${same[0]}`, clientId, 'wrong')).status, 429, forged);
    }
  });

  test('C-04 C-05 limits guesses at API keys by source, and always accepts a remembered API key', async () => {
    const from = '198.51.100.30';
    const headers = (address: string) => ({ 'X-Forwarded-For': address });
    const keyOf = async (): Promise<string> => {
      const credentials = [{ type: 'api_key', audience: 'api://default' }];
      const input = { name: `API key ${(made += 1)}`, permissions: ['a'], credentials };
      return String((await app.api('POST', '/api/service-accounts', input)).json.apiKey);
    };
    const [known, unknown] = [await keyOf(), await keyOf()];
    assert.equal((await exchange(app, known)).status, 200);
    let guesses = 0;
    const guess = (parameters: Record<string, string> = {}): Promise<Reply> => {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32BE((guesses += 1));
      return exchange(app, formatSecret('api_key', bytes), parameters, headers(from));
    };
    const looks = (): number => app.statements().filter((sql) => sql.includes('secret_hash')).length;
    const asked = looks();
    assert.deepEqual(await statuses(source.burst, () => guess()), { 400: source.burst });
    assert.equal(looks(), asked + source.burst);
    const reasons = app.log().filter(({ reason }) => reason === 'api_key_unknown');
    assert.equal(reasons.length, source.burst);
    // Other parameters of the request make no difference.
    for (const parameters of [{}, { client_id: account.clientId }, { resource: 'api://default' }]) {
      const { status, json, headers: told } = await guess(parameters);
      assert.deepEqual([status, json.error, told.get('retry-after')], [429, 'temporarily_unavailable', '1']);
    }
    assert.equal(events().at(-1)?.['reason'], 'guessing_by_source');
    // A valid API key that the node does not remember is treated as a guess.
    assert.equal((await exchange(app, unknown, {}, headers(from))).status, 429);
    assert.equal(looks(), asked + source.burst);
    assert.equal((await exchange(app, known, {}, headers(from))).status, 200);
    assert.equal((await exchange(app, unknown, {}, headers('198.51.100.31'))).status, 200);
    now += source.interval;
    assert.equal((await guess()).status, 400);
    assert.equal((await guess()).status, 429);
  });

  test('does not count the failures of a client that signs wrong claims with its own key', async () => {
    const wrong = (): Promise<Reply> =>
      tokenByAssertion(app, assertion(key, account.clientId, 'https://another.example'));
    assert.deepEqual(await statuses(pair.burst + 5, wrong), { 401: pair.burst + 5 });
    const { status } = await tokenByAssertion(app, assertion(key, account.clientId, app.issuer));
    assert.equal(status, 200);
  });
});

describe('an attempt that is answered with 429', () => {
  const PAUSE = 50;
  let now = 0;
  const guessing = { limits: { ...GUESS_LIMITS, pair: { burst: 3, interval: 1000 } }, now: () => now };
  const app = useTestApp(embedded, {}, { guessing, activityPause: PAUSE });

  test('is found in the activity by its request id, with the answer that the client got', async () => {
    const guess = (): Promise<Reply> => app.token({ clientId: 'sa_guessed', clientSecret: 'wrong' });
    const replies: Reply[] = [];
    for (let round = 0; round < 40; round += 1) replies.push(await guess());
    now += 1;
    await written(PAUSE, app);
    const first = replies.find(({ status }) => status === 429);
    const told = app.log().filter(({ event }) => event === 'guessing.limited');
    assert.deepEqual(
      told.map(({ requestId }) => requestId),
      [first?.json.request_id],
    );
    const last = replies.at(-1)?.json;
    const { json } = await app.api('GET', `/api/activity?requestId=${last.request_id}`);
    const [{ reason, count, recent }] = json;
    assert.deepEqual([reason, count], ['too_many_attempts', 37]);
    assert.deepEqual(
      [recent[0].status, recent[0].error, recent[0].errorDescription],
      [429, 'temporarily_unavailable', last.error_description],
    );
    const [{ recent: kept }] = (await app.api('GET', '/api/activity?clientId=sa_guessed')).json;
    assert.equal(kept.length, 20);
  });
});

describe('the guess limiter', () => {
  let now = 0;
  const limiter = (limits = GUESS_LIMITS): GuessLimiter =>
    createGuessLimiter({ ...quietSurroundings(), limits, now: () => now });

  /** Counts one failure. @returns the reason if the failure must be answered with 429 */
  function guess(guesses: GuessLimiter, from: string, clientId: string): string | undefined {
    return guesses.failed(guesses.admit(from, clientId))?.reason;
  }

  test('C-04 C-05 limits all sources together, and only sources with recent failures wait', () => {
    const guesses = limiter({ ...GUESS_LIMITS, everyone: { burst: 1000, interval: 10 } });
    guess(guesses, '192.0.2.2', 'sa_1');
    now += source.interval;
    const addresses = Array.from({ length: 100 }, (_, index) => `203.0.113.${index}`);
    let refused = 0;
    for (let round = 0; round < 15; round += 1) {
      for (const from of addresses) if (guess(guesses, from, `sa_${round}`) === 'guessing_by_everyone') refused += 1;
    }
    assert.equal(refused, 500);
    // A source without failures and a source whose failures are over do not wait.
    for (const from of ['192.0.2.1', '192.0.2.2']) assert.equal(guess(guesses, from, 'sa_1'), undefined);
    now += 10;
    assert.equal(guess(guesses, '203.0.113.1', 'sa_other'), undefined);
    assert.equal(guess(guesses, '203.0.113.1', 'sa_other'), 'guessing_by_everyone');
  });

  test('C-06 C-08 remembers no text that cannot be a client id', () => {
    const guesses = limiter();
    for (let index = 0; index < pair.burst * 2; index += 1) {
      assert.equal(guess(guesses, '192.0.2.1', '.'.repeat(1000)), undefined);
    }
  });

  test('stops questions to the database for a client that authenticated before, once it fails too often', () => {
    const guesses = limiter();
    const from = '192.0.2.1';
    guesses.succeeded(guesses.admit(from, 'sa_known'));
    for (let index = 0; index < source.burst; index += 1) guess(guesses, from, `sa_${index}`);
    for (let index = 0; index < pair.burst; index += 1) {
      assert.equal(guesses.admit(from, 'sa_known').mayAsk, true);
      // The source stays limited.
      guess(guesses, from, 'sa_known');
    }
    assert.equal(guesses.admit(from, 'sa_known').mayAsk, false);
  });

  test('lets no client wait longer because many failures were in flight together', () => {
    const guesses = limiter();
    const attempts = Array.from({ length: source.burst - 1 }, () => guesses.admit('192.0.2.1', 'sa_1'));
    for (const attempt of attempts) guesses.failed(attempt);
    assert.equal(guess(guesses, '192.0.2.1', 'sa_1'), 'guessing_by_client');
    now += pair.interval;
    assert.equal(guess(guesses, '192.0.2.1', 'sa_1'), undefined);
  });

  test('C-08 uses bounded memory, and remembers a client that authenticated before through a flood of failures', () => {
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
        // Half of the failures come from one source, which is soon limited. Texts that cannot be ids may be long.
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
    const { limited, mayAsk } = guesses.admit('192.0.2.1', 'sa_known');
    assert.deepEqual([limited?.status, mayAsk], [429, true]);
    assert.equal(guesses.admit('192.0.2.1', 'sa_stranger').mayAsk, false);
  });

  test('C-03 reads few accounts during a flood of wrong secrets, and serves other clients meanwhile', async () => {
    const { credential, secret: clientSecret } = issueClientSecret(secretTools, new Date());
    const good = snapshotOf('sa_good', [credential]);
    let looks = 0;
    const endpoint = await startBareTokenEndpoint([good], {
      guesses: limiter(),
      accounts: {
        remembers: (clientId) => clientId === 'sa_good',
        find(clientId) {
          looks += 1;
          return clientId === 'sa_good' ? good : undefined;
        },
      },
    });
    const post = async (id: string, secret: string): Promise<number> => {
      const reply = await endpoint.post({}, { Authorization: `Basic ${btoa(`${id}:${secret}`)}` });
      await reply.arrayBuffer();
      return reply.status;
    };
    try {
      assert.equal(await post('sa_good', clientSecret), 200);
      const served = [];
      const flood = [];
      for (let round = 0; round < 40; round += 1) {
        flood.push(...Array.from({ length: 20 }, (_, index) => post(`sa_bad_${round}_${index}`, 'wrong')));
        served.push(post('sa_good', clientSecret));
        await Promise.all([served.at(-1), ...flood.slice(-20)]);
      }
      assert.ok((await Promise.all(served)).every((status) => status === 200));
      assert.ok((await Promise.all(flood)).every((status) => status === 401 || status === 429));
      const most = served.length + 1 + source.burst + 20;
      assert.ok(looks <= most, `${looks} looks`);
    } finally {
      await endpoint.close();
    }
  });
});
