import { randomBytes, randomUUID } from 'node:crypto';
import { base62 } from '../domain/base62.ts';

/** The randomness of the running product. */
export const random = {
  bytes: (size: number): Buffer => randomBytes(size),
  /** 128 bits, in 22 digits of base 62. */
  id: (): string => base62(randomBytes(16)),
  /** For request ids: cheap, and nothing is guarded by it. */
  uuid: (): string => randomUUID(),
};
