import { randomBytes, randomUUID } from 'node:crypto';
import { base62 } from '../domain/base62.ts';

/** The randomness of the running product. */
export const random = {
  bytes: (size: number): Buffer => randomBytes(size),
  /** An id of 128 random bits, in 22 digits of base 62. */
  id: (): string => base62(randomBytes(16)),
  /** An id for a request: it is cheap, and no security depends on it. */
  uuid: (): string => randomUUID(),
};
