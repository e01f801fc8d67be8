import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, makeCompany } from '../support/companies.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { goInt64, goSlice, goString, goStruct, goTime, type GoType } from '../support/go-json.ts';
import { useTestApp } from '../support/test-app.ts';

// The types into which miactl reads answers.
const ROLES = goSlice(goString);
const SERVICE_ACCOUNT = goStruct({
  clientId: goString,
  clientSecret: goString,
  clientIdIssuedAt: goInt64,
  company: goString,
});
const SERVICE_ACCOUNTS = goSlice(
  goStruct({ clientId: goString, name: goString, authMethod: goString, companyRoles: ROLES, lastLogin: goTime }),
);
const NAMED_GROUP = goStruct({ _id: goString, name: goString, role: goString, roleId: goString });
const USER = goStruct({
  userId: goString,
  email: goString,
  fullname: goString,
  name: goString,
  companyRoles: ROLES,
  lastLogin: goTime,
  groups: goSlice(NAMED_GROUP),
});
const GROUPS = goSlice(
  goStruct({ _id: goString, name: goString, role: goString, roleId: goString, members: goSlice(USER) }),
);
const IDENTITIES = goSlice(
  goStruct({
    identityId: goString,
    name: goString,
    identityType: goString,
    companyRoles: ROLES,
    projects: goSlice(
      goStruct({
        _id: goString,
        roles: ROLES,
        environments: goSlice(goStruct({ envId: goString, roles: ROLES })),
      }),
    ),
  }),
);
const COMPANIES = goSlice(
  goStruct({
    _id: goString,
    name: goString,
    tenantId: goString,
    pipelines: goStruct({ type: goString }),
    repository: goStruct({ type: goString }),
  }),
);

const CONTENT = { Accept: 'application/json', 'Content-Type': 'application/json' };
/** The headers of the versions of miactl. */
const MIACTL: readonly Record<string, string>[] = [
  { ...CONTENT, 'User-Agent': 'Go-http-client/1.1', 'Client-key': 'miactl' },
  { ...CONTENT, 'User-Agent': 'Go-http-client/2.0' },
  { ...CONTENT, 'User-Agent': 'Go-http-client/1.1' },
  { ...CONTENT, 'User-Agent': 'miactl/v0.20.0 (linux/amd64)' },
  { ...CONTENT, 'User-Agent': 'miactl (darwin/arm64)' },
];

/** The headers of other clients, which get groups in the form of the management API. */
const OTHERS: readonly Record<string, string>[] = [
  {},
  { ...CONTENT, 'User-Agent': 'curl/8.5.0' },
  { ...CONTENT, 'User-Agent': 'python-requests/2.32.3' },
  { ...CONTENT, 'User-Agent': 'node' },
  { 'User-Agent': 'Go-http-client/1.1' },
  { Accept: 'application/json', 'User-Agent': 'Go-http-client/1.1' },
  { 'Content-Type': 'application/json', 'User-Agent': 'Go-http-client/1.1' },
  { ...CONTENT, 'User-Agent': 'OpenAPI-Generator/1.0.0/go' },
  { ...CONTENT, 'User-Agent': 'miactlike/1' },
  { ...CONTENT, 'User-Agent': 'terraform-provider (like miactl)' },
  { ...CONTENT, 'User-Agent': 'curl/8.5.0', 'Client-key': 'console' },
];

onEachDatabase(
  'miactl',
  (kind) => {
    const app = useTestApp(kind, {}, { activityPause: 50 });
    const company = '/api/companies/a';
    let owner: ApiCaller;
    let members: { clientId: string; name: string; slug: string }[];
    before(async () => {
      await makeCompany(app, 'a');
      const { json } = await app.api('POST', `${company}/service-accounts`, { name: 'Owner', role: 'company-owner' });
      owner = { ...json, bearer: await apiToken(app, json) };
      members = [];
      for (const name of ['Örder import', 'Stock check']) {
        members.push((await app.api('POST', `${company}/service-accounts`, { name, role: 'guest' })).json);
      }
      // This account cannot authenticate.
      await app.api('POST', `${company}/service-accounts`, { name: 'No credential', credentials: [] });
      await app.api('POST', `${company}/groups`, { name: 'Empty' });
      await app.api('POST', `${company}/groups`, {
        name: 'Billing',
        role: 'developer',
        members: members.map(({ clientId }) => clientId),
      });
    });

    const send = (method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply> =>
      app.api(method, path, body, owner.bearer, headers);

    async function read<Value>(type: GoType<Value>, path: string, headers: Record<string, string>): Promise<Value> {
      const { status, json, text } = await send('GET', path, headers);
      assert.equal(status, 200, text);
      return type(json, path);
    }

    test('gets answers that fit its types, in each of its versions', async () => {
      // The owner has got a token: its time of use is recorded a moment later.
      await eventually(20_000, async () => {
        const accounts = await read(SERVICE_ACCOUNTS, `${company}/service-accounts`, CONTENT);
        return accounts.some(({ name, lastLogin }) => name === 'Owner' && lastLogin !== '');
      });
      for (const headers of MIACTL) {
        const groups = await read(GROUPS, `${company}/groups`, headers);
        assert.deepEqual(
          groups.map(({ _id, name, role, roleId, members: its }) => ({
            _id,
            name,
            role,
            roleId,
            members: its.map((member) => member.name).toSorted(),
          })),
          [
            {
              _id: 'billing',
              name: 'Billing',
              role: 'developer',
              roleId: 'developer',
              members: members.map(({ name }) => name).toSorted(),
            },
            { _id: 'empty', name: 'Empty', role: '', roleId: '', members: [] },
          ],
          JSON.stringify(headers),
        );
        for (const { userId, email } of groups[0]?.members ?? []) {
          assert.ok(members.some(({ clientId, slug }) => clientId === userId && slug === email));
        }
        assert.equal((await read(SERVICE_ACCOUNTS, `${company}/service-accounts`, headers)).length, 4);
        assert.deepEqual(await read(goSlice(USER), `${company}/users`, headers), []);
        assert.equal((await read(IDENTITIES, `${company}/identities`, headers)).length, 6);
        assert.equal((await read(COMPANIES, '/api/backend/tenants/', headers))[0]?.tenantId, 'a');
      }
    });

    test('asks for several types and projects, with repeated parameters or with lists', async () => {
      const [one] = members;
      await app.api('PATCH', `${company}/service-accounts/${one?.clientId}`, {
        projectsRole: [
          { projectId: 'shop', role: 'reporter' },
          { projectId: 'till', role: 'developer' },
        ],
      });
      for (const query of [
        'identityType=group&identityType=serviceaccount&projectIds=shop&projectIds=till',
        'identityType=group,serviceaccount&projectIds=shop,till',
      ]) {
        const all = await read(IDENTITIES, `${company}/identities?${query}`, MIACTL[0] ?? {});
        assert.deepEqual([...new Set(all.map(({ identityType }) => identityType))].toSorted(), [
          'group',
          'serviceaccount',
        ]);
        const roles = all.find(({ identityId }) => identityId === one?.clientId)?.projects;
        assert.deepEqual(
          roles?.map(({ _id }) => _id),
          ['shop', 'till'],
          query,
        );
      }
    });

    test('registers and deletes accounts, and creates, changes and deletes groups', async () => {
      for (const headers of MIACTL) {
        const made = await send('POST', `${company}/service-accounts`, headers, {
          name: `Added ${process.hrtime.bigint()}`,
          role: 'guest',
          tokenEndpointAuthMethod: 'client_secret_basic',
        });
        assert.equal(made.status, 201, made.text);
        const account = SERVICE_ACCOUNT(made.json, 'made');
        assert.deepEqual([account.company, account.clientSecret.length > 40], ['a', true]);
        const group = await send('POST', `${company}/groups`, headers, { name: 'Team', role: 'guest', members: [] });
        assert.equal(group.status, 201, group.text);
        const path = `${company}/groups/${group.json._id}`;
        assert.equal((await send('POST', `${path}/members`, headers, { emails: [account.clientId] })).status, 200);
        const [team] = await read(GROUPS, `${company}/groups`, headers);
        assert.deepEqual(
          team?.members.map(({ userId }) => userId),
          [account.clientId],
        );
        const left = await send('DELETE', `${path}/members`, headers, { memberIds: [account.clientId] });
        assert.deepEqual([left.status, left.json.members], [200, []]);
        assert.equal((await send('PATCH', path, headers, { role: 'reporter' })).status, 200);
        assert.equal((await send('DELETE', path, headers)).status, 204);
        assert.equal((await send('DELETE', `${company}/service-accounts/${account.clientId}`, headers)).status, 204);
      }
    });

    test('gets group lists in its own form, and other clients get the form of the management API', async () => {
      const ids = members.map(({ clientId }) => clientId).toSorted();
      const own = async (path: string, headers: Record<string, string>): Promise<void> => {
        const { json, text } = await send('GET', path, headers);
        assert.deepEqual(json[0]?.members, ids, `${JSON.stringify(headers)} ${text}`);
        assert.equal(json[0].roleId, undefined);
      };
      for (const headers of OTHERS) await own(`${company}/groups`, headers);
      for (const query of ['limit=1', 'search=bil']) {
        await own(`${company}/groups?${query}`, { ...CONTENT, 'User-Agent': 'Go-http-client/1.1' });
      }
      // A single group has the same form for all clients.
      for (const headers of MIACTL) {
        assert.deepEqual((await send('GET', `${company}/groups/billing`, headers)).json.members, ids);
      }
    });
  },
  newest,
);
