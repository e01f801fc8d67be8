import type { Profile } from '../domain/profile.ts';
import type { RootCredential } from '../domain/service-accounts/root-account.ts';

/**
 * The text that a first start prints: the first root account, and three commands that get a token for a new account.
 *
 * @param where `base` and `management`: the URLs of the OAuth endpoints and of the management API; `clientKey`: whether
 *   the management API asks for a client key; `profile`: under `fapi2` only root has a secret
 */
export function firstStartBanner(
  { base, management, clientKey, profile }: { base: string; management: string; clientKey: boolean; profile: Profile },
  { clientId, clientSecret }: RootCredential,
): string {
  const header = clientKey ? ` -H "Client-key: $CLIENT_KEY"` : '';
  const pick = (member: string): string => `sed 's/.*"${member}":"\\([^"]*\\)".*/\\1/'`;
  const ofAnother = `
CLIENT=$(curl -sS ${management}/api/service-accounts${header} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"name":"My first client","permissions":["orders:read"]}'); echo "$CLIENT"

curl -sS ${base}/oauth/token -u "$(echo "$CLIENT" | ${pick('clientId')}):$(echo "$CLIENT" | ${pick('clientSecret')})" -d grant_type=client_credentials
`;
  return `
Writ has made its first service account. Its secret is shown this once:

  clientId      ${clientId}
  clientSecret  ${clientSecret}

${profile === 'fapi2' ? 'Paste this to get a token for the management API; other accounts need keys (docs/operate/fapi2.md)' : `Paste these three to get a token of your own${clientKey ? ', with one of WRIT_CLIENT_KEYS in CLIENT_KEY' : ''}`}:

ROOT='${clientId}:${clientSecret}'; TOKEN=$(curl -sS ${base}/oauth/token -u "$ROOT" -d grant_type=client_credentials | ${pick('access_token')})
${profile === 'fapi2' ? '' : ofAnother}
`;
}
