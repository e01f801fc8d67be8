import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/**
 * Generates a certificate that no machine trusts. It is valid from five years ago to five years from now.
 *
 * @param host the common name of the certificate
 */
export function selfSignedCertificate(host: string): { key: KeyObject; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
  const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(host)))));
  const year = new Date().getUTCFullYear();
  const time = (at: number): Buffer => der(0x18, Buffer.from(`${at}0101000000Z`));
  const content = der(
    0x30,
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(0x30, time(year - 5), time(year + 5)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const whole = der(0x30, content, algorithm, signature).toString('base64');
  return { key: privateKey, cert: `-----BEGIN CERTIFICATE-----\n${whole}\n-----END CERTIFICATE-----\n` };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
