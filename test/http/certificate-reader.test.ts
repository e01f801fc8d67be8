import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { ClientCertificate, PresentedCertificate } from '../../src/domain/certificates/client-certificate.ts';
import { createCertificateReader } from '../../src/http/certificate-reader.ts';
import { selfSigned } from '../support/certificates.ts';

const [one, two] = [await selfSigned({ subject: 'CN=1' }), await selfSigned({ subject: 'CN=2' })];
const escaped = encodeURIComponent(one.cert);

/** Reads the certificate of a request with these values of `Client-Cert`. */
function reading(peer = '10.0.0.1'): { read: (...values: string[]) => PresentedCertificate; warnings: object[] } {
  const trusted = new BlockList();
  trusted.addSubnet('10.0.0.0', 8);
  const warnings: object[] = [];
  const reader = createCertificateReader(trusted, new Map<string, ClientCertificate>(), {
    warn: (line: object) => void warnings.push(line),
  });
  return {
    warnings,
    read(...values) {
      const headers = values.length === 0 ? {} : { 'client-cert': values.join(', ') };
      const headersDistinct = values.length === 0 ? {} : { 'client-cert': values };
      return reader({ headers, headersDistinct, socket: { remoteAddress: peer } } as unknown as Parameters<
        typeof reader
      >[0]);
    },
  };
}

describe('the header Client-Cert of a trusted proxy', () => {
  test('is read as RFC 9440 writes it, and as nginx escapes PEM', () => {
    const { read } = reading();
    for (const value of [one.header, ` ${one.header} `, escaped, encodeURIComponent(one.cert.trim())]) {
      for (const again of [1, 2]) {
        const found = read(value);
        assert.ok(found && 'thumbprint' in found, `${again} ${value}`);
        assert.equal(found.thumbprint, one.thumbprint);
      }
    }
  });

  test('may be empty when the client has no certificate', () => {
    const { read } = reading();
    for (const values of [[], [''], ['::'], [' '], [':']]) assert.equal(read(...values), undefined);
  });

  test('is refused when it holds no single certificate', () => {
    const { read } = reading();
    for (const [note, values, words] of [
      ['twice', [one.header, two.header], /is there twice/],
      ['the same twice', [one.header, one.header], /is there twice/],
      ['a list', [`${one.header}, ${two.header}`], /no single certificate/],
      ['a chain in PEM', [encodeURIComponent(one.cert + two.cert)], /no single certificate/],
      ['a chain in DER', [`:${Buffer.concat([one.der, two.der]).toString('base64')}:`], /no single certificate/],
      ['half a certificate', [`:${one.der.subarray(0, 100).toString('base64')}:`], /no single certificate/],
      ['base64 without colons', [one.der.toString('base64')], /no single certificate/],
      ['a parameter', [`${one.header};a=b`], /no single certificate/],
      ['a key', [encodeURIComponent(one.key)], /no single certificate/],
      ['a broken escape', ['-----BEGIN%2'], /no single certificate/],
      ['a word', ['null'], /no single certificate/],
    ] as const) {
      const found = read(...values);
      assert.ok(found && 'unreadable' in found, note);
      assert.match(found.unreadable, words, note);
    }
  });

  test('is no name of a certificate that a connection has brought', () => {
    const trusted = new BlockList();
    trusted.addAddress('10.0.0.1');
    const reader = createCertificateReader(trusted, new Map<string, ClientCertificate>(), { warn: () => undefined });
    const from = (remoteAddress: string, header?: string): PresentedCertificate =>
      reader({
        headers: {},
        headersDistinct: header === undefined ? {} : { 'client-cert': [header] },
        socket: Object.create(TLSSocket.prototype, {
          remoteAddress: { value: remoteAddress },
          getPeerX509Certificate: { value: () => new X509Certificate(one.cert) },
        }),
      });
    const brought = from('192.0.2.1');
    assert.ok(brought && 'thumbprint' in brought);
    assert.equal(from('192.0.2.1'), brought, 'the certificate is read once');
    const claimed = from('10.0.0.1', one.thumbprint);
    assert.ok(claimed && 'unreadable' in claimed);
  });

  test('B-16 is not believed from another address, and the log says so once', () => {
    const { read, warnings } = reading('192.0.2.1');
    assert.equal(read(one.header), undefined);
    assert.equal(read(two.header), undefined);
    assert.deepEqual(warnings, [
      { event: 'client_certificate.not_trusted', peer: '192.0.2.1', setting: 'WRIT_TRUSTED_PROXIES' },
    ]);
  });
});
