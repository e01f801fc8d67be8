/** Why the product refuses; a closed list, so that every face must say how it presents each. */
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
  | 'unavailable';

/** One field of a request that is wrong; `pointer` is a JSON pointer (RFC 6901) into its body. */
export interface FieldProblem {
  readonly pointer: string;
  readonly message: string;
}

/** A limit that is reached: its name, how many there may be, and how many there are. */
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
  /** The id of what is in the way, for `already_exists` and `already_rotated`. */
  readonly existing: string | undefined;
  /** The permission that is missing, for `insufficient_scope`. */
  readonly required: string | undefined;
  /** The built-in roles that have it. */
  readonly builtInRoles: readonly string[] | undefined;
  /** The limit of a company that is reached, and how many there are, for `limit_reached`. */
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
