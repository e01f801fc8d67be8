import type { FieldProblem, ReachedLimit } from '../domain/domain-error.ts';
import type { HttpContext } from './context.ts';

/** The closed list of codes of problem documents, with the title of each code. */
const TITLES = {
  invalid_body: 'The body of the request is wrong',
  invalid_query: 'The query of the request is wrong',
  unauthorized: 'The caller is not authenticated',
  insufficient_scope: 'The access token does not carry the permission that the request needs',
  forbidden: 'The caller may not do this',
  not_found: 'There is nothing here',
  already_exists: 'The resource exists already',
  in_use: 'The resource is in use',
  credential_in_use: 'The credential has been used recently',
  already_rotated: 'The credential has a successor already',
  ambiguous_permission: 'Two resource servers declare this permission',
  not_empty: 'The resource is not empty',
  precondition_failed: 'If-Match does not name the present revision',
  audience_required: 'The audience must be given',
  last_root: 'The last root account must stay',
  token_too_large: 'The access token would be too large',
  limit_reached: 'A limit is reached',
  rule_unsafe: 'The rule would let in strangers',
  method_not_allowed: 'The resource does not have this method',
  too_large: 'The request is too large',
  unsupported_media_type: 'The content type is not accepted here',
  too_many_requests: 'There have been too many requests',
  temporarily_unavailable: 'Try again in a moment',
  internal: 'Something went wrong here',
} as const;

export type ProblemCode = keyof typeof TITLES;

export const PROBLEM_CODES: readonly string[] = Object.keys(TITLES);

/** The contents of a problem document. */
export interface Problem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  /** The missing permission, for `insufficient_scope`. */
  readonly required?: string;
  /** The built-in roles that have the missing permission, for `insufficient_scope`. */
  readonly builtInRoles?: readonly string[] | undefined;
  /** The limit of the company that is reached, for `limit_reached`. */
  readonly limit?: ReachedLimit | undefined;
}

/** Makes a problem document (RFC 9457). Mia's clients read the member `message`. */
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
