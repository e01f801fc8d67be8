/** A certificate that a client has registered. */
export const CERTIFICATE = {
  type: 'string',
  maxLength: 16_384,
  description: 'For a certificate: the only certificate with which the client authenticates, in PEM',
} as const;

const expected = <const Part extends string>(part: Part) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 1024,
    description: `For a certificate: ${part} that a certificate of a trusted authority must have`,
  }) as const;

/** The members of a certificate in requests and in answers. */
export const CERTIFICATE_MEMBERS = {
  certificate: CERTIFICATE,
  subjectDn: expected('the subject (RFC 4514)'),
  sanDns: expected('the host name'),
  sanUri: expected('the URI'),
  sanIp: expected('the IP address'),
  sanEmail: expected('the e-mail address'),
} as const;
