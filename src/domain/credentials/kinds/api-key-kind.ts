import { namedAudience } from '../../resource-servers/named-audience.ts';
import type { Audience } from '../../resource-servers/resource-server.ts';
import { formatSecret, secretHint } from '../client-secret.ts';
import type { CredentialBase } from '../credential-base.ts';
import { type CredentialKind, present } from './kind.ts';
import { assertNothing } from './rotation-key.ts';

/** A secret for tools that can only send one fixed string; it works for one resource server, and for nothing else. */
export interface ApiKeyCredential extends CredentialBase {
  readonly type: 'api_key';
  /** HMAC-SHA-256 of the key. */
  readonly secretHash: Buffer;
  /** The first characters of the key, by which people tell one key from another. */
  readonly hint: string;
  /** The resource server that may ask about the key, and for which an exchange issues a token. */
  readonly audience: Audience;
}

/** An API key that is asked for, with the identifier of its resource server. */
export interface WantedApiKey {
  readonly type: 'api_key';
  readonly audience: string;
}

/** An API key whose resource server has been found. */
export interface BoundApiKey {
  readonly type: 'api_key';
  readonly audience: Audience;
}

export const apiKeyKind: CredentialKind<ApiKeyCredential, WantedApiKey, BoundApiKey> = {
  noun: 'API key',
  most: 100,
  maxAge: 'secretMaxAge',
  // An API key gets tokens for one resource server only, so they do not have the rights of the whole account.
  letsRootIn: false,
  authMethod: undefined,
  secretAlias: 'apiKey',
  takes: { audience: 'required' },
  changes: [],

  wanted: ({ audience = '' }) => ({ type: 'api_key', audience }),
  bind: async ({ audience }, company, { resourceServers }, at) => ({
    type: 'api_key',
    audience: await namedAudience(resourceServers, company, audience, at),
  }),
  issue({ audience }, base, { hashSecret, randomBytes }) {
    const secret = formatSecret('api_key', randomBytes(32));
    const [secretHash, hint] = [hashSecret(secret), secretHint(secret)];
    return Promise.resolve({ secret, credential: { ...base, type: 'api_key', secretHash, hint, audience } });
  },
  successor({ type, audience }, replacement) {
    assertNothing(replacement);
    return { type, audience };
  },
  keepReferences: async ({ audience }, { resourceServers }) =>
    (await resourceServers.named(audience.identifier)) !== undefined,
  change: (before) => before,
  widens: () => false,
  endsByItself: () => undefined,
  onlyAt: ({ audience }) => audience,
  answered: ({ hint, audience }) => ({ audience: audience.identifier, hint }),
  audited: ({ hint, audience }) => ({ audience: audience.identifier, hint }),
  stored: ({ secretHash, hint, audience }) => ({ secretHash, hint, audience: audience.resourceServerId }),
  restored: (base, { secretHash, hint, audience }) => ({
    ...base,
    type: 'api_key',
    secretHash: present(secretHash, 'secret hash', base),
    hint: present(hint, 'hint', base),
    audience: present(audience, 'audience', base),
  }),
};
