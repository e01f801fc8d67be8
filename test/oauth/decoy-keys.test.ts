import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoyKeys } from '../../src/oauth/ways/decoy.ts';
import { random } from '../../src/start/random.ts';
import { assertion, clientKey } from '../support/assertions.ts';
import { startBareTokenEndpoint } from '../support/token-endpoint.ts';

test('an assertion that is signed with a decoy key authenticates nobody', async () => {
  const known = clientKey('ES256');
  const decoyKeys = { ...createDecoyKeys(random.bytes), ES256: known.jwk };
  const endpoint = await startBareTokenEndpoint([], { decoyKeys });
  try {
    const reply = await endpoint.post({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(known, 'sa_unknown', endpoint.issuer),
    });
    assert.equal(reply.status, 401);
    assert.equal(endpoint.log().at(-1)?.['reason'], 'account_unknown');
  } finally {
    await endpoint.close();
  }
});
