import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isPublicAddress } from '../../src/foreign-keys/is-public-address.ts';

/** Addresses of this machine, of private networks, of links and of other purposes, in many forms. */
const NOT_PUBLIC = `
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
  168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.192 192.0.2.1 192.88.99.1
  192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
  :: ::1 ::7f00:1 ::127.0.0.1 ::a00:1 ::ffff:7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
  ::ffff:168.63.129.16 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b:1::a00:1 100::1 200::1 1:: 2001::1 2001:2::1 2001:10::1
  2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 3fff::1 4000::1 5f00::1 8000::1 fc00::1 fd00::1 fd00:ec2::254
  fe80::1 fe80::1%eth0 fec0::1 ff02::1
`;

const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1 140.82.112.3 168.63.129.17
  172.15.255.255 172.32.0.1 192.167.255.255 192.169.0.1 223.255.255.255 ::ffff:8.8.8.8 2001:4860:4860::8888
  2606:4700::1111 2a00:1450:4001::1
`;

const listed = (text: string): string[] => text.trim().split(/\s+/);

describe('the addresses that the server fetches keys from', () => {
  for (const address of listed(NOT_PUBLIC)) {
    test(`D-01 leave out ${address}`, () => assert.equal(isPublicAddress(address), false));
  }

  test('D-01 leave out everything that is no address', () => {
    for (const text of ['', 'localhost', 'localhost.', 'a.b.c.d', '::g', '[::1]', '8.8.8.8:443']) {
      assert.equal(isPublicAddress(text), false, text);
    }
  });

  test('D-01 are all others', () => {
    for (const address of listed(PUBLIC)) assert.equal(isPublicAddress(address), true, address);
  });
});
