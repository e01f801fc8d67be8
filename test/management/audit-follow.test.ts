import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { POSITIONS_LOCK } from '../../src/storage/advisory-lock.ts';
import { assertRefused, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';

interface Event {
  readonly eventId: string;
  readonly action: string;
  readonly target: string;
  readonly occurredAt: string;
}

const LONG_AGO = '2000-01-01';

/** Reads the events after an event or a time, page by page. */
async function follow(app: TestApp, afterwards: string, path = '/api/audit-events', bearer?: string): Promise<Event[]> {
  const events: Event[] = [];
  let next = `${path}?after=${afterwards}&limit=3`;
  while (next !== '') {
    const { status, json, text, headers } = await app.api('GET', next, undefined, bearer);
    assert.equal(status, 200, text);
    assert.ok(json.length <= 3);
    events.push(...json);
    next = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
  }
  return events;
}

const idsOf = (events: readonly Event[]): string[] => events.map(({ eventId }) => eventId);

onEachDatabase('a reader that follows the audit', (kind) => {
  const app = useTestApp(kind);

  const listed = async (): Promise<Event[]> => (await app.api('GET', '/api/audit-events')).json;

  test('reads every event once, oldest first, and continues after the last one', async () => {
    await makeCompany(app, 'first');
    const read = await follow(app, LONG_AGO);
    assert.deepEqual(idsOf(read).toSorted(), idsOf(await listed()).toSorted());
    const times = read.map(({ occurredAt }) => occurredAt);
    assert.deepEqual(times, times.toSorted());
    const last = read.at(-1)?.eventId ?? '';
    assert.deepEqual(await follow(app, last), []);
    for (const companyId of ['second', 'third']) await makeCompany(app, companyId);
    const more = await follow(app, last);
    assert.deepEqual(
      more.map(({ action, target }) => [action, target]),
      [
        ['company.created', 'second'],
        ['company.created', 'third'],
      ],
    );
    // The id of the event may also come from the list, which has the opposite order.
    await makeCompany(app, 'fourth');
    const [newest] = await listed();
    assert.deepEqual(await follow(app, newest?.eventId ?? ''), []);
    const [one] = more;
    assert.deepEqual(idsOf(await follow(app, one?.eventId ?? '')), [more[1]?.eventId, newest?.eventId]);
  });

  test('may begin at a time, and filter events by action and end', async () => {
    const read = await follow(app, LONG_AGO);
    const middle = read[Math.floor(read.length / 2)];
    const since = read.filter(({ occurredAt }) => occurredAt > String(middle?.occurredAt));
    assert.deepEqual(await follow(app, String(middle?.occurredAt)), since);
    assert.deepEqual(await follow(app, 'P1D'), read);
    const { json: companies } = await app.api('GET', `/api/audit-events?after=${LONG_AGO}&action=company.created`);
    assert.deepEqual(
      companies.map(({ target }: Event) => target),
      ['first', 'second', 'third', 'fourth'],
    );
    const to = String(middle?.occurredAt);
    const { json: early } = await app.api('GET', `/api/audit-events?after=${LONG_AGO}&to=${to}`);
    assert.deepEqual(
      early,
      read.filter(({ occurredAt }) => occurredAt < to),
    );
  });

  test('E-01 reads only the events of its company, and cannot tell a foreign event id from an unknown one', async () => {
    const path = '/api/companies/first/audit-events';
    const admin = await makeCaller(app, '/api/companies/first/service-accounts', COMPANY_PERMISSIONS);
    const { json: whole } = await app.api('GET', path, undefined, admin.bearer);
    const read = await follow(app, LONG_AGO, path, admin.bearer);
    assert.deepEqual(read, whole.toReversed());
    const foreign = (await listed()).find(({ target }) => target === 'second')?.eventId ?? '';
    for (const unknown of [foreign, `evt_${'0'.repeat(22)}`]) {
      const refused = await app.api('GET', `${path}?after=${unknown}`, undefined, admin.bearer);
      assertRefused(app, refused, 400, 'invalid_query');
      assert.equal(refused.json.detail, 'after is the id of no event here');
    }
    for (const bad of ['', 'evt_', 'yesterday', `evt_${'x'.repeat(200)}`]) {
      assertRefused(app, await app.api('GET', `/api/audit-events?after=${bad}`), 400, 'invalid_query');
    }
  });
});

describe('a reader that follows the audit of two nodes', () => {
  let database: TestDatabase;
  let nodes: readonly [TestApp, TestApp];
  before(async () => {
    database = await postgres18.create();
    nodes = [await startTestApp(database), await startTestApp(database)];
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  test('E-19 reads an event that is committed late, after newer events were read', async () => {
    const [one] = nodes;
    const late = `evt_${randomUUID().replaceAll('-', '')}`;
    const transaction = await one.knex.transaction();
    await transaction('audit_events').insert({
      event_id: late,
      occurred_at: new Date(),
      action: 'company.created',
      target: 'late',
      actor: { type: 'server', command: 'start' },
      details: {},
    });
    await makeCompany(one, 'newer');
    const read = await follow(one, LONG_AGO);
    assert.equal(read.at(-1)?.target, 'newer');
    assert.equal(idsOf(read).includes(late), false);
    await transaction.commit();
    assert.deepEqual(idsOf(await follow(one, read.at(-1)?.eventId ?? '')), [late]);
  });

  test('begins at a time, reads an event of a node whose clock is ahead, and skips a later event with an earlier time', async () => {
    const [one] = nodes;
    const record = async (target: string, time: number): Promise<void> => {
      await one.knex('audit_events').insert({
        event_id: `evt_${randomUUID().replaceAll('-', '')}`,
        occurred_at: new Date(time),
        action: 'company.created',
        target,
        actor: { type: 'server', command: 'start' },
        details: {},
      });
      await follow(one, LONG_AGO);
    };
    const start = Date.now() + 3_600_000;
    await record('ahead', start + 60_000);
    await record('before', start - 1);
    const read = await follow(one, new Date(start).toISOString());
    assert.deepEqual(
      read.map(({ target }) => target),
      ['ahead'],
    );
  });

  test('waits while another transaction assigns positions, and then reads the new event', async () => {
    const [one] = nodes;
    const transaction = await one.knex.transaction();
    await transaction.raw('select pg_advisory_xact_lock(?)', [POSITIONS_LOCK]);
    await makeCompany(one, 'waited-for');
    const reading = follow(one, LONG_AGO);
    const waiting = async (): Promise<boolean> => {
      const { rows } = await one.knex.raw(`select from pg_locks where locktype = 'advisory' and not granted`);
      return rows.length > 0;
    };
    await eventually(10_000, waiting, 'no reader waits for the lock');
    await transaction.commit();
    assert.equal((await reading).at(-1)?.target, 'waited-for');
  });

  test('reads each event once while both nodes record and both nodes answer', async () => {
    const [one, two] = nodes;
    const before = await follow(one, LONG_AGO);
    let writing = true;
    const writers = [one, two, one, two].map(async (node, writer) => {
      for (let round = 0; round < 12; round += 1) await makeCompany(node, `at-once-${writer}-${round}`);
    });
    const readers = nodes.map(async (node) => {
      const seen = [...before];
      for (let last = false; !last;) {
        last = !writing;
        seen.push(...(await follow(node, seen.at(-1)?.eventId ?? '')));
      }
      return idsOf(seen);
    });
    const all = Promise.all(writers).finally(() => (writing = false));
    const [[first = [], second = []]] = await Promise.all([Promise.all(readers), all]);
    assert.equal(first.length - before.length, 48);
    assert.equal(new Set(first).size, first.length);
    // Both nodes give the events in the same order.
    assert.deepEqual(first, second);
    const { json: whole } = await one.api('GET', '/api/audit-events');
    assert.deepEqual(first.toSorted(), idsOf(whole).toSorted());
  });
});
