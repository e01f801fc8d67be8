import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Position } from '../domain/page.ts';

/** Writes where a list goes on into a text that clients hand back, and that only this server can have made. */
export interface CursorCodec {
  write(position: Position): string;
  /** @returns undefined for a text that this server did not make */
  read(cursor: string): Position | undefined;
}

const MAC_BYTES = 16;

/** @param key of the server, the same on every node */
export function createCursorCodec(key: Uint8Array): CursorCodec {
  const mac = (content: Buffer): Buffer => createHmac('sha256', key).update(content).digest().subarray(0, MAC_BYTES);
  return {
    write({ time, id }) {
      const content = Buffer.from(JSON.stringify([time.getTime(), id]));
      return Buffer.concat([mac(content), content]).toString('base64url');
    },

    read(cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      const content = bytes.subarray(MAC_BYTES);
      if (bytes.length <= MAC_BYTES || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(content))) return undefined;
      const [time, id]: [number, string] = JSON.parse(content.toString());
      return { time: new Date(time), id };
    },
  };
}
