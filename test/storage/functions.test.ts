import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { AudienceJson } from '../../src/storage/audience-rows.ts';
import type { SnapshotRow } from '../../src/storage/account-rows.ts';
import type { CredentialJson } from '../../src/storage/credential-rows.ts';
import type { IssuerTrustJson } from '../../src/storage/trusted-issuers-table.ts';
import type { GrantJson } from '../../src/storage/grants-table.ts';
import { migrate } from '../../src/storage/migrate.ts';
import type { RoleJson } from '../../src/storage/roles-table.ts';
import { clientKey } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { onEachDatabase, postgres18 } from '../support/databases.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

/** The members of every alternative of a type. */
type Members<Type> = Type extends unknown ? keyof Type : never;

/** Lists the members of a type. The compiler demands every member. */
function membersOf<Type>(members: Readonly<Record<Members<Type>, true>>): string[] {
  return Object.keys(members).toSorted();
}

const AUDIENCE = {
  resource_server_id: true,
  company_id: true,
  identifier: true,
  token_ttl: true,
  signing_alg: true,
  token_type: true,
} as const;

const FOLDER = join(import.meta.dirname, '../../src/storage/functions');

onEachDatabase('the answer of a function of the database', (kind) => {
  const app = useTestApp(kind);

  test('has exactly the members of the type that reads it', async () => {
    await makeCompany(app, 'read');
    const company = '/api/companies/read';
    const identifier = 'api://read/x';
    const issuer = 'https://ci.example';
    await app.api('POST', '/api/trusted-issuers', { issuer, name: 'CI' });
    await app.api('POST', `${company}/resource-servers`, { identifier, name: 'X', permissions: [{ name: 'x' }] });
    await app.api('POST', `${company}/roles`, { roleId: 'r', name: 'R', permissions: ['x'] });
    await app.api('POST', `${company}/groups`, { groupId: 'g', name: 'G', permissions: ['x'] });
    const { json, status, text } = await app.api('POST', `${company}/service-accounts`, {
      name: 'Has everything',
      permissions: ['x@shop'],
      roles: ['r'],
      groups: ['g'],
      credentials: [
        { type: 'client_secret' },
        { type: 'public_key', publicKey: clientKey('ES256').jwk },
        { type: 'api_key', audience: identifier },
        { type: 'federated', issuer, subject: 'repo:acme/shop' },
      ],
    });
    assert.equal(status, 201, text);
    const value = async (call: string, bindings: readonly string[]) =>
      (await app.knex.raw(`select ${call} as value`, bindings)).rows[0].value;
    const assertMembers = (items: readonly object[], members: readonly string[], count: number): void => {
      assert.equal(items.length, count);
      for (const item of items) assert.deepEqual(Object.keys(item).toSorted(), members);
    };

    const credentials: object[] = await value(`account_credentials(?, 'read')`, [json.clientId]);
    const members = membersOf<CredentialJson>({
      credential_id: true,
      type: true,
      created_at: true,
      secret_hash: true,
      hint: true,
      kid: true,
      data: true,
      name: true,
      description: true,
      state: true,
      expires_at: true,
      lifetime: true,
      expires_by_policy: true,
      extend: true,
      permissions: true,
      trust: true,
      rotated_from: true,
      successor: true,
      revision: true,
      status: true,
      audience: true,
    });
    assertMembers(credentials, members, 4);
    const trusted = credentials.flatMap((one) => ('trust' in one && one.trust !== null ? [one.trust] : []));
    const trust = membersOf<IssuerTrustJson>({
      company_id: true,
      issuer: true,
      audience: true,
      keys: true,
      algorithms: true,
      max_token_age: true,
      replay: true,
    });
    assertMembers(trusted as object[], trust, 1);
    const audiences = credentials.flatMap((one) => ('audience' in one && one.audience !== null ? [one.audience] : []));
    assertMembers(audiences as object[], membersOf<Omit<AudienceJson, 'sender_constraint'>>(AUDIENCE), 1);

    const rights = await value(`rights_of_account(?, 'read', 'default')`, [json.clientId]);
    const parts = membersOf<SnapshotRow['rights']>({ grants: true, groups: true, roles: true, audiences: true });
    assert.deepEqual(Object.keys(rights).toSorted(), parts);
    const grant = membersOf<GrantJson>({
      kind: true,
      name: true,
      place: true,
      resource_server: true,
      qualified: true,
      role_key: true,
      group_id: true,
    });
    assertMembers(rights.grants, grant, 3);
    assertMembers(rights.roles, membersOf<RoleJson>({ role_key: true, role_id: true, permissions: true }), 1);
    const permission = membersOf<RoleJson['permissions'][number]>({
      permission: true,
      resource_server: true,
      qualified: true,
    });
    assertMembers(rights.roles[0].permissions, permission, 1);
    // Only here does it matter which proofs of possession tokens need.
    assertMembers(rights.audiences, membersOf<AudienceJson>({ ...AUDIENCE, sender_constraint: true }), 3);

    const { rows: candidates } = await app.knex.raw(
      `select * from candidate_resource_servers('read', array['x'], array[]::text[])`,
    );
    assertMembers(
      candidates,
      [...membersOf<Omit<AudienceJson, 'sender_constraint'>>(AUDIENCE), 'anything', 'declared'].toSorted(),
      3,
    );
  });
});

describe('the functions of the database', () => {
  test('are created again only when their text has changed', async () => {
    const database = await postgres18.create();
    const { knex, close } = await startTestApp(database);
    const names = readdirSync(FOLDER).map((file) => file.replace('.sql', ''));
    const made = async (): Promise<Map<string, string>> => {
      const { rows } = await knex.raw(
        `select proname as name, oid::text || ':' || xmin::text as version from pg_proc
         where pronamespace = current_schema()::regnamespace
         union all select relname, oid::text || ':' || xmin::text from pg_class where relkind = 'v'
           and relnamespace = current_schema()::regnamespace`,
      );
      return new Map(rows.map((row: { name: string; version: string }) => [row.name, row.version]));
    };
    const before = await made();
    assert.deepEqual([...before.keys()].toSorted(), names.toSorted());
    await migrate(knex);
    assert.deepEqual(await made(), before);
    // Another release has left another text behind.
    await knex('made_functions').where({ name: 'newest_requests' }).update({ digest: 'of another release' });
    await knex.raw(`create or replace function newest_requests(arrays jsonb) returns jsonb language sql immutable
      as $$ select '"other"'::jsonb $$`);
    await migrate(knex);
    const after = await made();
    assert.deepEqual([...after.keys()].toSorted(), names.toSorted());
    for (const name of names) assert.equal(after.get(name) === before.get(name), name !== 'newest_requests', name);
    const { rows } = await knex.raw(`select newest_requests('[[1]]') as value`);
    assert.deepEqual(rows[0].value, [1]);
    await close();
    await database.drop();
  });

  test('name their callers in a comment, and stand in a file of their own name', () => {
    for (const file of readdirSync(FOLDER)) {
      const text = readFileSync(join(FOLDER, file), 'utf8');
      const [head = '', sql = ''] = text.split(/^(?=create )/m);
      assert.match(head, /(?:read|called) by\s+(?:-- )?[a-z_/.-]+/, file);
      assert.match(sql, new RegExp(`^create or replace (?:function|view) ${file.replace('.sql', '')}\\b`), file);
    }
  });

  test('G-11 let a node start on a database of a later release, unless one of its migrations is breaking', async () => {
    const database = await postgres18.create();
    const later = await startTestApp(database);
    await later
      .knex('knex_migrations')
      .insert({ name: '20991231000000-of-later.ts', batch: 99, migration_time: new Date() });
    const earlier = await startTestApp(database);
    const { status } = await earlier.api('GET', '/api/self');
    assert.equal(status, 200);
    await earlier.close();
    const made = await later.knex('made_functions').select();
    await later.knex('made_functions').where({ name: 'newest_requests' }).update({ digest: 'of later' });
    await later
      .knex('knex_migrations')
      .insert({ name: '20991231000001-columns-gone.breaking.ts', batch: 99, migration_time: new Date() });
    await assert.rejects(startTestApp(database), {
      name: 'UnsuitableDatabaseError',
      message: /later release .* this release cannot use it \(20991231000001-columns-gone\.breaking\.ts\)/,
    });
    // The refused start has changed nothing.
    assert.equal((await later.knex('made_functions').where({ digest: 'of later' })).length, 1);
    assert.equal((await later.knex('made_functions').select()).length, made.length);
    await later.close();
    await database.drop();
  });
});
