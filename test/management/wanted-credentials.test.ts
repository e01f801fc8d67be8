import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '../../src/domain/domain-error.ts';
import type { NewCredentialBody } from '../../src/management/credentials/credential-schema.ts';
import { wantedCredential, wantedCredentials } from '../../src/management/credentials/wanted-credentials.ts';

function fieldOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, 'invalid_value');
    const [field] = error.fields ?? [];
    return `${field?.pointer} ${field?.message}`;
  }
  return 'accepted';
}

describe('the members of a credential that is asked for', () => {
  const key = { kty: 'OKP' };
  const cases: readonly (readonly [NewCredentialBody, string])[] = [
    [{ type: 'client_secret' }, 'accepted'],
    [{ type: 'client_secret', publicKey: key }, '/x/publicKey goes with a public key only'],
    [
      { type: 'client_secret', audience: 'api://default' },
      '/x/audience goes with a federated credential or an API key only',
    ],
    [{ type: 'client_secret', assertionMaxTtl: 60 }, '/x/assertionMaxTtl goes with a public key only'],
    [{ type: 'client_secret', assertionAudiences: [] }, '/x/assertionAudiences goes with a public key only'],
    [{ type: 'public_key', publicKey: key, assertionMaxTtl: 60, assertionAudiences: ['a'] }, 'accepted'],
    [{ type: 'public_key' }, '/x/publicKey is required for this kind of credential'],
    [
      { type: 'public_key', publicKey: key, audience: 'a' },
      '/x/audience goes with a federated credential or an API key only',
    ],
    [{ type: 'api_key', audience: 'a' }, 'accepted'],
    [{ type: 'api_key' }, '/x/audience is required for this kind of credential'],
    [{ type: 'api_key', audience: 'a', publicKey: key }, '/x/publicKey goes with a public key only'],
    [{ type: 'api_key', assertionMaxTtl: 60 }, '/x/assertionMaxTtl goes with a public key only'],
  ];
  for (const [body, expected] of cases) {
    test(`${JSON.stringify(body)}: ${expected}`, () => {
      assert.equal(
        fieldOf(() => wantedCredential(body, '/x')),
        expected,
      );
    });
  }

  test("come from the members of Mia's clients when there is no list", () => {
    const typesOf = (body: object): string[] => wantedCredentials(body as never).map(({ type }) => type);
    assert.deepEqual(typesOf({}), ['client_secret']);
    assert.deepEqual(typesOf({ tokenEndpointAuthMethod: 'client_secret_basic' }), ['client_secret']);
    assert.deepEqual(typesOf({ tokenEndpointAuthMethod: 'private_key_jwt', publicKey: key }), ['public_key']);
    assert.deepEqual(typesOf({ credentials: [] }), []);
  });

  test('come in one of the two forms', () => {
    for (const mixed of [{ tokenEndpointAuthMethod: 'private_key_jwt' }, { publicKey: key }]) {
      const [name] = Object.keys(mixed);
      assert.match(
        fieldOf(() => wantedCredentials({ credentials: [], ...mixed } as never)),
        new RegExp(`^/${name} `),
      );
    }
  });
});
