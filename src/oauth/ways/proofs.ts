import type { ClientCertificate } from '../../domain/certificates/client-certificate.ts';
import type { Assertion } from '../../domain/assertions/parse-assertion.ts';
import type { ExternalToken } from '../../domain/federation/check-external-token.ts';
import type { BasicCredentials } from './basic-credentials.ts';

/** The names of the ways in which a client proves who it is. */
export const WAY_NAMES = ['secret', 'key', 'certificate', 'federated', 'api_key'] as const;
export type WayName = (typeof WAY_NAMES)[number];

/** A client id with a secret (RFC 6749 §2.3.1). */
export interface SecretProof extends BasicCredentials {
  readonly way: 'secret';
  readonly method: 'client_secret_basic' | 'client_secret_post';
}

/** A JWT that the client signed with its private key (RFC 7523 §2.2). */
export interface AssertionProof {
  readonly way: 'key';
  readonly method: 'private_key_jwt';
  readonly assertion: Assertion;
}

/** A certificate that the client has presented in the handshake of TLS (RFC 8705 §2), and the client id beside it. */
export interface CertificateProof {
  readonly way: 'certificate';
  readonly method: 'tls_client_auth';
  readonly clientId: string;
  readonly certificate: ClientCertificate;
}

/** The form in which an external token came: as a client assertion, in an exchange, or in the JWT bearer grant. */
export type ExternalForm = 'assertion' | 'exchange' | 'bearer';

/** A token of another issuer, and the account that it is to stand for. */
export interface FederatedProof {
  readonly way: 'federated';
  readonly method: 'federated';
  readonly form: ExternalForm;
  readonly token: ExternalToken;
  /** The client id of the account, as the request names it; undefined: the subject of the token stands for one. */
  readonly named: string | undefined;
}

/** The API key that a request exchanges for a token (RFC 8693), and that says which client the request comes from. */
export interface ApiKeyProof {
  readonly way: 'api_key';
  readonly method: 'api_key';
}

/** The proof of each way. */
export interface ProofOf {
  secret: SecretProof;
  key: AssertionProof;
  certificate: CertificateProof;
  federated: FederatedProof;
  api_key: ApiKeyProof;
}

/** The proof by which a request says which client it comes from. */
export type Proof = ProofOf[WayName];
