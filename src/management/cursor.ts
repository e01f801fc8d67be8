import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Position } from '../domain/page.ts';

/** Writes positions in lists as cursors: clients send a cursor back, and only this server can write one. */
export interface CursorCodec {
  /** @param list the name of the list: the cursor is valid for no other list */
  write(position: Position, list: string): string;
  /** @returns undefined for text that this server did not write for this list */
  read(cursor: string, list: string): Position | undefined;
}

const MAC_BYTES = 16;

/** @param key the cursor key of the server, the same on every node */
export function createCursorCodec(key: Uint8Array): CursorCodec {
  const mac = (content: Buffer, list: string): Buffer =>
    createHmac('sha256', key).update(`${list}\0`).update(content).digest().subarray(0, MAC_BYTES);
  return {
    write({ time, id }, list) {
      const content = Buffer.from(JSON.stringify([time.getTime(), id]));
      return Buffer.concat([mac(content, list), content]).toString('base64url');
    },

    read(cursor, list) {
      const bytes = Buffer.from(cursor, 'base64url');
      const content = bytes.subarray(MAC_BYTES);
      if (bytes.length <= MAC_BYTES || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), mac(content, list)))
        return undefined;
      const [time, id]: [number, string] = JSON.parse(content.toString());
      return { time: new Date(time), id };
    },
  };
}
