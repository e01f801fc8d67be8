import type { SenderConstraint } from '../domain/possession/sender-constraint.ts';
import type { CompanyId, ResourceServerId } from '../domain/ids.ts';
import {
  type Audience,
  type BuiltInIdentifiers,
  isBuiltInServer,
  type TokenType,
} from '../domain/resource-servers/resource-server.ts';
import type { SigningAlg } from '../domain/signing-keys/signing-key.ts';

/** A resource server in the JSON that {@link AUDIENCES_AS_JSON} writes. */
export interface AudienceJson {
  resource_server_id: ResourceServerId;
  company_id: CompanyId | null;
  identifier: string | null;
  token_ttl: number | null;
  signing_alg: SigningAlg | null;
  token_type: TokenType;
  /** Absent where it does not matter: a row that issues no token. */
  sender_constraint?: SenderConstraint;
}

/** The columns of a resource server that matter to its tokens. */
export const AUDIENCE_COLUMNS = [
  'resource_server_id',
  'company_id',
  'identifier',
  'token_ttl',
  'signing_alg',
  'token_type',
  'sender_constraint',
];

/** SQL for the resource servers in scope as a JSON array, with {@link AUDIENCE_COLUMNS}; a part of other statements. */
export const AUDIENCES_AS_JSON = `coalesce(jsonb_agg(jsonb_build_object(${AUDIENCE_COLUMNS.map(
  (column) => `'${column}', resource_servers.${column}`,
).join(', ')})), '[]')`;

/** The identifier of a resource server. The identifiers of the built-in resource servers are settings. */
export function identifierIn(
  { resource_server_id: id, identifier }: Pick<AudienceJson, 'resource_server_id' | 'identifier'>,
  builtIn: BuiltInIdentifiers,
): string {
  return identifier ?? (isBuiltInServer(id) ? builtIn[id] : id);
}

/** Makes a resource server from its row. The identifiers of the built-in resource servers are settings. */
export function audienceFromJson(row: AudienceJson, builtIn: BuiltInIdentifiers): Audience {
  const { resource_server_id: resourceServerId } = row;
  return {
    resourceServerId,
    company: row.company_id ?? undefined,
    identifier: identifierIn(row, builtIn),
    tokenTtl: row.token_ttl ?? undefined,
    signingAlg: row.signing_alg ?? undefined,
    tokenType: row.token_type,
    senderConstraint: row.sender_constraint ?? 'none',
  };
}
