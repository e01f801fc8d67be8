import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import type { Reply } from '../support/api-contract.ts';
import { assertion, type ClientKey, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase, type TestDatabase } from '../support/databases.ts';
import { bitOf, statusOf } from '../support/status-lists.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

// Writ decides by the clock that this test moves; the library and PostgreSQL use the real time. The difference matters
// in three places, and no run reaches one of them:
// - The library sets `exp` of tokens and refuses expired tokens: tokens last a day, and a run moves the clock by less.
// - The library checks `exp` and `nbf` of assertions: here `exp` is ahead on both clocks, and `nbf` is absent.
// - PostgreSQL's time decides about the last root account, used `jti`s and credentials that ended a month ago: the
//   account of this test belongs to a company, and the secret of root never ends.
const TOKEN_TTL = 86_400;
const MOST_COMMANDS = 25;
/** Periods in seconds. Lifetimes and waits share them, so that a run often meets an end to the second. */
const PERIODS = [30, 60, 90, 600];
/** The most keys that an account may have. No run adds a key beyond that. */
const MOST_KEYS = 10;

/** A credential in the model. `lifetime` is in seconds, `endsAt` in milliseconds; undefined means never. */
interface Credential {
  readonly isKey: boolean;
  state: 'enabled' | 'disabled' | 'ending' | 'deleted';
  lifetime: number | undefined;
  endsAt: number | undefined;
}

/**
 * The first token of a credential since the credential was enabled. The token is alive until its credential is
 * disabled or deleted, or its account or company is disabled.
 */
interface Issued {
  readonly token: string;
  readonly credential: Credential;
  alive: boolean;
}

/** The expected state of an account. */
interface Model {
  now: number;
  accountEnabled: boolean;
  companyEnabled: boolean;
  readonly credentials: Credential[];
  readonly issued: Issued[];
}

/** The account on the server, and the use of each credential, in the order of the model. */
interface Real {
  readonly company: string;
  readonly account: string;
  readonly clientId: string;
  readonly used: { readonly path: string; ask(): Promise<Reply> }[];
}

const ended = ({ endsAt }: Credential, { now }: Model): boolean => endsAt !== undefined && endsAt <= now;

function works(credential: Credential, model: Model): boolean {
  const { state } = credential;
  if (!model.accountEnabled || !model.companyEnabled) return false;
  return (state === 'enabled' || state === 'ending') && !ended(credential, model);
}

/** Marks the tokens of some credentials as dead: enabling a credential again does not revive its tokens. */
function kill({ issued }: Model, meant: (credential: Credential) => boolean): void {
  for (const one of issued) if (meant(one.credential)) one.alive = false;
}

type Command = fc.AsyncCommand<Model, Real>;

onEachDatabase(
  'the credentials of an account',
  (kind) => {
    let database: TestDatabase;
    let app: TestApp;
    let now = Date.now();
    let companies = 0;
    before(async () => {
      database = await kind.create();
      app = await startTestApp(database, { WRIT_TOKEN_TTL: String(TOKEN_TTL) }, { clock: () => new Date(now) });
    });
    after(async () => {
      await app.close();
      await database.drop();
    });

    async function call(expected: number, method: string, path: string, body?: object): Promise<Reply> {
      const reply = await app.api(method, path, body);
      assert.equal(reply.status, expected, `${method} ${path} ${JSON.stringify(body)}: ${reply.text}`);
      return reply;
    }

    /** The path of a new credential, and its token request. */
    function use({ account, clientId }: Real, { json }: Reply, key: ClientKey | undefined): Real['used'][number] {
      return {
        path: `${account}/credentials/${json.credentialId}`,
        ask() {
          if (key === undefined) return app.token({ clientId, clientSecret: json.clientSecret });
          const exp = Math.floor(now / 1000) + 60;
          return tokenByAssertion(app, assertion(key, clientId, app.issuer, { exp }, { kid: json.kid }));
        },
      };
    }

    const command = (
      name: string,
      run: (model: Model, real: Real) => Promise<unknown>,
      check: (model: Readonly<Model>) => boolean = () => true,
    ): Command => ({ run: async (model, real) => void (await run(model, real)), check, toString: () => name });

    /** A command that acts on one of all the credentials so far. */
    const toOne = (
      name: string,
      index: number,
      run: (credential: Credential, path: string, model: Model, real: Real) => Promise<unknown>,
      check?: (model: Readonly<Model>) => boolean,
    ): Command =>
      command(
        `${name} #${index}`,
        async (model, real) => {
          const at = index % model.credentials.length;
          const [credential, used] = [model.credentials[at], real.used[at]];
          assert.ok(credential && used);
          await run(credential, used.path, model, real);
        },
        check,
      );

    const isRoomForKeys = ({ credentials }: Readonly<Model>): boolean =>
      credentials.filter(({ isKey }) => isKey).length < MOST_KEYS;

    const add = (isKey: boolean, lifetime: number | undefined): Command =>
      command(
        `add a ${isKey ? 'key' : 'secret'} for ${lifetime ?? 'ever'}`,
        async (model, real) => {
          const key = isKey ? clientKey('EdDSA') : undefined;
          const body = {
            ...(key === undefined ? { type: 'client_secret' } : { type: 'public_key', publicKey: key.jwk }),
            ...(lifetime !== undefined && { expiresIn: lifetime }),
          };
          const reply = await call(201, 'POST', `${real.account}/credentials`, body);
          const endsAt = lifetime === undefined ? undefined : model.now + lifetime * 1000;
          model.credentials.push({ isKey, state: 'enabled', lifetime, endsAt });
          real.used.push(use(real, reply, key));
        },
        isKey ? isRoomForKeys : undefined,
      );

    const rotate = (index: number, overlap: number): Command =>
      toOne(
        `rotate with ${overlap} of overlap`,
        index,
        async (old, path, model, real) => {
          const key = old.isKey ? clientKey('EdDSA') : undefined;
          const body = { overlap, ...(key !== undefined && { publicKey: key.jwk }) };
          if (old.state === 'deleted') return call(404, 'POST', `${path}/rotate`, body);
          if (old.state === 'ending') return call(409, 'POST', `${path}/rotate`, body);
          const reply = await call(201, 'POST', `${path}/rotate`, body);
          const { isKey, lifetime } = old;
          const endsAt = lifetime === undefined ? undefined : model.now + lifetime * 1000;
          model.credentials.push({ isKey, state: 'enabled', lifetime, endsAt });
          real.used.push(use(real, reply, key));
          // A rotation does not make a disabled credential work.
          const last = model.now + (old.state === 'disabled' ? 0 : overlap * 1000);
          old.endsAt = Math.min(last, old.endsAt ?? last);
          old.state = 'ending';
          return reply;
        },
        isRoomForKeys,
      );

    const setExpiry = (index: number, lifetime: number | null): Command =>
      toOne(`let last for ${lifetime ?? 'ever'}`, index, async (credential, path, model) => {
        const body = { expiresIn: lifetime };
        if (credential.state === 'deleted') return call(404, 'PATCH', path, body);
        if (credential.state === 'ending' && lifetime === null) return call(409, 'PATCH', path, body);
        await call(200, 'PATCH', path, body);
        credential.lifetime = lifetime ?? undefined;
        credential.endsAt = lifetime === null ? undefined : model.now + lifetime * 1000;
        return undefined;
      });

    const setState = (index: number, state: 'enabled' | 'disabled'): Command =>
      toOne(`make ${state}`, index, async (credential, path, model) => {
        if (credential.state === 'deleted') return call(404, 'PATCH', path, { state });
        if (credential.state === 'ending') return call(409, 'PATCH', path, { state });
        await call(200, 'PATCH', path, { state });
        credential.state = state;
        if (state === 'disabled') kill(model, (one) => one === credential);
        return undefined;
      });

    const remove = (index: number): Command =>
      toOne('delete', index, async (credential, path, model) => {
        if (credential.state === 'deleted') return call(404, 'DELETE', path);
        await call(204, 'DELETE', path);
        credential.state = 'deleted';
        kill(model, (one) => one === credential);
        return undefined;
      });

    const setAccount = (state: 'enabled' | 'disabled'): Command =>
      command(`make the account ${state}`, async (model, { account }) => {
        await call(200, 'PATCH', account, { state });
        model.accountEnabled = state === 'enabled';
        if (!model.accountEnabled) kill(model, () => true);
      });

    const setCompany = (state: 'enabled' | 'disabled'): Command =>
      command(`make the company ${state}`, async (model, { company }) => {
        await call(200, 'PATCH', company, { state });
        model.companyEnabled = state === 'enabled';
        if (!model.companyEnabled) kill(model, () => true);
      });

    const advance = (seconds: number): Command =>
      command(`let ${seconds} seconds pass`, (model) => {
        model.now += seconds * 1000;
        now = model.now;
        return Promise.resolve();
      });

    const introspect = (token: string): Promise<Reply> =>
      app.request('/oauth/introspect', {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${ROOT.clientId}:${ROOT.clientSecret}`)}` },
        body: new URLSearchParams({ token }),
      });

    /** Asks for a token with every credential so far, and introspects every issued token. */
    async function compare(model: Model, { used }: Real): Promise<void> {
      const replies = await Promise.all(used.map((one) => one.ask()));
      for (const [at, credential] of model.credentials.entries()) {
        const reply = replies[at];
        assert.ok(reply);
        assert.equal(reply.status, works(credential, model) ? 200 : 401, `#${at}: ${reply.text}`);
        const isFirst = !model.issued.some((one) => one.alive && one.credential === credential);
        if (reply.status === 200 && isFirst) {
          model.issued.push({ token: reply.json.access_token, credential, alive: true });
        }
      }
      const said = await Promise.all(model.issued.map(({ token }) => introspect(token)));
      for (const [at, { credential, alive }] of model.issued.entries()) {
        const of = model.credentials.indexOf(credential);
        assert.equal(said[at]?.json.active, alive, `a token of #${of}: ${said[at]?.text}`);
      }
    }

    // Small indexes come often, so that much happens to one credential.
    const index = fc.oneof({ weight: 2, arbitrary: fc.nat(1) }, fc.nat(9));
    const period = fc.constantFrom(...PERIODS);
    const STATES = ['enabled', 'disabled'] as const;
    const kinds: readonly [weight: number, kind: fc.Arbitrary<Command>][] = [
      [1, fc.tuple(fc.boolean(), fc.option(period, { nil: undefined })).map((how) => add(...how))],
      [3, fc.tuple(index, fc.oneof(fc.constant(0), period)).map((how) => rotate(...how))],
      [3, fc.tuple(index, fc.option(period, { freq: 3 })).map((how) => setExpiry(...how))],
      [3, fc.tuple(index, fc.constantFrom(...STATES)).map((how) => setState(...how))],
      [1, index.map(remove)],
      [2, fc.constantFrom(...STATES).map(setAccount)],
      [1, fc.constantFrom(...STATES).map(setCompany)],
      [3, period.map(advance)],
      [3, fc.constant(command('everybody asks', compare))],
    ];
    const commands = fc.commands(
      kinds.flatMap(([weight, one]) => Array.from({ length: weight }, () => one)),
      { maxCommands: MOST_COMMANDS, size: 'max' },
    );

    async function begin(): Promise<{ model: Model; real: Real }> {
      now = Date.now();
      const companyId = `c${(companies += 1)}`;
      const company = `/api/companies/${companyId}`;
      await makeCompany(app, companyId);
      const body = { name: 'Modelled', permissions: ['a'] };
      const { json } = await call(201, 'POST', `${company}/service-accounts`, body);
      const account = `${company}/service-accounts/${json.clientId}`;
      const real: Real = { company, account, clientId: json.clientId, used: [] };
      const [first] = json.credentials;
      real.used.push(use(real, { ...json, json: first }, undefined));
      return {
        real,
        model: {
          now,
          accountEnabled: true,
          companyEnabled: true,
          credentials: [{ isKey: false, state: 'enabled', lifetime: undefined, endsAt: undefined }],
          issued: [],
        },
      };
    }

    /** Compares the status list with the tokens of every run, after a moment: the list is made in the background. */
    async function compareList(issued: readonly Issued[]): Promise<void> {
      const patience = performance.now() + 3000;
      const [uri] = new Set(issued.map(({ token }) => new URL(statusOf(token).uri).pathname));
      assert.ok(uri);
      for (;;) {
        const { text } = await app.request(uri);
        const wrong = issued.filter(({ token, alive }) => (bitOf(text, statusOf(token).idx) === 0) !== alive);
        if (wrong.length === 0) return;
        assert.ok(performance.now() < patience, `the list is wrong about ${JSON.stringify(wrong)}`);
        await setTimeout(20);
      }
    }

    test('B-26 get tokens, and have active tokens, exactly when a model says so after any changes', async () => {
      const everIssued: Issued[] = [];
      const property = fc.asyncProperty(commands, async (sequence) => {
        const { model, real } = await begin();
        const setup = { model, real };
        await fc.asyncModelRun(() => setup, sequence);
        await compare(model, real);
        everIssued.push(...model.issued);
        assert.ok(
          model.now - Date.now() < TOKEN_TTL * 1000,
          'the run moved the clock by more than the lifetime of a token',
        );
      });
      const started = performance.now();
      await fc.assert(property, { numRuns: 3 });
      // More runs follow while there is time: a slow machine does fewer of them.
      const three = performance.now() - started;
      await fc.assert(property, { numRuns: 57, interruptAfterTimeLimit: Math.max(5000, three * 2) });
      await compareList(everIssued);
    });
  },
  embeddedAndNewest,
);
