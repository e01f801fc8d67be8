import type { JSONSchema } from 'json-schema-to-ts';
import type { CompanyId } from '../domain/ids.ts';
import type { PageRequest, Position } from '../domain/page.ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import type { ExpectedRevisions } from '../domain/revision.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';
import type { PublicDocument } from '../http/public-document.ts';

/** A request as a handler gets it: everything in it has been checked. */
export interface Call<Body, Query> {
  readonly caller: Caller;
  /** The time of the call: durations in the call count from it. */
  readonly now: Date;
  /** The company that the path names: it exists, and the caller may see it. Undefined: the path names no company. */
  readonly company: CompanyId | undefined;
  readonly body: Body;
  readonly query: Query;
  /** The part of a list that the caller asks for. */
  readonly page: PageRequest;
  /** Whether miactl has sent the call: miactl reads some lists in a form of its own. */
  readonly fromMiactl: boolean;
  /** The revisions that `If-Match` names. */
  readonly expected: ExpectedRevisions;
  /** Reads a parameter of the path. */
  param(name: string): string;
}

/** The answer of a handler. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** The id of the resource that the call created; the answer gets a `Location` for it. */
  readonly created?: string;
  /** Becomes the `ETag`. */
  readonly revision?: number;
  /** The last position of this page, if the list has more; becomes a `Link` to the next page. */
  readonly next?: Position | undefined;
}

/** The successful answers of an operation, by status; `type`: the media type, where it is not JSON. */
export type Replies = Readonly<
  Record<number, { readonly description: string; readonly schema?: JSONSchema; readonly type?: string }>
>;

/** The members that all operations have. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path, with parameters in braces as OpenAPI writes them. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly replies: Replies;
  /** The refusals of this operation alone, by status. The OpenAPI document adds those that all such operations have. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** An operation that takes an access token. */
export interface GuardedRoute<Body = never, Query = never> extends Operation {
  /**
   * The permission that the caller must hold; `none`: every account may call the operation. Several permissions: the
   * caller must hold one of them at any place, and the handler checks the permission that the request takes.
   */
  readonly permission: ManagementPermission | readonly ManagementPermission[] | 'none';
  /** Whether accounts of companies may call the operation although its path names no company. */
  readonly forCompanies?: true;
  readonly body?: JSONSchema;
  /** A body for the OpenAPI document, where the first example of the schema does not fit this operation. */
  readonly example?: object;
  /** Whether the caller may leave out the body: the operation then takes an empty object. */
  readonly bodyOptional?: true;
  /** Whether the path names a member of a collection, and `Location` leads to another member of that collection. */
  readonly aboutMember?: true;
  /** Whether the created resource belongs to another collection than the path names: the answer has no `Location`. */
  readonly elsewhere?: true;
  /** The schema of the query parameters; a list has further parameters. */
  readonly query?: { readonly properties: Readonly<Record<string, JSONSchema>> };
  /** Whether the operation ignores unknown query parameters. */
  readonly lenient?: true;
  /** Whether the operation answers a list, a page at a time. */
  readonly list?: true;
  /** Whether the operation changes a resource that has an `ETag`, and honours `If-Match`. */
  readonly conditional?: true;
  /** Whether the answer has an `ETag`. */
  readonly revisioned?: true;
  handle(call: Call<Body, Query>): Promise<Answer>;
}

/** An operation that anyone may call, and that answers the same document to every caller. */
export interface PublicRoute extends Operation {
  readonly permission: 'public';
  readonly document: () => PublicDocument;
}

/** One operation of the management API: this data drives its routing, access checks, validation and documentation. */
export type Route = GuardedRoute | PublicRoute;

/** Declares an operation; `Body` and `Query` are the types that its schemas describe. */
export function defineRoute<Body = undefined, Query = object>(route: GuardedRoute<Body, Query>): Route {
  return route;
}
