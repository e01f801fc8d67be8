import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changedCredential, endOf, successorOf } from '../../src/domain/credentials/change-credential.ts';
import type { CredentialBase } from '../../src/domain/credentials/credential-base.ts';
import { type CredentialPolicy, NO_POLICY, policyFor } from '../../src/domain/credentials/credential-policy.ts';
import { type Credential, CREDENTIAL_TYPES, nextExpiryOf, warns } from '../../src/domain/credentials/credential.ts';
import { authMethodOf, KINDS, kindOf, kindsThatTake } from '../../src/domain/credentials/kinds/kinds.ts';
import type { FederatedCredential } from '../../src/domain/credentials/kinds/federated-kind.ts';
import { lifetimeOf, maxAgeOf } from '../../src/domain/credentials/lifetime.ts';
import { reachesEverything, reachOf } from '../../src/domain/credentials/reach.ts';
import { waysIn } from '../../src/domain/credentials/ways-in.ts';
import { whyRefused } from '../../src/domain/credentials/why-refused.ts';
import { widens } from '../../src/domain/credentials/widens.ts';
import type { IssuerTrust } from '../../src/domain/federation/trusted-issuer.ts';
import type { CredentialId, ResourceServerId } from '../../src/domain/ids.ts';
import type { Audience } from '../../src/domain/resource-servers/resource-server.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const AUDIENCE: Audience = {
  resourceServerId: 'rs_one' as ResourceServerId,
  company: undefined,
  identifier: 'https://one.example',
  tokenTtl: undefined,
  signingAlg: undefined,
  tokenType: 'at+jwt',
  senderConstraint: 'none',
};

const BASE: CredentialBase = {
  credentialId: 'cred_1' as CredentialId,
  name: 'one',
  description: undefined,
  state: 'enabled',
  createdAt: NOW,
  expiresAt: undefined,
  lifetime: undefined,
  expiresByPolicy: false,
  extend: false,
  permissions: undefined,
  rotatedFrom: undefined,
  successor: undefined,
  status: undefined,
  revision: 1,
};

const secret = (changes: Partial<CredentialBase> = {}): Credential => ({
  ...BASE,
  ...changes,
  type: 'client_secret',
  secretHash: Buffer.from('hash'),
  hint: 'writ_abcd',
});
const apiKey = (changes: Partial<CredentialBase> = {}): Credential => ({
  ...BASE,
  ...changes,
  type: 'api_key',
  secretHash: Buffer.from('hash'),
  hint: 'writk_abcd',
  audience: AUDIENCE,
});
const publicKey = (changes: Partial<Extract<Credential, { type: 'public_key' }>> = {}): Credential => ({
  ...BASE,
  type: 'public_key',
  kid: 'k',
  publicKey: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
  assertionAudiences: ['urn:one'],
  assertionMaxTtl: 60,
  ...changes,
});
const TRUST: IssuerTrust = {
  company: undefined,
  issuer: 'https://ci.example',
  audience: undefined,
  keys: { kind: 'discovery' },
  algorithms: ['RS256'],
  maxTokenAge: 3600,
  replay: 'reusable',
};
const federated = (): FederatedCredential => ({
  ...BASE,
  type: 'federated',
  issuer: TRUST.issuer,
  subject: 'repo:acme/shop',
  claims: { runs: 1, tenant: '4711' },
  match: 'exact',
  externalAudience: undefined,
  trust: TRUST,
});
const ONE_OF_EACH = [secret(), publicKey(), apiKey(), federated()];

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error);
    return String(error.code);
  }
}

describe('a kind of credential', () => {
  for (const credential of ONE_OF_EACH) {
    test(`${credential.type} reads back what it stores`, () => {
      const stored = kindOf(credential).stored(credential);
      const row = {
        secretHash: stored.secretHash,
        hint: stored.hint,
        kid: stored.kid,
        data: JSON.parse(JSON.stringify(stored.data ?? {})),
        audience: stored.audience && AUDIENCE,
        trust: TRUST,
      };
      assert.deepEqual(kindOf(credential).restored(BASE, row), credential);
    });

    test(`${credential.type} answers and audits no hash`, () => {
      const said = JSON.stringify([kindOf(credential).answered(credential), kindOf(credential).audited(credential)]);
      assert.doesNotMatch(said, /secretHash|aGFzaA|hash/);
    });

    // A federated credential holds nothing that could be rotated.
    if (credential.type === 'federated') continue;
    test(`${credential.type} has a successor of its own type`, () => {
      const key = credential.type === 'public_key' ? { kty: 'OKP' } : undefined;
      assert.equal(
        successorOf(credential, { publicKey: key, certificate: undefined }, NO_POLICY).type,
        credential.type,
      );
      const other = credential.type === 'public_key' ? undefined : { kty: 'OKP' };
      assert.equal(
        codeOf(() => successorOf(credential, { publicKey: other, certificate: undefined }, NO_POLICY)),
        'invalid_value',
      );
    });
  }

  test('lets root in unless it reaches one resource server only, or depends on another server', () => {
    assert.deepEqual(
      CREDENTIAL_TYPES.map((type) => [type, KINDS[type].letsRootIn]),
      [
        ['client_secret', true],
        ['public_key', true],
        ['federated', false],
        ['certificate', false],
        ['api_key', false],
      ],
    );
  });

  test('names how an account authenticates, secrets first', () => {
    assert.equal(authMethodOf(['api_key', 'public_key', 'client_secret']), 'client_secret_basic');
    assert.equal(authMethodOf(['api_key', 'public_key']), 'private_key_jwt');
    assert.equal(authMethodOf(['api_key']), undefined);
  });

  test('names the members that it alone takes', () => {
    assert.equal(kindsThatTake('audience'), 'a federated credential or an API key');
    assert.equal(kindsThatTake('publicKey'), 'a public key');
  });

  test('refuses the stored row that lacks a member', () => {
    const nothing = {
      secretHash: undefined,
      hint: undefined,
      kid: undefined,
      data: {},
      audience: undefined,
      trust: undefined,
    };
    for (const type of ['client_secret', 'public_key', 'api_key'] as const) {
      assert.throws(() => KINDS[type].restored(BASE, nothing), /cred_1 has no/);
    }
  });
});

describe('the lifetime of a credential', () => {
  const both: CredentialPolicy = { secretMaxAge: 100, keyMaxAge: 200 };
  const cases: readonly (readonly [
    Credential['type'],
    number | undefined,
    CredentialPolicy,
    number | undefined | string,
  ])[] = [
    ['client_secret', undefined, NO_POLICY, undefined],
    ['client_secret', 50, NO_POLICY, 50],
    ['client_secret', undefined, both, 100],
    ['api_key', undefined, both, 100],
    ['federated', undefined, { secretMaxAge: 0, keyMaxAge: 0 }, undefined],
    ['public_key', undefined, both, 200],
    ['public_key', 200, both, 200],
    ['public_key', 201, both, 'invalid_value'],
    ['client_secret', 101, both, 'invalid_value'],
    ['client_secret', undefined, { ...both, secretMaxAge: 0 }, 'invalid_value'],
    ['api_key', 1, { ...both, secretMaxAge: 0 }, 'invalid_value'],
    ['public_key', 1, { ...both, secretMaxAge: 0 }, 1],
  ];
  for (const [type, asked, policy, expected] of cases) {
    test(`${type} for ${asked ?? 'as long as allowed'} under ${JSON.stringify(policy)}: ${expected}`, () => {
      const code = codeOf(() => lifetimeOf(type, asked, policy, ''));
      assert.equal(code ?? lifetimeOf(type, asked, policy, '').lifetime, expected);
    });
  }

  test('is by policy only when the caller asked for none', () => {
    assert.equal(lifetimeOf('client_secret', undefined, both, '').expiresByPolicy, true);
    assert.equal(lifetimeOf('client_secret', 100, both, '').expiresByPolicy, false);
  });

  test('follows the stricter of the policies of the company and of the server', () => {
    const company = { policy: { secretMaxAge: 300, keyMaxAge: 50 } };
    assert.deepEqual(policyFor(company, both), { secretMaxAge: 100, keyMaxAge: 50 });
    assert.deepEqual(policyFor({ policy: NO_POLICY }, both), both);
    assert.deepEqual(policyFor(undefined, both), both);
    assert.equal(maxAgeOf('public_key', policyFor(company, NO_POLICY)), 50);
  });
});

describe('a way in for root', () => {
  const ended = (seconds: number, changes: Partial<CredentialBase> = {}): Credential =>
    secret({ expiresAt: after(-seconds), expiresByPolicy: true, ...changes });
  const [first, last] = [ended(20), ended(10, { credentialId: 'cred_2' as CredentialId })];
  const cases: readonly (readonly [string, readonly Credential[], readonly Credential[]])[] = [
    ['a secret that never expires', [secret()], [secret()]],
    ['a key beside a secret that has expired', [publicKey(), ended(10)], [publicKey()]],
    ['the secret that a policy ended last, when no other works', [first, last], [last]],
    ['no secret that ended by itself', [ended(10, { expiresByPolicy: false })], []],
    ['no secret that is disabled', [secret({ state: 'disabled' })], []],
    ['no secret that a policy ended after its rotation', [ended(10, { state: 'ending' })], []],
    ['no API key', [apiKey()], []],
    ['no secret that may not ask for everything', [secret({ permissions: ['writ.permissions.grant'] })], []],
  ];
  for (const [what, credentials, expected] of cases) {
    test(`is ${what}`, () => assert.deepEqual(waysIn(credentials, NOW), expected));
  }

  test('works on after its end, for a root account that may grant everything and for no other', () => {
    const all = new Set(['writ.permissions.grant', 'writ.serviceaccounts.manage']);
    const reason = (held: ReadonlySet<string>, company?: string): string | undefined =>
      whyRefused(
        last,
        { account: { company } as never, credentials: [first, last], holdings: new Map([['management', held]]) },
        NOW,
      );
    assert.equal(reason(all), undefined);
    assert.equal(reason(new Set(['writ.permissions.grant'])), 'credential_expired');
    assert.equal(reason(all, 'acme'), 'credential_expired');
    const { account, holdings } = {
      account: { company: undefined } as never,
      holdings: new Map([['management' as const, all]]),
    };
    assert.equal(whyRefused(first, { account, credentials: [first, last], holdings }, NOW), 'credential_expired');
  });
});

describe('a change of a credential', () => {
  const widening: readonly (readonly [string, Credential, Credential, boolean])[] = [
    ['another name', secret(), secret({ name: 'two' }), false],
    ['enabling it', secret({ state: 'disabled' }), secret(), true],
    ['disabling it', secret(), secret({ state: 'disabled' }), false],
    ['a later end', secret({ expiresAt: after(1) }), secret({ expiresAt: after(2) }), true],
    ['no end', secret({ expiresAt: after(1) }), secret(), true],
    ['an earlier end', secret(), secret({ expiresAt: after(1) }), false],
    ['more permissions', secret({ permissions: ['a'] }), secret({ permissions: ['a', 'b'] }), true],
    ['all permissions', secret({ permissions: ['a'] }), secret(), true],
    ['fewer permissions', secret(), secret({ permissions: ['a'] }), false],
    ['a permission at a place below', secret({ permissions: ['a'] }), secret({ permissions: ['a@shop'] }), false],
    ['another audience of its assertions', publicKey(), publicKey({ assertionAudiences: ['urn:two'] }), true],
    ['no audience of its assertions', publicKey(), publicKey({ assertionAudiences: [] }), false],
    ['longer assertions', publicKey(), publicKey({ assertionMaxTtl: 61 }), true],
    ['assertions as long as the server allows', publicKey(), publicKey({ assertionMaxTtl: undefined }), true],
    ['shorter assertions', publicKey(), publicKey({ assertionMaxTtl: 59 }), false],
  ];
  for (const [what, before, changed, expected] of widening) {
    test(`to ${what} ${expected ? 'widens' : 'does not widen'} it`, () => {
      assert.equal(widens(before, changed, 300), expected);
    });
  }

  test('takes only the members of its kind', () => {
    for (const credential of [secret(), apiKey()]) {
      for (const changes of [{ assertionAudiences: [] }, { assertionMaxTtl: null }]) {
        assert.equal(
          codeOf(() => changedCredential(credential, changes, NO_POLICY, NOW)),
          'invalid_value',
        );
      }
    }
    const changed = changedCredential(publicKey(), { assertionMaxTtl: null, name: 'two' }, NO_POLICY, NOW);
    assert.deepEqual(changed, publicKey({ assertionMaxTtl: undefined, name: 'two' }));
  });

  test('gives a rotated credential its overlap, and never more than it had', () => {
    assert.deepEqual(endOf(secret(), NOW, 60), after(60));
    assert.deepEqual(endOf(secret({ expiresAt: after(10) }), NOW, 60), after(10));
    assert.deepEqual(endOf(secret({ state: 'disabled' }), NOW, 60), NOW);
  });
});

describe('the reach of a credential', () => {
  const holdings = new Map<ResourceServerId, ReadonlySet<string>>([
    [AUDIENCE.resourceServerId, new Set(['a', 'b'])],
    ['default', new Set(['a'])],
  ]);

  test('is everything that the account holds, unless the credential is restricted', () => {
    assert.deepEqual(reachOf(holdings, secret()), holdings);
    assert.equal(reachesEverything(secret()), true);
    assert.equal(reachesEverything(secret({ permissions: [] })), false);
  });

  test('is one resource server for an API key', () => {
    assert.deepEqual(reachOf(holdings, apiKey()), new Map([[AUDIENCE.resourceServerId, new Set(['a', 'b'])]]));
    assert.deepEqual(
      reachOf(holdings, apiKey({ permissions: ['a'] })),
      new Map([[AUDIENCE.resourceServerId, new Set(['a'])]]),
    );
    assert.equal(reachesEverything(apiKey()), false);
  });
});

describe('the end of a credential', () => {
  test('is the earliest of the enabled ones that have not expired', () => {
    const all = [
      secret({ expiresAt: after(-1) }),
      secret({ expiresAt: after(5), state: 'disabled' }),
      secret({ expiresAt: after(30) }),
      secret({ expiresAt: after(20) }),
      secret(),
    ];
    assert.deepEqual(nextExpiryOf(all, NOW), after(20));
    assert.equal(nextExpiryOf([secret()], NOW), undefined);
  });

  const warnings: readonly (readonly [string, Credential, boolean])[] = [
    ['has no end', secret(), false],
    ['ends within the warning', secret({ expiresAt: after(99) }), true],
    ['ends after the warning', secret({ expiresAt: after(101) }), false],
    ['is short-lived, in the first part of its life', secret({ expiresAt: after(21), lifetime: 60 }), false],
    ['is short-lived, in the last third of its life', secret({ expiresAt: after(20), lifetime: 60 }), true],
    ['has a successor', secret({ expiresAt: after(1000), state: 'ending' }), true],
    ['is extended by each use', secret({ expiresAt: after(1), extend: true }), false],
  ];
  for (const [what, credential, expected] of warnings) {
    test(`is ${expected ? '' : 'not '}warned of when it ${what}`, () => {
      assert.equal(warns(credential, NOW, 100), expected);
    });
  }
});
