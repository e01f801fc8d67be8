import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createDnsLookUp } from '../../src/foreign-keys/look-up.ts';

/** A name server on this machine. */
interface NameServer {
  readonly address: string;
  readonly questions: string[];
  close(): void;
}

/** @param answer the addresses for a type of question (A, AAAA); undefined: the name server is silent */
async function startNameServer(answer: (type: 'A' | 'AAAA') => readonly Buffer[] | undefined): Promise<NameServer> {
  const socket: Socket = createSocket('udp4');
  const questions: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4) === 28 ? 'AAAA' : 'A';
    questions.push(type);
    const found = answer(type);
    if (found === undefined) return;
    const header = Buffer.from(query.subarray(0, 12));
    // A good answer from a server that may recurse; without a record: nobody has the name (RFC 1035 §4.1.1).
    header.writeUInt16BE(found.length > 0 ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(found.length, 6);
    header.writeUInt32BE(0, 8);
    const records = found.map((data) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(data.length === 4 ? 1 : 28, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, questions, close: () => socket.close() };
}

const FOUR = Buffer.from([192, 0, 2, 1]);
const SIX = Buffer.from('20010db8000000000000000000000001', 'hex');
/** A signal that a slow machine does not meet. */
const later = (): AbortSignal => AbortSignal.timeout(60_000);

describe("the look-up of a company's issuer", () => {
  test('D-03 finds every address of both families, and keeps none for the next time', async () => {
    const server = await startNameServer((type) => (type === 'A' ? [FOUR] : [SIX]));
    try {
      const lookUp = createDnsLookUp([server.address]);
      for (let round = 0; round < 2; round += 1) {
        assert.deepEqual(await lookUp('ci.example', later()), [
          { address: '192.0.2.1', family: 4 },
          { address: '2001:db8::1', family: 6 },
        ]);
      }
      assert.deepEqual(server.questions.toSorted(), ['A', 'A', 'AAAA', 'AAAA']);
    } finally {
      server.close();
    }
  });

  test('D-03 finds the addresses of one family when there are no others', async () => {
    for (const family of ['A', 'AAAA']) {
      const server = await startNameServer((type) => (type !== family ? [] : type === 'A' ? [FOUR] : [SIX]));
      try {
        const found = await createDnsLookUp([server.address])('ci.example', later());
        assert.deepEqual(
          found.map((one) => one.family),
          [family === 'A' ? 4 : 6],
        );
      } finally {
        server.close();
      }
    }
  });

  test('D-04 fails when nobody has the name', async () => {
    const server = await startNameServer(() => []);
    try {
      await assert.rejects(createDnsLookUp([server.address])('ci.example', later()), { code: 'ENOTFOUND' });
    } finally {
      server.close();
    }
  });

  test('D-04 keeps no other look-up waiting while its name server is silent, and ends with its signal', async () => {
    const server = await startNameServer(() => undefined);
    const controller = new AbortController();
    try {
      const lookUp = createDnsLookUp([server.address]);
      let ended = 0;
      const all = Array.from({ length: 50 }, () =>
        assert.rejects(lookUp('ci.example', controller.signal), { code: 'ECANCELLED' }).then(() => (ended += 1)),
      );
      // The system's look-ups share a few threads: if the 50 had them, this one would come after them.
      await lookup('localhost');
      assert.equal(ended, 0);
      controller.abort();
      await Promise.all(all);
    } finally {
      server.close();
    }
  });
});
