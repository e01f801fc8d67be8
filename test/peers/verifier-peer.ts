import type { PagePeer } from './peer.ts';

/** A program that verifies the token in TOKEN, and prints its permissions or fails. */
export interface VerifierPeer extends PagePeer {
  /** Whether the program refuses a token that has been revoked. */
  readonly seesRevocation: boolean;
  /** The `tokenType` of the API. The program takes no token of the other type, unless `checksType` is false. */
  readonly tokenType?: 'JWT';
  readonly checksType?: false;
  /** The seconds for which the program accepts a token after its end, if it does. */
  readonly tolerance?: 60;
  /** The identifier of the API, when it is not the default one. */
  readonly audience?: string;
  /** The permission that the program asks for, when it decides by one. */
  readonly scope?: string;
}
