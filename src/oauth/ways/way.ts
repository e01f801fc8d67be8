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
  /** Creates the recognition of clients by this way. */
  recognizer(tools: Tools): Recognizer<Proof>;
}

/** The recognition of clients by one way. */
export interface Recognizer<Proof> {
  /**
   * Finds out which client has sent a proof, and notes its account and the credential that fits. For an account that
   * does not exist it does the same work, and gives the same answer.
   *
   * @throws OAuthError when the proof is refused. A client that holds the key (`noteProof`) is told why, and has not
   *   guessed.
   */
  recognize(attempt: Attempt, proof: Proof): Promise<void> | void;
}

/** Recognizes the client of an attempt by its proof. @throws OAuthError */
export type RecognizeClient = (attempt: Attempt) => Promise<void>;
