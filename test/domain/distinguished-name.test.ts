import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalName, writtenName } from '../../src/domain/certificates/distinguished-name.ts';
import { hasSubject } from '../../src/domain/certificates/certificate-subject.ts';
import { clientCertificate, type ClientCertificate } from '../../src/domain/certificates/client-certificate.ts';
import { selfSigned } from '../support/certificates.ts';

describe('a distinguished name', () => {
  const same: readonly (readonly string[])[] = [
    [
      'CN=billing,O=Acme,C=DE',
      'subject=CN=billing,O=Acme,C=DE',
      'subject= CN = billing, O = Acme, C = DE',
      'cn=Billing , o=ACME;c=de',
      '2.5.4.3=billing, 2.5.4.10=acme, 2.5.4.6=DE',
    ],
    ['O=Acme\\, Inc.', 'O=Acme\\2C Inc.', 'o=acme\\,   INC.', 'O=Acme\\, Inc.\\ '],
    ['CN=a+OU=b,O=x', 'OU=b+CN=a,O=x', 'ou=B + cn=A , o=X'],
    ['CN=Jürgen', 'CN=J\\C3\\BCrgen', 'CN=JU\u0308RGEN'],
    ['emailAddress=a@b.c', 'E=a@b.c', 'EMAIL=A@B.C', '1.2.840.113549.1.9.1=a@b.c'],
    ['ST=Hessen,S=Hessen', 'S=Hessen,ST=Hessen', '2.5.4.8=hessen,stateOrProvinceName=hessen'],
  ];
  for (const names of same) {
    test(`may be written as ${names.join(' | ')}`, () => {
      const [first, ...others] = names.map(canonicalName);
      assert.ok(first !== undefined);
      for (const other of others) assert.equal(other, first);
    });
  }

  for (const [one, other] of [
    ['CN=billing,O=Acme', 'O=Acme,CN=billing'],
    ['CN=billing', 'CN=billing,O=Acme'],
    ['CN=a,CN=b', 'CN=a+CN=b'],
    ['CN=a\\,O\\=x', 'CN=a,O=x'],
    ['CN=a\\+OU\\=b', 'CN=a+OU=b'],
    ['CN=a', 'OU=a'],
    ['CN=ab', 'CN=a b'],
  ] as const) {
    test(`${one} is not ${other}`, () => {
      assert.ok(canonicalName(one) !== undefined && canonicalName(other) !== undefined);
      assert.notEqual(canonicalName(one), canonicalName(other));
    });
  }

  test('has values, and each in characters', () => {
    for (const text of [
      '',
      'billing',
      '/CN=billing',
      'CN=',
      'CN= ',
      'CN=a,',
      ',CN=a',
      'CN=#0403616263',
      'CN="a"',
      'CN=\\FF',
    ]) {
      assert.equal(canonicalName(text), undefined, text);
    }
  });

  test('is found in a certificate whatever its characters are, and no other name is', async () => {
    for (const value of ['a, b', 'a+b=c', ' #x', 'a\\b', '"q"', 'a\nb', 'x;y<z>', 'Jürgen 😀', 'a\u0000b']) {
      const escaped = [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
      const { cert } = await selfSigned({
        subject: 'O=Acme',
        name: [
          ['O', 'Acme'],
          ['CN', value],
        ],
      });
      const certificate = clientCertificate(cert);
      assert.ok(hasSubject(certificate, { member: 'subjectDn', value: `CN=${escaped},O=Acme` }), value);
      assert.ok(!hasSubject(certificate, { member: 'subjectDn', value: 'CN=b,O=Acme' }), value);
      assert.equal(
        canonicalName(writtenName(new X509Certificate(cert).subject)),
        canonicalName(`CN=${escaped},O=Acme`),
      );
    }
  });

  test('is read in a bounded time, whatever it is', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => void canonicalName(text)));
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (value) => {
        const escaped = [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
        const wanted = value.normalize('NFC').toLowerCase().trim().replaceAll(/\s+/g, ' ');
        assert.equal(canonicalName(`CN=${escaped}`), JSON.stringify([[`cn=${wanted}`]]));
      }),
    );
  });
});

describe('a URI in a certificate', () => {
  test('is found beside names that look like other entries', async () => {
    const { cert } = await selfSigned({
      names: [
        { type: 'url', value: 'urn:a, URI:urn:b' },
        { type: 'email', value: 'x@y, URI:urn:c' },
        { type: 'url', value: 'urn:d' },
        { type: 'url', value: 'urn:"e"' },
      ],
    });
    const fits = (value: string): boolean => hasSubject(clientCertificate(cert), { member: 'sanUri', value });
    for (const value of ['urn:a, URI:urn:b', 'urn:d', 'urn:"e"']) assert.ok(fits(value), value);
    // A name of a kind whose name in Node.js has digits, before a URI.
    const x400 = await selfSigned({ extensions: { '2.5.29.17': '300ba302300086057572 6e3a64'.replace(' ', '') } });
    assert.match(new X509Certificate(x400.cert).subjectAltName ?? '', /^X400Name:/);
    assert.ok(hasSubject(clientCertificate(x400.cert), { member: 'sanUri', value: 'urn:d' }));
    const odd = { x509: { subjectAltName: 'URI:urn:a, URI:"urn:b' } };
    assert.ok(!hasSubject(odd as unknown as ClientCertificate, { member: 'sanUri', value: 'urn:a' }));
    for (const value of ['urn:a', 'urn:b', 'urn:c', 'URN:D', 'urn:e', 'urn:d/']) assert.ok(!fits(value), value);
  });
});
