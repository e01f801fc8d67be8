import type { RootCredential } from './domain/service-accounts/root-account.ts';

/** What a first start prints: the first account, and three commands that lead to a token of one's own. */
export function firstStartBanner(base: string, { clientId, clientSecret }: RootCredential): string {
  const pick = (member: string): string => `sed 's/.*"${member}":"\\([^"]*\\)".*/\\1/'`;
  return `
Writ has made its first service account. Its secret is shown this once:

  clientId      ${clientId}
  clientSecret  ${clientSecret}

Paste these three to get a token of your own:

TOKEN=$(curl -sS ${base}/oauth/token -u '${clientId}:${clientSecret}' -d grant_type=client_credentials | ${pick('access_token')})

CLIENT=$(curl -sS ${base}/api/service-accounts -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"name":"My first client","permissions":["orders:read"]}'); echo "$CLIENT"

curl -sS ${base}/oauth/token -u "$(echo "$CLIENT" | ${pick('clientId')}):$(echo "$CLIENT" | ${pick('clientSecret')})" -d grant_type=client_credentials

`;
}
