import type { JSONSchema } from 'json-schema-to-ts';
import type { CompanyId } from '../domain/ids.ts';
import type { PageRequest, Position } from '../domain/page.ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import type { ExpectedRevisions } from '../domain/revision.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';
import type { PublicDocument } from '../http/public-document.ts';

/** What an endpoint gets to work with; everything in it has been checked. */
export interface Call<Body, Query> {
  readonly caller: Caller;
  /** When it is answered: durations in it count from then. */
  readonly now: Date;
  /** The company that the path names: it exists, and the caller may see it. Undefined where the path names none. */
  readonly company: CompanyId | undefined;
  readonly body: Body;
  readonly query: Query;
  /** Which part of a list is wanted. */
  readonly page: PageRequest;
  /** Whether miactl has sent it, which reads some lists in a form of its own. */
  readonly fromMiactl: boolean;
  /** What `If-Match` names. */
  readonly expected: ExpectedRevisions;
  /** Reads a parameter of the path; it is always there. */
  param(name: string): string;
}

/** What an endpoint answers. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** The id of what was made; `Location` leads from the path of the call to it. */
  readonly created?: string;
  /** Becomes the `ETag`. */
  readonly revision?: number;
  /** Where a list goes on; becomes a `Link`. */
  readonly next?: Position | undefined;
}

/** What an operation may answer, by status. */
export type Replies = Readonly<Record<number, { readonly description: string; readonly schema?: JSONSchema }>>;

/** The members that every operation has. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly replies: Replies;
  /** Refusals of its own, by status, beside those that its other members lead to. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** An operation that takes an access token. */
export interface GuardedRoute<Body = never, Query = never> extends Operation {
  /**
   * What the caller must hold; `none`: every account may call it. Where there are several, who holds one of them at any
   * place is let in, and what is asked for decides which of them it takes.
   */
  readonly permission: ManagementPermission | readonly ManagementPermission[] | 'none';
  /** Whether accounts of companies may call it although its path names none. */
  readonly forCompanies?: true;
  readonly body?: JSONSchema;
  /** A body that it takes, where the first example of the schema is none. */
  readonly example?: object;
  /** Whether nothing may be sent instead of an empty object. */
  readonly bodyOptional?: true;
  /** Whether it is about one member of a collection, to whose others `Location` leads. */
  readonly aboutMember?: true;
  /** Whether what it makes stands elsewhere, so that no `Location` leads to it. */
  readonly elsewhere?: true;
  /** An object schema of the parameters that it knows, beside those of a list. */
  readonly query?: { readonly properties: Readonly<Record<string, JSONSchema>> };
  /** Whether parameters of the query that it does not know do not matter. */
  readonly lenient?: true;
  /** Answers a list, a page at a time. */
  readonly list?: true;
  /** Whether it changes one thing that has an `ETag`, so that `If-Match` is honoured. */
  readonly conditional?: true;
  /** Whether it answers a thing that has an `ETag`. */
  readonly revisioned?: true;
  handle(call: Call<Body, Query>): Promise<Answer>;
}

/** An operation that anyone may call, and that answers the same document to everyone. */
export interface PublicRoute extends Operation {
  readonly permission: 'public';
  readonly document: PublicDocument;
}

/** One operation of the management API, as data: it is routed, guarded, validated and documented from this. */
export type Route = GuardedRoute | PublicRoute;

/** Declares an operation; `Body` and `Query` are the types that its schemas describe. */
export function defineRoute<Body = undefined, Query = object>(route: GuardedRoute<Body, Query>): Route {
  return route;
}
