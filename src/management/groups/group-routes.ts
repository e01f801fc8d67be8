import type { FromSchema } from 'json-schema-to-ts';
import type { GroupSnapshot } from '../../domain/groups/group.ts';
import type { GroupChanges, Groups } from '../../domain/groups/groups.ts';
import type { CompanyId } from '../../domain/ids.ts';
import { SEARCH } from '../common-schema.ts';
import { everyPage } from '../every-page.ts';
import { MIA_GROUP, presentGroupToMiactl } from '../mia/mia-groups.ts';
import { rolesAt } from '../mia/mia-roles.ts';
import { AT_PLACE, atPlace, type AtPlace, ONE_GRANT_OPERATIONS } from '../one-grant.ts';
import { type Answer, type Call, defineRoute, type Route } from '../route.ts';
import {
  CHANGED_GROUP,
  type ChangedGroupBody,
  GROUP,
  GROUP_MEMBERS,
  JOINING_MEMBERS,
  type JoiningMembersBody,
  LEAVING_MEMBERS,
  type LeavingMembersBody,
  NEW_GROUP,
  type NewGroupBody,
} from './group-schema.ts';
import { presentGroup } from './present-group.ts';

const PATH = '/api/companies/{companyId}/groups';
const ONE = `${PATH}/{groupId}`;
const MEMBERS = `${ONE}/members`;
const tag = 'Groups of a company';

const FILTER = {
  type: 'object',
  properties: { search: { ...SEARCH, description: 'A prefix of the name or the id' } },
  additionalProperties: false,
} as const;

const AMBIGUOUS = 'Two resource servers declare a permission (`ambiguous_permission`)';

/** The operations on the groups of a company. */
export function groupRoutes(groups: Groups): Route[] {
  const change = async (
    { caller, company, expected, param }: Call<unknown, unknown>,
    changes: GroupChanges,
  ): Promise<GroupSnapshot> => groups.change(caller, named(company), param('groupId'), expected, changes);

  return [
    defineRoute<NewGroupBody>({
      method: 'POST',
      path: PATH,
      operationId: 'createGroup',
      summary: 'Create a group',
      tag,
      permission: 'writ.roles.bind',
      body: NEW_GROUP,
      revisioned: true,
      replies: { 201: { description: 'The group', schema: GROUP } },
      refusals: { 409: `The id is taken (\`already_exists\`). ${AMBIGUOUS}` },
      async handle({ caller, company, body }) {
        const { groupId, name, role, roles = [], permissions = [], members = [] } = body;
        const made = await groups.create(caller, named(company), {
          groupId,
          name,
          permissions,
          members,
          roles: role === undefined || role === '' ? roles : [...roles, role],
        });
        return { ...presented(made, 201), created: made.group.groupId };
      },
    }),
    defineRoute<undefined, FromSchema<typeof FILTER>>({
      method: 'GET',
      path: PATH,
      operationId: 'listGroups',
      summary: 'List the groups, newest first',
      tag,
      permission: 'writ.serviceaccounts.view',
      query: FILTER,
      list: true,
      replies: {
        200: {
          description:
            'The groups. Only miactl, which names itself in `User-Agent` or `Client-key`, gets all groups in one answer, with their members as objects',
          schema: { type: 'array', items: { anyOf: [GROUP, MIA_GROUP] } },
        },
      },
      async handle({ company, query, page, fromMiactl }) {
        if (fromMiactl) {
          const all = await everyPage((one) => groups.list(named(company), query, one));
          const names = await groups.memberNames(named(company), all);
          return { status: 200, body: all.map((group) => presentGroupToMiactl(group, names)) };
        }
        const { items, next } = await groups.list(named(company), query, page);
        return { status: 200, body: items.map(presentGroup), next };
      },
    }),
    defineRoute({
      method: 'GET',
      path: ONE,
      operationId: 'getGroup',
      summary: 'Read a group',
      tag,
      permission: 'writ.serviceaccounts.view',
      revisioned: true,
      replies: { 200: { description: 'The group', schema: GROUP } },
      handle: async ({ company, param }) => presented(await groups.get(named(company), param('groupId')), 200),
    }),
    defineRoute<ChangedGroupBody>({
      method: 'PATCH',
      path: ONE,
      operationId: 'changeGroup',
      summary: 'Change a group for all its members',
      tag,
      permission: ['writ.roles.bind'],
      body: CHANGED_GROUP,
      conditional: true,
      revisioned: true,
      replies: { 200: { description: 'The changed group', schema: GROUP } },
      refusals: { 409: AMBIGUOUS },
      async handle(call) {
        const { role, projectsRole, ...changes } = call.body;
        const roles = rolesAt({ role, projectsRole, roles: changes.roles });
        return presented(await change(call, { ...changes, rolesAt: roles }), 200);
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: ONE,
      operationId: 'removeGroup',
      summary: 'Delete a group: its members stay, but lose everything that the group gave them',
      tag,
      permission: 'writ.roles.bind',
      conditional: true,
      replies: { 204: { description: 'The group has been deleted' } },
      async handle({ caller, company, expected, param }) {
        await groups.delete(caller, named(company), param('groupId'), expected);
        return { status: 204 };
      },
    }),
    ...grantRoutes(change),
    ...memberRoutes(groups, change),
  ];
}

type ChangeGroup = (call: Call<unknown, unknown>, changes: GroupChanges) => Promise<GroupSnapshot>;

/** The operations that add or remove one permission or one role of a group. */
function grantRoutes(change: ChangeGroup): Route[] {
  return ONE_GRANT_OPERATIONS.map(({ method, what, verb, summary, changes }) =>
    defineRoute<undefined, AtPlace>({
      method,
      path: `${ONE}/${what}s/{${what}}`,
      operationId: `${verb}Group${what === 'role' ? 'Role' : 'Permission'}`,
      summary: `${summary} a group`,
      tag,
      permission: ['writ.roles.bind'],
      query: AT_PLACE,
      conditional: true,
      replies: { 204: { description: 'The change has been made' } },
      refusals: { 409: AMBIGUOUS, 422: `The ${what} cannot be granted` },
      async handle(call) {
        await change(call, changes(atPlace(call.param(what), call.query)));
        return { status: 204 };
      },
    }),
  );
}

function memberRoutes(groups: Groups, change: ChangeGroup): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: MEMBERS,
      operationId: 'listGroupMembers',
      summary: 'List the members of a group',
      tag,
      permission: 'writ.serviceaccounts.view',
      replies: { 200: { description: 'The members', schema: GROUP_MEMBERS } },
      async handle({ company, param }) {
        const { members } = await groups.get(named(company), param('groupId'));
        return { status: 200, body: members.map((clientId) => ({ clientId })) };
      },
    }),
    defineRoute<JoiningMembersBody>({
      method: 'POST',
      path: MEMBERS,
      operationId: 'addGroupMembers',
      summary: 'Add service accounts to a group',
      tag,
      permission: 'writ.roles.bind',
      body: JOINING_MEMBERS,
      replies: { 200: { description: 'The changed group', schema: GROUP } },
      async handle(call) {
        const { members = [], emails = [] } = call.body;
        return { status: 200, body: presentGroup(await change(call, { addMembers: [...members, ...emails] })) };
      },
    }),
    defineRoute<LeavingMembersBody>({
      method: 'DELETE',
      path: MEMBERS,
      operationId: 'removeGroupMembers',
      summary: 'Remove service accounts from a group',
      tag,
      permission: 'writ.roles.bind',
      body: LEAVING_MEMBERS,
      replies: { 200: { description: 'The changed group', schema: GROUP } },
      handle: async (call) => ({
        status: 200,
        body: presentGroup(await change(call, { removeMembers: call.body.memberIds })),
      }),
    }),
    defineRoute({
      method: 'PUT',
      path: `${MEMBERS}/{clientId}`,
      operationId: 'addGroupMember',
      summary: 'Add one service account to a group',
      tag,
      permission: 'writ.roles.bind',
      replies: { 204: { description: 'The account is a member of the group' } },
      refusals: { 422: 'The company has no such service account' },
      async handle(call) {
        await change(call, { addMembers: [call.param('clientId')] });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: `${MEMBERS}/{clientId}`,
      operationId: 'removeGroupMember',
      summary: 'Remove one service account from a group',
      tag,
      permission: 'writ.roles.bind',
      replies: { 204: { description: 'The account is not a member of the group' } },
      async handle(call) {
        await change(call, { removeMember: call.param('clientId') });
        return { status: 204 };
      },
    }),
  ];
}

/** The company that the path names; every path in this file names one. */
function named(company: CompanyId | undefined): CompanyId {
  if (company === undefined) throw new Error('the path names no company');
  return company;
}

function presented(snapshot: GroupSnapshot, status: number): Answer {
  return { status, body: presentGroup(snapshot), revision: snapshot.group.revision };
}
