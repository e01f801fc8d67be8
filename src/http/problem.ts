import type { FieldProblem, ReachedLimit } from '../domain/domain-error.ts';
import type { HttpContext } from './context.ts';

/** The closed list of codes in a problem document, with the title of each. */
const TITLES = {
  invalid_body: 'The body of the request is wrong',
  invalid_query: 'The query of the request is wrong',
  unauthorized: 'The caller is not authenticated',
  insufficient_scope: 'The access token does not carry the permission that this takes',
  forbidden: 'The caller may not do this',
  not_found: 'There is nothing here',
  already_exists: 'It exists already',
  in_use: 'It is in use',
  credential_in_use: 'It has been used not long ago',
  already_rotated: 'It has a successor already',
  ambiguous_permission: 'Two resource servers declare this permission',
  not_empty: 'There is something in it',
  precondition_failed: 'If-Match does not name it as it is now',
  audience_required: 'The audience must be given',
  last_root: 'The last root account must stay',
  token_too_large: 'The access token would be too large',
  limit_reached: 'There are as many as there may be',
  method_not_allowed: 'The method is not one of this resource',
  too_large: 'The request is too large',
  unsupported_media_type: 'The content type is not one that is read here',
  too_many_requests: 'There have been too many of these',
  temporarily_unavailable: 'Try again in a moment',
  internal: 'Something went wrong here',
} as const;

export type ProblemCode = keyof typeof TITLES;

export const PROBLEM_CODES: readonly string[] = Object.keys(TITLES);

/** What a problem document says beside its code. */
export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  /** The permission that was missing, for `insufficient_scope`. */
  readonly required?: string;
  /** The built-in roles that have it, for `insufficient_scope`. */
  readonly builtInRoles?: readonly string[] | undefined;
  /** The limit of the company that is reached, for `limit_reached`. */
  readonly limit?: ReachedLimit | undefined;
}

/** A problem document (RFC 9457), with `message` as Mia's clients read it. */
export function problemDocument(
  { status, code, detail, errors, required, builtInRoles, limit }: Problem,
  requestId: string,
): object {
  return {
    type: 'about:blank',
    title: TITLES[code],
    status,
    detail,
    code,
    requestId,
    message: detail,
    ...(errors !== undefined && errors.length > 0 && { errors }),
    ...(required !== undefined && { required }),
    ...(builtInRoles !== undefined && { builtInRoles }),
    ...(limit !== undefined && { limit }),
  };
}

/** Answers with a problem document. */
export function sendProblem(ctx: HttpContext, problem: Problem): void {
  ctx.status = problem.status;
  ctx.body = problemDocument(problem, ctx.state.requestId);
  ctx.type = 'application/problem+json';
}
