import type { JWK } from 'jose';
import { DomainError, type FieldProblem } from '../domain-error.ts';
import { type IssuerKeys, MOST_KEYS, type TrustedIssuer } from './trusted-issuer.ts';
import { wrongWithVerificationKey } from './verification-key.ts';

/**
 * Checks a trusted issuer.
 *
 * @param own the issuer of this server, which cannot be one: its access tokens would become credentials
 * @throws DomainError `invalid_value` with a pointer for each problem
 */
export function assertTrustedIssuer({ issuer, keys }: Pick<TrustedIssuer, 'issuer' | 'keys'>, own: string): void {
  const problem = (pointer: string, message: string | undefined): FieldProblem[] =>
    message === undefined ? [] : [{ pointer, message }];
  const fields = [
    ...problem('/issuer', wrongWithIssuer(issuer, own)),
    ...(keys.kind === 'uri' ? problem('/jwksUri', wrongWithUri(keys.jwksUri)) : []),
    ...(keys.kind === 'given' ? wrongKeys(keys.jwks.keys) : []),
  ];
  if (fields.length > 0) throw new DomainError('invalid_value', 'The issuer cannot be trusted', { fields });
}

/**
 * Reads where the keys of an issuer are.
 *
 * @throws DomainError `invalid_value` when there are two places
 */
export function issuerKeys(jwks: IssuerKeysGiven['jwks'], jwksUri: string | null | undefined): IssuerKeys {
  if (jwks && jwksUri) {
    throw new DomainError('invalid_value', 'The keys cannot be in two places', {
      fields: [{ pointer: '/jwksUri', message: 'excludes jwks' }],
    });
  }
  if (jwks) return { kind: 'given', jwks };
  return jwksUri ? { kind: 'uri', jwksUri } : { kind: 'discovery' };
}

/** The members of a request that say where the keys of an issuer are; null takes a value away. */
export interface IssuerKeysGiven {
  readonly jwks?: { readonly keys: readonly JWK[] } | null | undefined;
  readonly jwksUri?: string | null | undefined;
}

function wrongWithIssuer(issuer: string, own: string): string | undefined {
  const wrong = wrongWithUri(issuer);
  if (wrong !== undefined) return wrong;
  if (/[?]/.test(issuer)) return 'must have no query (OpenID Connect Discovery §2)';
  // The final slash does not matter here: a client may write our issuer with it.
  return issuer.replace(/\/$/, '') === own.replace(/\/$/, '') ? 'is this server itself' : undefined;
}

function wrongWithUri(text: string): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return 'must be an https URL';
  if (url.username !== '' || url.password !== '') return 'must have no user and no password';
  if (text.includes('#')) return 'must have no fragment';
  // Tokens are compared with this text, so that it must be written as the issuer writes it.
  return url.href === text || url.href === `${text}/` ? undefined : 'must be in its normal form';
}

function wrongKeys(keys: readonly JWK[]): FieldProblem[] {
  if (keys.length === 0) return [{ pointer: '/jwks/keys', message: 'must have a key' }];
  if (keys.length > MOST_KEYS) return [{ pointer: '/jwks/keys', message: `has more than ${MOST_KEYS} keys` }];
  return keys.flatMap((key, index) => {
    const message = wrongWithVerificationKey(key);
    return message === undefined ? [] : [{ pointer: `/jwks/keys/${index}`, message }];
  });
}
