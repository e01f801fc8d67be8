import type Provider from 'oidc-provider';
import type { PresentedCertificate } from '../../domain/certificates/client-certificate.ts';
import type { Attempt } from '../attempt.ts';

/** The parameters of a request, each once; a parameter without a value is absent (RFC 6749 §3.2). */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** The parts of a request in which a client can say who it is. */
export interface Sent {
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  readonly parameters: Parameters;
  /** The value of `client_id` in the body. */
  readonly named: string | undefined;
  /** Whether the client assertion is a token of another issuer. */
  readonly external: boolean;
  /** Finds the certificate that the client has presented. */
  readonly certificate: () => PresentedCertificate;
}

/**
 * One way in which a client proves who it is. A new way is one file that exports such an object, and a line in
 * `ways.ts`. The functions stand in the order in which a request passes through them.
 */
export interface Way<Proof, Tools> {
  /**
   * The names of the authentication methods of this way that a request uses; none: the request does not use this way.
   */
  methodsOf(sent: Sent): readonly string[];
  /**
   * Reads the proof of a request that uses one method.
   *
   * @throws OAuthError 400 when the proof has another form, 401 when it cannot be a proof at all
   */
  read(sent: Sent): Proof;
  /**
   * Reads the proof of a request that uses two methods of this way; undefined: the two do not carry the same
   * credentials.
   */
  readTwice?(sent: Sent): Proof | undefined;
  /** The parameters by which the library sees the proof. */
  handedOver(attempt: Attempt, proof: Proof): Readonly<Record<string, string>>;
  /** Sets the way up in a library that was created a moment ago. */
  install(provider: Provider, tools: Tools): InstalledWay<Proof>;
}

/** A way, set up in one library. */
export interface InstalledWay<Proof> {
  /**
   * Finds the client that the library is to authenticate by the proof. When there is none it answers a client that
   * nothing authenticates, so that the library does the same work and gives the same answer.
   */
  findClient(attempt: Attempt, proof: Proof, clientId: string): Promise<Client> | Client;
  /**
   * Finds out why the library refused the proof.
   *
   * @returns the text that the client may be told; undefined: only that authentication failed
   */
  explain(attempt: Attempt, proof: Proof): Promise<string | undefined> | string | undefined;
}

/** A client of the library. */
export type Client = InstanceType<Provider['Client']>;
