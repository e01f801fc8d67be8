import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { IssuerKeysError } from '../../src/domain/federation/issuer-key-source.ts';
import { createFetchJson, type FetchJson, type Reach } from '../../src/foreign-keys/fetch-json.ts';
import { isPublicAddress } from '../../src/foreign-keys/is-public-address.ts';
import type { LookUp } from '../../src/foreign-keys/look-up.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { jsonAnswer, startTlsServer, type TlsServer } from '../support/tls-server.ts';

/** A limit that no slow machine reaches. */
const TIME = 60_000;
const BYTES = 64 * 1024;

/** Milliseconds within which a fetch that is to end has ended. */
const SOON = 30_000;
const PUBLIC: Reach = { names: 'internet', mayReach: isPublicAddress };
const EVERYWHERE: Reach = { names: 'internet', mayReach: () => true };

/** A look-up that finds these addresses, and counts its calls. */
function finds(...addresses: readonly (string | readonly string[])[]) {
  let calls = 0;
  const lookUp: LookUp = async () => {
    const found = addresses[Math.min(calls, addresses.length - 1)] ?? [];
    calls += 1;
    return [found].flat().map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { lookUps: { network: lookUp, internet: lookUp }, calls: () => calls };
}

async function refusalOf(fetched: Promise<unknown>): Promise<string> {
  const error: unknown = await fetched.then(
    () => assert.fail('the document was fetched'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof IssuerKeysError, String(error));
  return error.message;
}

describe('an address that somebody else chose', () => {
  let canary: Server;
  let port: number;
  let connections = 0;
  before(async () => {
    canary = createServer((socket) => {
      connections += 1;
      socket.on('error', () => socket.destroy());
      socket.destroy();
    });
    canary.listen(0);
    await once(canary, 'listening');
    ({ port } = canary.address() as AddressInfo);
  });
  after(() => canary.close());

  const connectsTo = async (
    hostname: string,
    reach: Reach,
    found: readonly string[] = ['127.0.0.1'],
  ): Promise<number> => {
    const earlier = connections;
    await refusalOf(
      createFetchJson({ time: TIME, bytes: BYTES }, finds(found).lookUps)(`https://${hostname}:${port}/`, reach),
    );
    // A connection of our own goes through the same queue: everything before it has been accepted by now.
    const own = connections;
    await refusalOf(createFetchJson({ time: TIME, bytes: BYTES })(`https://127.0.0.1:${port}/`, EVERYWHERE));
    await eventually(5000, () => connections > own);
    return connections - earlier - 1;
  };

  test('D-01 is connected to when it may be reached: the canary hears it', async () => {
    assert.equal(await connectsTo('127.0.0.1', EVERYWHERE), 1);
    assert.equal(await connectsTo('some.example', EVERYWHERE), 1);
  });

  for (const hostname of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '0',
    '127。0。0。1',
    '①②⑦.0.0.1',
    '[::1]',
    '[::]',
    '[::ffff:7f00:1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00::1]',
    '169.254.169.254',
    '100.64.0.1',
    'localhost',
    'localhost.',
    'ⓛocalhost',
    'LOCALHOST',
    'rebind.example',
  ]) {
    test(`D-01 is not connected to as ${hostname}`, async () => {
      assert.equal(await connectsTo(hostname, PUBLIC), 0);
    });
  }

  test('D-01 D-03 is not connected to when one of many addresses is private', async () => {
    for (const found of [
      ['8.8.8.8', '127.0.0.1'],
      ['127.0.0.1', '8.8.8.8'],
      ['2606:4700::1111', '::1'],
      ['8.8.8.8', '::ffff:127.0.0.1'],
      [],
    ]) {
      assert.equal(await connectsTo('some.example', PUBLIC, found), 0);
    }
  });

  test('D-01 must be an https URL without a password', async () => {
    const { lookUps, calls } = finds('8.8.8.8');
    const fetchJson = createFetchJson({ time: TIME, bytes: BYTES }, lookUps);
    for (const address of [
      'http://some.example/',
      'file:///etc/passwd',
      'gopher://some.example/',
      'ftp://some.example/',
      'data:application/json,{}',
      'javascript:1',
      'blob:https://some.example/1',
      '//some.example/',
      'some.example',
      '',
      'https://',
      'https://some example/',
      'https://user@some.example/',
      'https://user:password@some.example/',
      'https://:password@some.example/',
    ]) {
      const text = await refusalOf(fetchJson(address, EVERYWHERE));
      assert.match(text, /is no https address|would get a password/, address);
    }
    assert.equal(calls(), 0);
  });

  test('D-01 D-17 is refused in the same words whether a name is private or nobody has it', async () => {
    const missing: LookUp = () => Promise.reject(new Error('queryA ENOTFOUND db.corp'));
    const texts = new Set<string>();
    for (const lookUps of [finds('10.0.0.1').lookUps, finds([]).lookUps, { network: missing, internet: missing }]) {
      texts.add(await refusalOf(createFetchJson({ time: TIME, bytes: BYTES }, lookUps)('https://db.corp/', PUBLIC)));
    }
    assert.deepEqual([...texts], ['db.corp has no address, or one that is not public and that no setting allows']);
  });
});

describe('a name that is looked up', () => {
  test('D-03 is looked up once, and the connection goes to the address that was checked', async () => {
    const server = await startTlsServer((socket) => socket.end(jsonAnswer({ good: true })), { host: 'ci.example' });
    const other = await startTlsServer((socket) => socket.end(jsonAnswer({ good: false })), {
      address: '127.0.0.2',
      port: server.port,
    });
    try {
      const { lookUps, calls } = finds('127.0.0.1', '127.0.0.2');
      const checked: string[] = [];
      const mayReach = (address: string): boolean => checked.push(address) > 0;
      const fetchJson = createFetchJson({ time: TIME, bytes: BYTES, ca: server.ca }, lookUps);
      const document = await fetchJson(`https://ci.example:${server.port}/keys`, { names: 'internet', mayReach });
      assert.deepEqual([document, calls(), checked, other.accepted()], [{ good: true }, 1, ['127.0.0.1'], 0]);
      assert.match(server.requests[0] ?? '', /^GET \/keys HTTP\/1\.1\r\n/);
      assert.doesNotMatch(server.requests[0] ?? '', /authorization|cookie/i);
    } finally {
      await Promise.all([server.close(), other.close()]);
    }
  });

  test('is reached at another of its addresses when the first is dead', async () => {
    const server = await startTlsServer((socket) => socket.end(jsonAnswer({ good: true })), { host: 'ci.example' });
    try {
      const { lookUps } = finds(['127.0.0.3', '127.0.0.1']);
      const fetchJson = createFetchJson({ time: TIME, bytes: BYTES, ca: server.ca }, lookUps);
      assert.deepEqual(await fetchJson(`https://ci.example:${server.port}/`, EVERYWHERE), { good: true });
    } finally {
      await server.close();
    }
  });

  test('D-03 is looked up where its owner may look', async () => {
    const asked: string[] = [];
    const note =
      (where: string): LookUp =>
      () => {
        asked.push(where);
        return Promise.resolve([]);
      };
    const fetchJson = createFetchJson(
      { time: TIME, bytes: BYTES },
      { network: note('network'), internet: note('internet') },
    );
    await refusalOf(fetchJson('https://some.example/', { names: 'network', mayReach: () => true }));
    await refusalOf(fetchJson('https://some.example/', { names: 'internet', mayReach: () => true }));
    assert.deepEqual(asked, ['network', 'internet']);
  });

  test('D-04 ends the fetch in time when the look-up never answers', { timeout: SOON }, async (t) => {
    const never: LookUp = () => new Promise(() => undefined);
    // The timer of a fetch does not keep a process alive.
    const alive = setInterval(() => undefined, 1000);
    t.after(() => clearInterval(alive));
    const fetchJson = createFetchJson({ time: 50, bytes: BYTES }, { network: never, internet: never });
    for (let round = 0; round < 20; round += 1) {
      assert.match(await refusalOf(fetchJson('https://some.example/', PUBLIC)), /no answer within 50 ms/);
    }
  });
});

/** Writes bytes again and again, for as long as the other side reads them. */
function pour(socket: TLSSocket, bytes: string | Buffer): void {
  if (socket.destroyed) return;
  if (socket.write(bytes)) setImmediate(pour, socket, bytes);
  else socket.once('drain', () => pour(socket, bytes));
}

const deep = `{"keys":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
const good = JSON.stringify({ keys: [] });
const zipped = gzipSync(Buffer.alloc(10_000_000, ' '));
const body = (text: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`;

/** The answers of an issuer that misbehaves, each with what the server says about it. */
const FAULTS: Record<
  string,
  { readonly answer: (socket: TLSSocket) => void; readonly says: RegExp; readonly time?: number }
> = {
  'a body without an end': {
    answer(socket) {
      socket.write('HTTP/1.1 200 OK\r\n\r\n{"a":"');
      pour(socket, Buffer.alloc(65_536, 'a'));
    },
    says: /more than 65536 bytes/,
  },
  'a body of 1 GB, as its length says': {
    answer(socket) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
      pour(socket, Buffer.alloc(65_536, ' '));
    },
    says: /more than 65536 bytes/,
  },
  'a body that drips': {
    answer(socket) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n');
      const drip = setInterval(() => socket.write(' '), 10);
      socket.on('close', () => clearInterval(drip));
    },
    says: /no answer within 400 ms/,
    time: 400,
  },
  'no answer at all': { answer: () => undefined, says: /no answer within 400 ms/, time: 400 },
  'an answer that is always about to come': {
    answer: (socket) => pour(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    says: /no answer within 400 ms/,
    time: 400,
  },
  'a switch of protocols': {
    answer: (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    says: /no answer within 400 ms/,
    time: 400,
  },
  'headers without an end': {
    answer(socket) {
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, `a: ${'b'.repeat(1000)}\r\n`);
    },
    says: /Header overflow/,
  },
  'a compressed body': {
    answer(socket) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`);
      socket.end(zipped);
    },
    says: /the answer is compressed/,
  },
  'a body that breaks off': {
    answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}'),
    says: /the answer is not whole/,
  },
  'a chunk that breaks off': {
    answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'),
    says: /the answer is not whole/,
  },
  HTML: { answer: (socket) => socket.end(body('<html>s3cret</html>')), says: /: the answer is no JSON$/ },
  'broken JSON': { answer: (socket) => socket.end(body('{"s3cret": ')), says: /: the answer is no JSON$/ },
  'no body': { answer: (socket) => socket.end(body('')), says: /the answer is no JSON/ },
  'deep JSON': { answer: (socket) => socket.end(body(deep)), says: /more than 32 levels deep/ },
  'an answer in another protocol': { answer: (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), says: /Parse Error/ },
  'the end of the connection': { answer: (socket) => socket.end(), says: /socket hang up/ },
  ...Object.fromEntries(
    [201, 204, 304, 400, 401, 403, 404, 429, 500, 503].map((status) => [
      `the status ${status}`,
      {
        answer: (socket: TLSSocket) => socket.end(body(good).replace('200', `${status}`)),
        says: new RegExp(`status ${status}$`),
      },
    ]),
  ),
};

describe('an issuer that misbehaves', () => {
  for (const [fault, { answer, says, time = TIME }] of Object.entries(FAULTS)) {
    test(`D-04 with ${fault} costs a refusal, and leaves nothing open`, { timeout: SOON }, async (t) => {
      const server = await startTlsServer(answer);
      t.after(() => server.close());
      const fetchJson = createFetchJson({ time, bytes: BYTES, ca: server.ca });
      const text = await refusalOf(fetchJson(`https://localhost:${server.port}/`, { ...EVERYWHERE, names: 'network' }));
      assert.match(text, says);
      assert.doesNotMatch(text, /s3cret/);
      await eventually(5000, () => server.open() === 0, 'the connection stays open');
    });
  }

  test('D-04 may send its document with any media type, and with a connection that it keeps open', async () => {
    const server = await startTlsServer((socket) => socket.write(body('{"keys":[]}', 'Content-Type: text/html\r\n')));
    try {
      const fetchJson = createFetchJson({ time: TIME, bytes: BYTES, ca: server.ca });
      const address = `https://localhost:${server.port}/`;
      assert.deepEqual(await fetchJson(address, { ...EVERYWHERE, names: 'network' }), { keys: [] });
      await eventually(5000, () => server.open() === 0, 'the connection stays open');
    } finally {
      await server.close();
    }
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`D-02 is not followed to another address with ${status}`, async () => {
      const canary = await startTlsServer((socket) => socket.end(body(good)));
      const server: TlsServer = await startTlsServer((socket) =>
        socket.end(
          `HTTP/1.1 ${status} Moved\r\nLocation: https://localhost:${canary.port}/\r\nContent-Length: 0\r\n\r\n`,
        ),
      );
      try {
        const fetchJson = createFetchJson({ time: TIME, bytes: BYTES, ca: server.ca });
        const reach: Reach = { ...EVERYWHERE, names: 'network' };
        assert.match(
          await refusalOf(fetchJson(`https://localhost:${server.port}/`, reach)),
          new RegExp(`status ${status}$`),
        );
        assert.equal(canary.accepted(), 0);
        // The canary hears a client that goes there.
        await refusalOf(fetchJson(`https://localhost:${canary.port}/`, reach));
        assert.equal(canary.accepted(), 1);
      } finally {
        await Promise.all([server.close(), canary.close()]);
      }
    });
  }
});

describe('an issuer whose certificate is wrong', () => {
  const reach: Reach = { ...EVERYWHERE, names: 'network' };

  test('D-04 gets no request: nobody trusts the certificate, whatever the environment says', async () => {
    const server = await startTlsServer((socket) => socket.end(body(good)));
    const { NODE_TLS_REJECT_UNAUTHORIZED: earlier } = process.env;
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const text = await refusalOf(
        createFetchJson({ time: TIME, bytes: BYTES })(`https://localhost:${server.port}/`, reach),
      );
      assert.match(text, /self-signed certificate/);
      assert.deepEqual(server.requests, []);
    } finally {
      if (earlier === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = earlier;
      await server.close();
    }
  });

  test('D-04 gets no request: the certificate is for another host', async () => {
    const host = `a${'-very'.repeat(50)}-long-name.example`;
    const server = await startTlsServer((socket) => socket.end(body(good)), { host });
    try {
      const fetchJson = createFetchJson({ time: TIME, bytes: BYTES, ca: server.ca });
      const address = `https://localhost:${server.port}/`;
      const text = await refusalOf(fetchJson(address, reach));
      assert.match(text, /does not match certificate/);
      assert.ok(text.length <= address.length + 202, text);
      assert.deepEqual(server.requests, []);
    } finally {
      await server.close();
    }
  });

  test('D-04 is refused in time when it never begins to speak', { timeout: SOON }, async (t) => {
    const open = new Set<Socket>();
    const silent = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
      socket.resume();
    });
    const port = await freePort();
    silent.listen(port, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => {
      for (const socket of open) socket.destroy();
      silent.close();
    });
    const fetchJson: FetchJson = createFetchJson({ time: 300, bytes: BYTES });
    assert.match(await refusalOf(fetchJson(`https://127.0.0.1:${port}/`, EVERYWHERE)), /no answer within 300 ms/);
    await eventually(5000, () => open.size === 0, 'the connection stays open');
  });
});
