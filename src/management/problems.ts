import { DomainError, type DomainErrorCode, type FieldProblem } from '../domain/domain-error.ts';
import { BodyTooLargeError, ClientGoneError } from '../http/read-body.ts';
import { LineTooLongError } from '../pacing/take-turns.ts';
import type { Problem, ProblemCode } from '../http/problem.ts';

const DOMAIN: Record<DomainErrorCode, { status: number; code: ProblemCode }> = {
  invalid_value: { status: 422, code: 'invalid_body' },
  not_empty: { status: 409, code: 'not_empty' },
  precondition_failed: { status: 412, code: 'precondition_failed' },
  audience_required: { status: 422, code: 'audience_required' },
  insufficient_scope: { status: 403, code: 'insufficient_scope' },
  already_rotated: { status: 409, code: 'already_rotated' },
  credential_in_use: { status: 409, code: 'credential_in_use' },
  in_use: { status: 409, code: 'in_use' },
  ambiguous_permission: { status: 409, code: 'ambiguous_permission' },
  forbidden: { status: 403, code: 'forbidden' },
  not_found: { status: 404, code: 'not_found' },
  already_exists: { status: 409, code: 'already_exists' },
  last_root: { status: 409, code: 'last_root' },
  token_too_large: { status: 422, code: 'token_too_large' },
  rule_unsafe: { status: 422, code: 'rule_unsafe' },
  limit_reached: { status: 422, code: 'limit_reached' },
  unavailable: { status: 503, code: 'temporarily_unavailable' },
};

/** A refusal by the management API itself, not by the domain. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * Adds the first wrong field to the text of a refusal: some clients show only the text.
 *
 * @param text the general text of the refusal
 */
export function withFirst(text: string, [first, ...others]: readonly FieldProblem[]): string {
  if (first === undefined || text.includes(first.message)) return text;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  // A pointer has names that the client sent, and logs and terminals show this text: replace control characters.
  const pointer = first.pointer.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
  return `${text}: ${`${pointer} ${first.message}`.trim()}${more}`;
}

/** The answer to an error; undefined for an unexpected error. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof DomainError) {
    const { code, message, fields, required, builtInRoles, limit } = error;
    const detail = code === 'invalid_value' ? withFirst(message, fields) : message;
    return {
      ...DOMAIN[code],
      detail,
      errors: fields,
      ...(required !== undefined && { required, builtInRoles }),
      limit,
    };
  }
  if (error instanceof LineTooLongError) {
    const detail = 'Too many requests of this company or root account wait already: send fewer at a time';
    return { status: 429, code: 'too_many_requests', detail };
  }
  if (error instanceof ClientGoneError) return { status: 400, code: 'invalid_body', detail: 'The body is not whole' };
  if (error instanceof BodyTooLargeError) return { status: 413, code: 'too_large', detail: 'The body is too large' };
  return undefined;
}
