import type { JSONSchema } from 'json-schema-to-ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';

/** What an endpoint gets to work with; everything in it has been checked. */
export interface Call<Body> {
  readonly caller: Caller;
  readonly body: Body;
  /** Reads a parameter of the path; it is always there. */
  param(name: string): string;
}

/** What an endpoint answers. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** The id of what was made; `Location` becomes the path of the call with this below it. */
  readonly created?: string;
}

/** What an operation may answer, by status. */
export type Replies = Readonly<Record<number, { readonly description: string; readonly schema?: JSONSchema }>>;

interface Operation {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly replies: Replies;
}

/** An operation that takes an access token with a permission. */
export interface GuardedRoute<Body = never> extends Operation {
  readonly permission: ManagementPermission;
  readonly body?: JSONSchema;
  handle(call: Call<Body>): Promise<Answer>;
}

/** An operation that anyone may call. */
export interface PublicRoute extends Operation {
  readonly permission: 'public';
  handle(): Promise<Answer>;
}

/** One operation of the management API, as data: it is routed, guarded, validated and documented from this. */
export type Route = GuardedRoute | PublicRoute;

/** Declares an operation; `Body` is the type that its `body` schema describes. */
export function defineRoute<Body = undefined>(route: GuardedRoute<Body>): Route {
  return route;
}
