/** The codes of refusals. The list is closed: the compiler makes every face present every code. */
export type DomainErrorCode =
  | 'invalid_value'
  | 'forbidden'
  | 'insufficient_scope'
  | 'not_found'
  | 'already_exists'
  | 'not_empty'
  | 'in_use'
  | 'already_rotated'
  | 'credential_in_use'
  | 'ambiguous_permission'
  | 'precondition_failed'
  | 'audience_required'
  | 'last_root'
  | 'token_too_large'
  | 'limit_reached'
  | 'rule_unsafe'
  | 'unavailable';

/** A wrong field of a request; `pointer` is a JSON pointer (RFC 6901) into the body. */
export interface FieldProblem {
  readonly pointer: string;
  readonly message: string;
}

/** A limit of a company that is reached: its name, its value, and the number of things that there are. */
export interface ReachedLimit {
  readonly name: string;
  readonly most: number;
  readonly used: number;
}

/** A refusal by a rule of the product. `message` may be shown to the caller. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: DomainErrorCode;
  readonly fields: readonly FieldProblem[];
  /** For `already_exists`: the id of the existing resource. For `already_rotated`: the id of the successor. */
  readonly existing: string | undefined;
  /** For `insufficient_scope`: the missing permission. */
  readonly required: string | undefined;
  /** For `insufficient_scope`: the built-in roles that have the missing permission. */
  readonly builtInRoles: readonly string[] | undefined;
  /** For `limit_reached`: the limit of a company that is reached; undefined: it is no limit of a company. */
  readonly limit: ReachedLimit | undefined;

  constructor(
    code: DomainErrorCode,
    message: string,
    options: {
      fields?: readonly FieldProblem[];
      existing?: string | undefined;
      required?: string;
      builtInRoles?: readonly string[];
      limit?: ReachedLimit;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.existing = options.existing;
    this.required = options.required;
    this.builtInRoles = options.builtInRoles;
    this.limit = options.limit;
  }
}
