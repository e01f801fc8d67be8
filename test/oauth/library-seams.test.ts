import assert from 'node:assert/strict';
import { timingSafeEqual } from 'node:crypto';
import { describe, test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { issueClientSecret } from '../../src/domain/credentials/issue-credentials.ts';
import type { PublicKeyCredential } from '../../src/domain/credentials/kinds/public-key-kind.ts';
import { noteAccount } from '../../src/oauth/attempt.ts';
import type { RecognizeClient } from '../../src/oauth/ways/way.ts';
import { assertion, type ClientKey, clientKey } from '../support/assertions.ts';
import { isSignedWith, secretTools, snapshotOf, startBareTokenEndpoint } from '../support/token-endpoint.ts';

const basic = (id: string, secret: string): Record<string, string> => ({
  Authorization: `Basic ${btoa(`${id}:${secret}`)}`,
});
const byAssertion = (compact: string): Record<string, string> => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: compact,
});

function keyCredential({ jwk }: ClientKey, kid: string): PublicKeyCredential {
  return {
    type: 'public_key',
    credentialId: `cred_${kid}`,
    kid,
    publicKey: { ...jwk, alg: 'ES256' },
    assertionAudiences: [],
    assertionMaxTtl: undefined,
    createdAt: new Date(),
  } as unknown as PublicKeyCredential;
}

describe('the library behind the token endpoint', () => {
  test('N-20 works with EC keys only, and N-16 without calls to its adapter', async () => {
    const { credential, secret: clientSecret } = issueClientSecret(secretTools, new Date());
    const endpoint = await startBareTokenEndpoint([snapshotOf('sa_one', [credential])], {
      secrets: { decoySecret: { ...credential } },
    });
    try {
      const reply = await endpoint.post({}, basic('sa_one', clientSecret));
      assert.equal(reply.status, 200);
      const { access_token: token, expires_in: expiresIn } = (await reply.json()) as Record<string, string>;
      assert.equal(decodeProtectedHeader(String(token)).kid, endpoint.kid);
      assert.equal(Number(expiresIn), 60);
      // The secret matches the decoy, but no account has the id sa_two.
      assert.equal((await endpoint.post({}, basic('sa_two', clientSecret))).status, 401);
    } finally {
      await endpoint.close();
    }
  });

  test('N-27 gives no client a token without authentication', async () => {
    const endpoint = await startBareTokenEndpoint([
      snapshotOf('sa_none', []),
      snapshotOf('sa_secret', [issueClientSecret(secretTools, new Date()).credential]),
    ]);
    try {
      for (const id of ['sa_none', 'sa_secret', 'nobody']) {
        assert.equal((await endpoint.post({ client_id: id })).status, 401, id);
        assert.equal((await endpoint.post({ client_id: id, client_secret: '' })).status, 401, id);
        assert.equal((await endpoint.post({ client_id: id, client_secret: 'unused' })).status, 401, id);
        assert.equal((await endpoint.post({}, basic(id, 'unused'))).status, 401, id);
        assert.equal((await endpoint.post({}, basic(id, ''))).status, 400, id);
      }
      assert.deepEqual(
        [...new Set(endpoint.log().map(({ reason }) => reason))],
        ['no_client_authentication', 'secret_wrong', 'invalid_request', 'account_unknown'],
      );
    } finally {
      await endpoint.close();
    }
  });

  test('N-27 is asked about no client that has not been recognized', async () => {
    const { credential, secret: clientSecret } = issueClientSecret(secretTools, new Date());
    const account = snapshotOf('sa_one', [credential]);
    const ask = async (recognize?: RecognizeClient): Promise<{ status: number; failed: unknown }> => {
      const endpoint = await startBareTokenEndpoint([account], recognize && { recognize });
      try {
        const headers = basic('sa_one', clientSecret);
        const { status } = await endpoint.post({ token: 'unheard-of' }, headers, '/oauth/introspect');
        return { status, failed: endpoint.log().at(-1)?.['err'] };
      } finally {
        await endpoint.close();
      }
    };
    assert.deepEqual(await ask(), { status: 200, failed: undefined });
    const unproved = await ask((attempt) => Promise.resolve(noteAccount(attempt, account)));
    assert.equal(unproved.status, 500);
    assert.match(JSON.stringify(unproved.failed), /the library asks for a client that has not been recognized/);
  });

  test('N-23 takes no DPoP proof that it cannot read, and none by a client assertion', async () => {
    const { credential, secret: clientSecret } = issueClientSecret(secretTools, new Date());
    const endpoint = await startBareTokenEndpoint([snapshotOf('sa_one', [credential])]);
    try {
      for (const proof of ['garbage', assertion(clientKey('ES256'), 'sa_one', endpoint.issuer)]) {
        const reply = await endpoint.post({}, { ...basic('sa_one', clientSecret), DPoP: proof });
        const { error } = (await reply.json()) as Record<string, string>;
        assert.deepEqual([reply.status, error], [400, 'invalid_dpop_proof']);
      }
    } finally {
      await endpoint.close();
    }
  });

  test('C-01 N-15 does the same hashing and verifying for every refused client, with an account or without', async () => {
    const work = { hashes: 0, comparisons: 0, verifications: 0 };
    const [key, other] = [clientKey('ES256'), clientKey('ES256')];
    const secret = issueClientSecret(secretTools, new Date());
    const endpoint = await startBareTokenEndpoint(
      [
        snapshotOf('sa_secret', [secret.credential]),
        snapshotOf('sa_key', [keyCredential(key, 'one')]),
        snapshotOf('sa_both', [secret.credential, keyCredential(key, 'one')]),
        snapshotOf('sa_none', []),
      ],
      {
        secrets: {
          hashSecret(presented) {
            work.hashes += 1;
            return secretTools.hashSecret(presented);
          },
          sameHash(one, another) {
            work.comparisons += 1;
            return timingSafeEqual(one, another);
          },
        },
        isSignedWith(verifier, assertionOf) {
          work.verifications += 1;
          return isSignedWith(verifier, assertionOf);
        },
      },
    );
    async function workOf(refused: () => Promise<Response>): Promise<object> {
      Object.assign(work, { hashes: 0, comparisons: 0, verifications: 0 });
      const reply = await refused();
      assert.equal(reply.status, 401);
      return { ...work };
    }
    const ids = ['sa_unknown', 'sa_secret', 'sa_key', 'sa_both', 'sa_none', 'not an id'];
    try {
      for (const id of ids) {
        const once = { hashes: 1, comparisons: 1, verifications: 0 };
        const wrong = 'writ_wrong';
        assert.deepEqual(await workOf(() => endpoint.post({}, basic(id, wrong))), once, id);
        assert.deepEqual(await workOf(() => endpoint.post({ client_id: id, client_secret: wrong })), once, id);
      }
      for (const id of ids.slice(0, -1)) {
        for (const header of [{}, { kid: 'one' }, { kid: 'unheard-of' }]) {
          const compact = assertion(other, id, endpoint.issuer, {}, header);
          const one = { hashes: 0, comparisons: 0, verifications: 1 };
          assert.deepEqual(await workOf(() => endpoint.post(byAssertion(compact))), one, `${id} ${header.kid ?? ''}`);
        }
      }
    } finally {
      await endpoint.close();
    }
  });
});
