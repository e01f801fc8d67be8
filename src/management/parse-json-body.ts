import type { IncomingMessage } from 'node:http';
import { hasDuplicateMembers } from '../domain/assertions/has-duplicate-members.ts';
import { DEEPEST_JSON, isNestedDeeper } from '../domain/is-nested-deeper.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { ProblemError, withFirst } from './problems.ts';
import type { SchemaValidator } from './schema-validator.ts';

/** The most bytes that a body may have. */
export const BODY_LIMIT = 256 * 1024;
const JSON_TYPE = 'application/json';
const MERGE_PATCH = 'application/merge-patch+json';

/**
 * Parses and checks the JSON body of a call.
 *
 * @throws ProblemError with pointers to the errors: 400 when the body is not JSON or has unknown, missing or mistyped
 *   members, 415 when the body has another media type, 422 when only values are refused
 */
export function parseJsonBody(
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  bytes: Buffer,
  validate: SchemaValidator,
): unknown {
  // RFC 7396 defines a media type of its own for the merge patch of a PATCH.
  const type = mediaTypeOf(request.headers['content-type']);
  if (type !== JSON_TYPE && !(type === MERGE_PATCH && request.method === 'PATCH')) {
    throw new ProblemError({
      status: 415,
      code: 'unsupported_media_type',
      detail: 'The body must be application/json in UTF-8',
    });
  }
  const body = parse(bytes);
  const mismatch = validate(body);
  if (mismatch !== undefined) {
    throw new ProblemError({
      status: mismatch.shape ? 400 : 422,
      code: 'invalid_body',
      detail: withFirst(
        mismatch.shape ? 'The body does not have the expected form' : 'The body has values that are refused',
        mismatch.fields,
      ),
      errors: mismatch.fields,
    });
  }
  return body;
}

function parse(bytes: Buffer): unknown {
  const text = decode(bytes);
  if (isNestedDeeper(text, DEEPEST_JSON)) throw wrong(`The body is nested deeper than ${DEEPEST_JSON} levels`);
  const body = parsed(text);
  if (!hasDuplicateMembers(text)) return body;
  throw wrong('The body has an object with two members of one name');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(NO_JSON);
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong(NO_JSON);
  }
}

const NO_JSON = 'The body is not JSON in UTF-8';

function wrong(detail: string): ProblemError {
  return new ProblemError({ status: 400, code: 'invalid_body', detail });
}
