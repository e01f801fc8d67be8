import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { timesOf, wrongTime } from '../../src/domain/certificates/client-certificate.ts';

const NOW = new Date('2026-12-01T12:00:00Z');

test('the times of a certificate are read from their texts: for a time that is none, the date is any date', () => {
  const from = 'Nov 30 05:22:35 2026 GMT';
  const broken = { validFrom: from, validTo: 'Bad time value', validToDate: new Date('2999-01-01') };
  assert.equal(timesOf(broken), undefined);
  assert.equal(timesOf({ validFrom: 'Bad time value', validTo: from }), undefined);
  const x509 = { ...broken, validFromDate: new Date(from) } as unknown as X509Certificate;
  assert.equal(wrongTime({ x509 }, NOW), 'the times of the certificate cannot be read');
  assert.deepEqual(timesOf({ validFrom: from, validTo: 'Dec  1 05:00:00 2027 GMT' }), {
    from: new Date('2026-11-30T05:22:35Z'),
    to: new Date('2027-12-01T05:00:00Z'),
  });
});
